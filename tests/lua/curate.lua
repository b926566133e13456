-- curate.lua - plans and curation by script. What they say is compared with networks made and
-- estimated one by one (nasw.estimate).

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

local s = nasw.space{name = "three", network = "demo"}
s:channels{where = "3", range = {16, 64, 4}}
s:channels{where = "4", options = {32, 48, 64, 80, 96}}
s:variant{where = "2.1", options = {"ibn", "fused"}}
s:limit{latency_ms = 6.2}

-- ---- plans ----
local plan = assert(s:plan("ne32", {estimator = "device"}))
equal(tostring(plan), "plan of three on ne32 by device")
equal(plan.estimator, "device")
equal(plan.space, s)
equal(plan.hw.name, "ne32")
equal(plan:base().objective, 1.0)
for seed = 1, 6 do
    local genome = assert(s:random(seed))
    local totals = assert(plan:evaluate(genome))
    local network = assert(s:network(genome))
    local estimate = assert(nasw.estimate(network, "ne32", {estimator = "device"}))
    equal(totals.latency_us, estimate.latency_us)
    equal(totals.energy_uj, estimate.energy_uj)
    equal(totals.peak_live_bytes, estimate.peak_live_bytes)
    equal(totals.macs, network.macs)
    equal(totals.params, network.params)
    equal(totals.weight_bytes, network.weight_bytes)
    equal(totals.fits, estimate.fits)
    equal(totals.within_limits, totals.latency_us <= 6200)
end
equal(plan:evaluate{c3 = 64, c4 = 96}.macs > plan:evaluate().macs, true)
local depends = {}
for _, cell in ipairs(plan:cells()) do
    equal(cell.filled <= cell.entries, true)
    for _, dim in ipairs(cell.dims) do
        depends[dim] = cell.name
    end
end
equal(depends["v2.1"] and depends.c3 and depends.c4 and true, true)
equal(plan:stats().exact, true)
equal(plan:stats().full_runs > 0, true)
refused("no dimension 'c9'", plan.evaluate, plan, {c9 = 1})

-- ---- curation ----
local curation = assert(s:curate(plan, {contexts = 8}))
equal(tostring(curation):find("^curation of three: %d+ of 20 options$") ~= nil, true)
local verdicts = curation:verdicts("c3")
equal(#verdicts, 13)
local kept = {}
for _, verdict in ipairs(verdicts) do
    equal(#verdict.why > 5, true)
    equal(verdict.kept, verdict.verdict == "kept")
    if verdict.kept then
        kept[#kept + 1] = verdict.option
    end
end
equal(table.concat(kept, " "), table.concat(curation:kept("c3"), " "))
equal(#kept < 13, true)
-- the fused block on 80 x 80 is faster on an array of 32 lanes (FACTS: fusion helps early)
equal(table.concat(curation:kept("v2.1"), " "), "fused")
equal(curation:space():size(), tostring(#kept * #curation:kept("c4")))
curation:pin("v2.1", "mbconv"):remove("c4", 48)
equal(curation:verdicts("v2.1")[1].verdict, "pinned")
equal(table.concat(curation:kept("v2.1"), " "), "ibn fused")
equal(curation:report():find("v2.1", 1, true) ~= nil, true)
equal(#curation:report(true) > #curation:report(), true)
refused("c4 has no option 47", curation.remove, curation, "c4", 47)
refused("no dimension 'c5'", curation.verdicts, curation, "c5")
local only = s:restrict{c3 = 32}:curate("ne32", {contexts = 2, estimator = "device"})
refused("the last option", only.remove, only, "c3", 32)
refused("plan is of another space", s.curate, s:restrict{c3 = 32}, plan)

-- what is closed says so
s:close()
refused("closed", plan.evaluate, plan)
refused("closed", curation.kept, curation, "c3")
plan:close()
equal(tostring(plan), "plan (closed)")
