-- space.lua - declaring a space over the built-in network (stages 0 to 8 of MobileNetV2 with an
-- SSD's layers behind), reading it, genomes. Numbers are counted by hand from the declarations.

local function equal(got, wanted)
    if got ~= wanted then
        error(string.format("got %s, wanted %s", tostring(got), tostring(wanted)), 2)
    end
end

local function refused(words, call, ...)
    local ok, problem = pcall(call, ...)
    equal(ok, false)
    if not tostring(problem):find(words, 1, true) then
        error(string.format("'%s' is not in: %s", words, tostring(problem)), 2)
    end
end

local s = nasw.space{name = "detector", network = "demo"}
equal(tostring(s), "space detector, being declared")
s:channels{where = "3", options = {16}, multiples = {of = 32, to = 96}}      -- 4
s:channels("4", {32, 64})                                                    -- 2
s:variant{where = "ibn@3", each = true, options = {"mbconv", "er"}}          -- 2 x 2 x 2
s:kernel{ties = {"2", "5-6"}, options = {5, 3}, name = "window"}             -- 2 x 2
s:filters{stage = 5, range = {64, 128, 32}}                                  -- 3
s:require("c3 <= c4"):require(function(genes) return genes.c5 >= genes.c4 end, "wider")
s:limit{latency_ms = 5, score = 20, macs = {max = 1e9, min = 1e6}}
equal(s:size(), tostring(4 * 2 * 8 * 4 * 3))
equal(s:size_approx(), 4.0 * 2 * 8 * 4 * 3)
equal(tostring(s), "space detector: 8 dimensions, 768 networks")
equal(s.name, "detector")
equal(s.hooks, 1)
equal(s.source, "t.lua")

-- dimensions say what they are and where they were declared
local dims = s:dims()
equal(#dims, 8)
equal(dims[1].name, "c3")
equal(dims[1].kind, "channels")
equal(dims[1].line, 20)
equal(dims[1].file, "t.lua")
equal(table.concat(dims[1].options, " "), "16 32 64 96")
equal(dims[1].base, 32)
equal(table.concat(dims[1].blocks, " "), "3.0 3.1 3.2")
equal(dims[3].name, "v3.0")
equal(table.concat(dims[3].options, " "), "ibn fused")
equal(dims[6].name, "window1")
equal(table.concat(dims[6].options, " "), "3 5")
equal(table.concat(dims[7].blocks, " "), "5.0 5.1 5.2 6.0 6.1 6.2")
equal(table.concat(dims[8].options, " "), "64 96 128")

-- limits are at most, a score's at least, in the units of the names
local limits = {}
for _, limit in ipairs(s:limits()) do
    limits[#limits + 1] = limit.metric .. (limit.min and " >= " or " <= ") ..
        string.format("%.0f", limit.min or limit.max)
end
equal(table.concat(limits, ", "),
      "latency_us <= 5000, macs <= 1000000000, macs >= 1000000, score >= 20")

-- a genome is the network's own where nothing is said
local base = s:genome()
equal(base:get("c3"), 32)
equal(base:get("v3.0"), "ibn")
equal(base.space, s)
local g = s:genome{c3 = 64, ["v3.1"] = "fused_ibn", window1 = 5}
equal(g:get("c3"), 64)
equal(g:values()["v3.1"], "fused")
equal(tostring(g), g.text)
equal(s:genome(g.text).text, g.text)
equal(s:genome("c3=64 v3.1=fused window1=5").text, g.text)
equal(g:with{c3 = 32, ["v3.1"] = "ibn", window1 = 3}.text, base.text)
refused("t.lua:72: the space has no dimension 'c9'", function() s:genome{c9 = 1} end)
refused("c3 has no option 17", function() s:genome{c3 = 17} end)
refused("c3", function() s:genome("detector@0000 c3=17") end)
refused("no dimension 'c9'", function() g:get("c9") end)

-- conditions in words and in Lua
equal(s:allows(base), true)
local allowed, why = s:allows{c3 = 96, c4 = 32}
equal(allowed, false)
equal(why:find("c3 <= c4", 1, true) ~= nil, true)
allowed, why = s:allows{c4 = 64, c5 = 64}
equal(allowed, true)
equal(why, nil)
equal(s:random(3).text, s:random(3).text)
for seed = 1, 50 do
    local r = s:random(seed)
    equal(s:allows(r), true)
    equal(s:genome(r.text).text, r.text)
end

-- what a genome stands for: the network with these edits; expansions stay what they are
local network = s:network{c3 = 64, ["v3.1"] = "fused"}
local edited = assert(nasw.load("demo")):edit{
    "variant 3.1 fused", "channels 3 64", "expansion 3.1 6", "expansion 3.2 6", "expansion 4.0 6"}
equal(network.macs, edited.macs)
equal(network.params, edited.params)
equal(network:blocks{stage = 3}[2].type, "fused")
equal(s:network().macs, assert(nasw.load("demo")).macs)
equal(s:base().macs, s:network().macs)

-- fewer options
local part = s:restrict{c3 = {32, 64}, ["v3.0"] = "fused"}
equal(part:size(), tostring(2 * 2 * 4 * 4 * 3))
equal(part:genome():get("v3.0"), "fused")
refused("restrict: c3 has no option 17", function() s:restrict{c3 = {17}} end)
refused("another space", function() part:network(base) end)
equal(part:genome{c3 = g:get("c3")}:get("c3"), 64)

-- other dimensions, by their names and those of the field
local all = nasw.space{base = "demo"}
all:width_multiplier{options = {0.5, 1, 0.75}, divisor = 16}
all:expand_ratio{block = "2.1", options = {3, 6}}
all:expanded("3.1", {96, 192})
all:repeats("4", {4, 2, 1})
all:resolution{options = {"320x320", {160, 320}, 192}}
all:precision{options = {"int8", 16}, where = {"5", 6}}
all:squeeze{where = "ibn@5", options = {false, 0.25}}
equal(all:size(), tostring(3 * 2 * 2 * 3 * 3 * 2 * 2))
local text = {}
for _, dim in ipairs(all:dims()) do
    for _, option in ipairs(dim.options) do
        text[#text + 1] = tostring(option)
    end
end
equal(table.concat(text, " "), "0.5 0.75 1.0 3.0 6.0 96 192 1 2 4 160x320 192x192 320x320 " ..
      "int8 int16 0.0 0.25")
equal(all:genome{r = 192}:get("r"), "192x192")
equal(all:network{r = "160x320"}:inputs()[1].shape[2], 160)
equal(#all:network{d4 = 2}:blocks{stage = 4}, 2)
equal(all.name, "demo")

-- any network has a space
local usual = assert(nasw.space.from_model("demo", {step = 16}))
equal(usual:dims()[1].kind, "channels")
equal(usual:network().macs, s:network().macs)
equal(nasw.space.from_model("nosuch.onnx"), nil)
equal(tostring(assert(nasw.load_space("demo"))):find("^space ") ~= nil, true)

-- a closed space closes its genomes
s:close()
equal(tostring(s), "space (closed)")
refused("closed", s.size, s)
refused("the genome's space is closed", base.get, base, "c3")
