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

-- The same network with a fitted estimator, whose file is opened once: its kernels are remembered.
local shapes = {}
for _, side in ipairs { 10, 20, 40, 80 } do
    for c = 16, 128, 16 do
        shapes[#shapes + 1] = { kernel = "conv", in_h = side, in_w = side, in_c = c, out_h = side,
            out_w = side, out_c = c, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1 }
    end
end
local data = assert(nasw.measure { hw = hw, shapes = shapes })
local fitted = assert(nasw.fit { data = data, target = "latency_us", hw = hw, trees = 50 })
local options = { estimator = fitted }
local regression = median(function()
    for _ = 1, 20 do assert(nasw.estimate(net, hw, options)) end
end)
local rows = data:rows()
local predict = median(function() assert(fitted:predict(rows)) end)
nasw.print(("  a call into C %.0f ns, a field %.0f ns, the estimate of demo %.2f ms"):format(
    1e9 * call / N, 1e9 * field / N, 1e3 * estimate / 20))
nasw.print(("  the estimate of demo by a regression %.2f ms, a row of a table predicted %.1f us")
    :format(1e3 * regression / 20, 1e6 * predict / #rows))
