-- Lua call overhead for `make bench`: what a call into C, a field and an estimate cost a script.
-- Median of five; an empty loop is taken off.
local N = 200000

local function median(run)
    local times = {}
    for i = 1, 5 do
        local start = nasw.clock()
        run()
        times[i] = nasw.clock() - start
    end
    table.sort(times)
    return times[3]
end

local hw = assert(nasw.hw("ne32"))
local net = assert(nasw.load("demo"))
local clock = nasw.clock
local empty = median(function() for _ = 1, N do end end)
local call = median(function() for _ = 1, N do clock() end end) - empty
local field = median(function() for _ = 1, N do local _ = hw.macs_per_cycle end end) - empty
local estimate = median(function() for _ = 1, 20 do assert(nasw.estimate(net, hw)) end end)
nasw.print(("  a call into C %.0f ns, a field %.0f ns, the estimate of demo %.2f ms"):format(
    1e9 * call / N, 1e9 * field / N, 1e3 * estimate / 20))
