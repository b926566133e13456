-- landscape.lua - landscapes of a small slice of the built-in network, against estimates of its
-- networks; figures of grids done by hand.

local function equal(got, wanted)
    if got ~= wanted then
        error(string.format("got %s, wanted %s", tostring(got), tostring(wanted)), 2)
    end
end

local function near(got, wanted)
    local is_near = math.abs(got - wanted) <= 1e-9 * math.abs(wanted)
    if not is_near then
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

-- ---- figures: nine points by hand, as in tests/test_landscape.c ----

local f = nasw.figures{ { 5, 4, 3 }, { 6, 2, 1 }, { 7, 8, 9 } }
equal(f.points, 9)
equal(f.edges, 12)
equal(f.minima, 1)
equal(f.best, 1)
near(f.mean_step, 29 / 12 / 8)
near(nasw.figures({ { 5, 4, 3 }, { 6, 2, 1 }, { 7, 8, 9 } }, { range = 29 }).mean_step, 1 / 12)
near(f.mean_evaluations, 7)
equal(nasw.figures{ { 1, 2, 1 } }.minima, 2)
equal(nasw.figures({ { 1, 2, 0 } }, { choices = true }).minima, 1)
equal(nasw.figures{ { 1, false, 1 } }.minima, 2)
equal(nasw.figures{ { 3, 3 } }.r1, nil)
refused("rows of one length", nasw.figures, { { 1, 2 }, { 3 } })
refused("wanted numbers", nasw.figures, { { 1, "2" } })
refused("wanted finite numbers", nasw.figures, { { 1, 1 / 0 } })
refused("wanted rows", nasw.figures, {})

-- ---- a slice ----

local s = nasw.space{ name = "slice", network = "demo" }
s:channels{ where = "3", options = { 24, 32, 40 } }
s:channels{ where = "4", options = { 56, 64 } }
s:variant{ where = "2.1", options = { "ibn", "fused" } }
local options = { x = "c3", y = "c4", estimator = "device", start = { c3 = 33, c4 = 60 } }
local l = nasw.landscape(s, "ne32", options)
equal(tostring(l), "landscape of slice: 17 x 9 points")
equal(l.x, "c3")
equal(l.y, "c4")
equal(l.metric, "objective")
equal(l.start.c3, 33)
equal(l.start.c4, 60)

