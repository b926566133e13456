-- misuse.lua - calls everything with arguments of every wrong kind. Nothing may crash, hang or
-- leave the objects broken; errors and nil are fine.

local seed = 3
local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % n + 1
end

local network, hw = assert(nasw.load("demo")), assert(nasw.hw("ne32"))
local estimate = assert(nasw.estimate(network, hw))
local closed = { assert(nasw.load("demo")), assert(nasw.hw("ne32")), nil }
closed[3] = assert(nasw.estimate(closed[1], closed[2]))
closed[1]:close()

local conv = { kernel = "conv", in_h = 7, in_w = 7, in_c = 8, out_h = 7, out_w = 7, out_c = 8,
    kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1 }
local measured = assert(nasw.measure { hw = hw, shapes = { conv, conv } })
local fitted = assert(nasw.fit { data = measured, target = "latency_us", hw = hw })
closed[4] = assert(nasw.measure { hw = hw, shapes = { conv } })
closed[5] = assert(nasw.fit { data = measured, target = "latency_us" })
closed[4]:close()
closed[5]:close()

local cyclic = {}
cyclic[1] = cyclic
cyclic.key = cyclic

local VALUES = {
    false, true, 0, 1, -1, 2.5, 1 / 0, -1 / 0, 0 / 0, math.maxinteger, math.mininteger, 1 << 31,
    "", "demo", "ne32", "a", "%", "%b", "[", "\0", "\xff\xfe", ("x"):rep(300), "sram.bytes",
    "array",
    "1e308", "0x7fffffffffffffff", "inputs", "undo",
    {}, { 1, 2, 3 }, { { 1 }, { 2 } },
    { a = 1, b = "x" }, { inputs = { input = { 1 } } }, { precision = "int8" }, { precision = 8 },
    { key = "a", title = {} }, { sram = { bytes = -1 } }, { [1] = 1, [3] = 3 }, cyclic,
    setmetatable({}, { __index = error, __len = error, __tostring = error, __pairs = error }),
    print, error, function() return {} end, function() error("mine") end, network, hw, estimate,
    closed[1], closed[2], closed[3], measured, fitted, closed[4], closed[5],
    { conv }, { conv, { kernel = 5 } }, { {} }, "kernel,in_h\nconv,7\n", "a\n", "\n",
    { hw = hw, shapes = { conv } }, { hw = "ne32", shapes = 5 }, { hw = {}, shapes = "a,b\n1\n" },
    { data = measured, target = "latency_us" }, { data = { conv }, target = "in_h", hw = hw },
    { data = measured, target = "kernel", features = { {} } }, { estimator = fitted },
    { data = measured, target = "latency_us", seed = 0 / 0, trees = {} }, { estimator = closed[5] },
    { estimator = 5 }, { cpu = true, shapes = { conv } }, { cpu = true, path = "../x", shapes = 1 },
}
local METHODS = { "ops_by_type", "inputs", "outputs", "ops", "warnings", "json", "get", "with",
    "source", "describe", "kernels", "csv", "text", "name", "macs", "latency_us", "hw", "network",
    "difference", "row", "rows", "columns", "device", "predict", "evaluate", "report", "target" }

local functions = {}
local function add_all(library)
    for _, name in ipairs(library.names) do
        functions[#functions + 1] = library.from[name]
    end
end
local function names_of(from, without)
    local names = {}
    for name, value in pairs(from) do
        if type(value) == "function" and not without[name] then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return { from = from, names = names }
end
-- Not those that write files or print.
add_all(names_of(nasw, { write = true, print = true, log = true }))
add_all(names_of(string, {}))
add_all(names_of(table, {}))
add_all(names_of(utf8, {}))
add_all(names_of({ setmetatable = setmetatable, getmetatable = getmetatable, tonumber = tonumber,
    tostring = tostring, select = select, rawget = rawget, rawset = rawset, rawlen = rawlen,
    rawequal = rawequal, next = next, ipairs = ipairs, pairs = pairs, pcall = pcall, error = error,
    xpcall = xpcall, require = require, collectgarbage = collectgarbage, type = type }, {}))
for _, object in ipairs({ network, hw, estimate, measured, fitted, table.unpack(closed, 1, 5) }) do
    for _, name in ipairs(METHODS) do
        functions[#functions + 1] = function(...) return object[name](...) end
        functions[#functions + 1] = function(...) return object[name](object, ...) end
        functions[#functions + 1] = function(value) object[name] = value end
    end
end

local function value()
    return VALUES[random(#VALUES)]
end

local function call(f)
    local n = random(5) - 1
    if n == 0 then
        return pcall(f)
    elseif n == 1 then
        return pcall(f, value())
    elseif n == 2 then
        return pcall(f, value(), value())
    elseif n == 3 then
        return pcall(f, value(), value(), value())
    end
    return pcall(f, value(), value(), value(), value(), value())
end

for _ = 1, 40 do
    for _, f in ipairs(functions) do
        call(f)
    end
end

assert(network.n_ops == 112 and hw.name == "ne32" and #estimate:kernels() == estimate.n_kernels)
assert(#measured == 2 and #fitted:predict(measured) == 2)
