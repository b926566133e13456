-- api.lua - the scripting API on the demo network: what nasw.d.lua promises.

local function equal(got, wanted)
    if got ~= wanted then
        error(string.format("got %s, wanted %s", tostring(got), tostring(wanted)), 2)
    end
end

-- networks
local network = assert(nasw.load("demo"))
equal(network.model, "demo")
equal(tostring(network), "network demo: 112 operators")
local n_ops, macs, by_type = 0, 0, {}
for op in network:ops() do
    n_ops = n_ops + 1
    macs = macs + op.macs
    by_type[op.type] = (by_type[op.type] or 0) + 1
    equal(op.index, n_ops)
end
equal(n_ops, network.n_ops)
equal(macs, network.macs)
for name, n in pairs(network:ops_by_type()) do
    equal(by_type[name], n)
end
equal(#network:inputs(), 1)
equal(network:inputs()[1].dtype, "float32")
equal(#network:warnings(), 0)
equal(network:json():sub(1, 1), "{")
local nothing, message, code = nasw.load("no/such/model.onnx")
equal(nothing, nil)
equal(code, "io")
equal(message:find("no/such/model.onnx", 1, true), 1)
nothing, message, code = nasw.load("demo", { inputs = { nobody = { 1, 2 } } })
equal(nothing, nil)
equal(code, "invalid")
equal(message:find("nobody", 1, true) ~= nil, true)

-- hardware
local hw = assert(nasw.hw("ne32"))
equal(hw.name, "ne32")
equal(hw.macs_per_cycle, 32 * 32)
equal(hw:get("sram.bytes"), 1048576)
equal(hw:get("array.kind"), "dot")
equal(hw:get("clock_hz"), 1000000000)
equal(hw:get("sram").bytes, 1048576)
equal(hw:get().array.pf_out, 32)
hw:get("sram").bytes = 5 -- a copy
equal(hw:get("sram.bytes"), 1048576)
equal(hw:source("sram.bytes"), "chosen by us, no product")
equal(hw.calibrated, false)
local wide = assert(hw:with { sram = { bytes = 2 ^ 21 }, array = { pf_out = 64 } })
equal(wide.macs_per_cycle, 64 * 32)
equal(wide:get("sram.bytes"), 2097152)
equal(wide:get("array.pf_in"), 32)
equal(wide:source("sram.bytes"), nil)
equal(hw:get("array.pf_out"), 32)
nothing, message, code = hw:with { array = { pf_out = 0 } }
equal(nothing, nil)
equal(code, "invalid")
equal(message:find("pf_out", 1, true) ~= nil, true)
equal(select(3, hw:with { no_such_key = 1 }), "invalid")
equal(select(3, nasw.hw("no_such_hw")), "io")
local names = nasw.hw_names()
for i = 2, #names do
    equal(names[i - 1] < names[i], true)
end
for _, name in ipairs(names) do
    equal(assert(nasw.hw(name)).name, name)
end

-- estimates
local estimate = assert(nasw.estimate(network, hw))
local kernels = estimate:kernels()
equal(#kernels, estimate.n_kernels)
equal(rawequal(estimate.network, network), true)
equal(estimate.hw.name, "ne32")
equal(estimate.fits, true)
equal(estimate.reason, "")
equal(estimate.estimator, "device")
equal(estimate.n_unknown, 0)
local sum, kernel_macs = 0, 0
for i, kernel in ipairs(kernels) do
    sum = sum + kernel.latency_us
    kernel_macs = kernel_macs + kernel.macs
    equal(kernel.index, i)
end
equal(math.abs(sum - estimate.latency_us) < 1e-6 * sum, true)
equal(kernel_macs, network.macs)
local peak = hw.macs_per_cycle * hw:get("clock_hz") * estimate.latency_us / 1e6
equal(math.abs(estimate.utilisation - network.macs / peak) < 1e-12, true)
equal(nasw.estimate(network, "ne32").latency_us, estimate.latency_us)
equal(nasw.estimate(network, hw, { precision = "int16" }).precision:sub(1, 5), "int16")
nothing, message, code = nasw.estimate(network, hw, { precision = "float64" })
equal(nothing, nil)
equal(code == "unsupported" or code == "invalid", true)
equal(message:find("float64", 1, true) ~= nil, true)
equal(estimate:csv():match("^[^\n]*"):sub(1, 5), "name,")
equal(estimate:text():find("demo on ne32", 1, true), 1)
for line in estimate:text(40):gmatch("[^\n]+") do
    equal(line:find("^%s+%d") == nil or utf8.len(line) <= 80, true)
end

-- tables
local rows = { { name = "a", us = 1.25, n = 3 }, { name = "long name", n = 12 } }
equal(nasw.table(rows, { "name", { key = "us", title = "time us", format = "%.1f" }, "n" }),
    "name       time us   n\n" ..
    "a              1.2   3\n" ..
    "long name        ?  12\n")
equal(nasw.table({ { 1, "x" }, { 22, "y" } }), " 1  2\n 1  x\n22  y\n")
equal(nasw.table({}), "")
equal(nasw.table({ { "\27[31mred" } }), "1\n\\x1b[31mred\n")
equal(nasw.table({ { 5 } }, { { title = "t", format = function(v) return "<" .. v .. ">" end } }),
    "  t\n<5>\n")
equal(nasw.csv(rows, { "name", "us" }), "name,us\na,1.25\nlong name,\n")
equal(nasw.csv({ { 'a"b,c', 0.1 } }), '1,2\n"a""b,c",0.1\n')

-- JSON
equal(nasw.json({ 1, 2.5, "x", true }), '[\n  1,\n  2.5,\n  "x",\n  true\n]\n')
equal(nasw.json({ b = 0.1, a = { c = 1 } }),
    '{\n  "a": {\n    "c": 1\n  },\n  "b": 0.1\n}\n')
equal(nasw.json("\27\n\"\\\xff\u{e9}"), '"\\u001b\\n\\"\\\\\\\\xff\u{e9}"\n')
equal(nasw.json(0 / 0), "null\n")
equal(nasw.json({}), "[]\n")
equal(nasw.json(math.maxinteger), "9223372036854775807\n")

-- the session
equal(nasw.current(), nil)
assert(nasw.act("open", "demo"))
equal(nasw.current().latency_us, estimate.latency_us)
equal(nasw.current().network.model, "demo")
assert(nasw.act("hw", "u55-128"))
equal(nasw.current().hw.name, "u55-128")
equal(nasw.baseline().hw.name, "ne32")
equal(nasw.baseline().latency_us, estimate.latency_us)
equal(nasw.current().latency_us, nasw.estimate(network, "u55-128").latency_us)
assert(nasw.act("undo"))
equal(nasw.current().hw.name, "ne32")
nothing, message, code = nasw.act("open", "no_such_file")
equal(nothing, nil)
equal(#message > 0 and #code > 0, true)
equal(nasw.current().hw.name, "ne32")
local found = {}
for _, action in ipairs(nasw.actions()) do
    found[action.name] = action
end
equal(found.undo.key, "u")
equal(found.open.value, "path")
equal(found.redo.possible, true)
equal(#nasw.messages() > 0, true)
equal(nasw.clock() > 0, true)