-- every panel ends where it says, priced as nasw.estimate has it
local hw = nasw.hw("ne32")
for _, name in ipairs(l:panels()) do
    local panel = l:panel(name)
    local t = nasw.space{ name = "one", network = "demo" }
    t:channels{ where = "3", options = { panel.ends.point.c3 } }
    t:channels{ where = "4", options = { panel.ends.point.c4 } }
    local text = "c3=" .. panel.ends.point.c3 .. " c4=" .. panel.ends.point.c4
    local e = nasw.estimate(t:network(text), hw, { estimator = "device" })
    near(panel.ends.latency_us, e.latency_us)
    equal(panel.ends.macs, e.macs)
    near(panel.ends.objective, panel.ends.value)
    near(panel.gap, panel.ends.value / l.best.value - 1)
    equal(panel.path[#panel.path].c3, panel.ends.point.c3)
    equal(#panel.columns, panel.width)
    equal(#l:values(name), panel.height)
    equal(#l:values(name)[1], panel.width)
end

local macs = l:panel("macs")
equal(macs.ends.point.c3, 24)
equal(macs.ends.point.c4, 56)
equal(macs.figures.minima, 1)
equal(#macs.path, 1 + 9 + 4)
equal(l:values("macs")[1][1], macs.ends.macs)
equal(l.restarts.evaluations, l:panel("curated").evaluations)

-- figures of the values, by the other way round
local again = nasw.figures(l:values("macs"))
near(again.r1, macs.figures.r1)
near(again.mean_step, macs.figures.mean_step)

-- a function of the script as height: MACs give the panel of MACs, the objective the panel itself
local calls = 0
local by_function = l:map(function(totals, point)
    calls = calls + 1
    equal(point.c3 >= 24 and point.c4 >= 56, true)
    return totals.macs
end)
equal(calls, 17 * 9)
equal(by_function.slow, true)
equal(by_function.figures.minima, 1)
equal(by_function.best.c3, 24)
equal(#by_function.path, 1 + 9 + 4)
near(by_function.figures.r1, macs.figures.r1)
equal(by_function.values[9][17], l:values("macs")[9][17])
by_function = l:map(function(totals) return totals.objective end, "curated")
near(by_function.figures.r1 or 0, l:panel("curated").figures.r1 or 0)
equal(#by_function.path, #l:panel("curated").path)
by_function = l:map(function(totals, point) return point.c3 ~= 24 and totals.macs or nil end)
equal(by_function.values[1][1], false)
equal(by_function.figures.points, 16 * 9)
equal(by_function.best.c3, 25)
refused("stop here", l.map, l, function() error("stop here") end)
refused("returned a string", l.map, l, function() return "high" end)
refused("there is no such panel", l.map, l, function() end, "sideways")

-- pages
assert(l:json():find('"schema":"nasw.landscape/1"', 1, true))
assert(l:svg():find("^<svg ") and l:svg():find("</svg>\n$"))
assert(l:text():find("controls", 1, true))

-- curated by hand: a part of the space; or not at all
options.curated = s:restrict{ c3 = { 24, 32 } }
local part = nasw.landscape(s, "ne32", options)
equal(table.concat(part:panel("curated").columns, " "), "24 32")
equal(table.concat(part:panel("curated").rows, " "), "56 64")
local curation = s:curate("ne32", { estimator = "device" })
options.curated = curation
local whole = nasw.landscape(s, "ne32", options)
equal(table.concat(whole:panel("curated").columns, " "), table.concat(curation:kept("c3"), " "))
options.curated = false
local bare = nasw.landscape(s, "ne32", options)
equal(#bare:panels(), 3)
equal(bare.restarts, nil)
refused("there is no such panel", bare.panel, bare, "curated")

-- a line, of another metric, with another variant
local line = nasw.landscape(s, "ne32",
    { x = "c4", genome = { ["v2.1"] = "fused" }, metric = "latency", curated = false,
        estimator = "device" })
equal(tostring(line), "landscape of slice: 9 x 1 points")
equal(line.y, nil)
equal(line.metric, "latency_us")
near(line:values("single")[1][9], nasw.estimate(s:network{ c4 = 64, ["v2.1"] = "fused" }, hw,
    { estimator = "device" }).latency_us)

-- three genes, one at a time; both ends as nasw.estimate has them
local to = { c3 = 40, c4 = 56, ["v2.1"] = "fused" }
local route = nasw.route(s, "ne32", { from = "c3=24", to = to, metric = "latency",
    estimator = "device" })
equal(route.metric, "latency_us")
equal(#route.path, 4)
equal(route.path[1].dimension, nil)
equal(route.path[2].dimension, "c3")
equal(route.path[2].from, 24)
equal(route.path[2].to, 40)
equal(route.path[4].to, "fused")
local device = { estimator = "device" }
near(route.path[1].value, nasw.estimate(s:network{ c3 = 24 }, hw, device).latency_us)
near(route.path[4].value, nasw.estimate(s:network(to), hw, device).latency_us)
near(route.path[3].change, route.path[3].value - route.path[2].latency_us)
equal(tostring(s:genome(route.path[4].genome)), route.path[4].genome)
equal(s:genome(route.path[3].genome):values()["v2.1"], "ibn")
equal(route.path[4].fits, true)
equal(route.figures.points, 4)
equal(nasw.route(s, "ne32", { to = to, from = to }), nil)
refused("option 'to'", nasw.route, s, "ne32", {})
refused("route: there is no metric 'speed'", nasw.route, s, "ne32", { to = to, metric = "speed" })

-- mistakes
refused("has no dimension 'c9'", nasw.landscape, s, "ne32", { x = "c9" })
refused("option 'x' names a dimension", nasw.landscape, s, "ne32", { y = "c3" })
refused("no metric 'speed'", nasw.landscape, s, "ne32", { x = "c3", metric = "speed" })
local none, message, code = nasw.landscape(s, "ne32", { x = "c3", start = "c3=99" })
equal(none, nil)
equal(code, "invalid")
assert(message:find("c3 has no option 99", 1, true), message)
none, message, code = nasw.landscape(s, "ne32", { x = "c3", y = "c3" })
equal(none, nil)
equal(code, "invalid")
assert(message:find("two different dimensions", 1, true), message)
l:close()
refused("the landscape is closed", l.json, l)
equal(tostring(l), "landscape (closed)")
