-- endless.lua - catches everything and never ends; for the test of interrupts.
nasw.log("ready")
while true do
    pcall(function()
        local n = 0
        while true do
            n = n + 1
        end
    end)
end
