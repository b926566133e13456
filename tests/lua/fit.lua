-- fit.lua - measuring, fitting and estimating from a script: what nasw.d.lua promises.

local function equal(got, wanted)
    if got ~= wanted then
        error(string.format("got %s, wanted %s", tostring(got), tostring(wanted)), 2)
    end
end

local function raises(words, f, ...)
    local ok, why = pcall(f, ...)
    if ok or not why:find(words, 1, true) then
        error(string.format("'%s' is not in: %s", words, tostring(why)), 2)
    end
end

local function refuses(code, words, value, message, got)
    if value ~= nil or got ~= code or not message:find(words, 1, true) then
        error(string.format("wanted nil, '%s', %s; got %s, %s, %s", words, code, tostring(value),
            tostring(message), tostring(got)), 2)
    end
end

local function conv(side, in_c, out_c)
    return { kernel = "conv", in_h = side, in_w = side, in_c = in_c, out_h = side, out_w = side,
        out_c = out_c, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1 }
end

local shapes = {}
for _, side in ipairs { 7, 10, 14, 20, 28 } do
    for c = 16, 128, 16 do
        shapes[#shapes + 1] = conv(side, c, 2 * c)
    end
end

-- measurements
local hw = assert(nasw.hw("ne32"))
local measured = assert(nasw.measure { hw = hw, shapes = shapes })
equal(#measured, 40)
equal(tostring(measured), "measurements: 40 rows, " .. #measured:columns() .. " columns")
equal(measured.device, "ne32")
equal(measured.source, "simulated")
equal(measured.tool:sub(1, 5), "nasw-")
equal(measured.date:match("^%d%d%d%d%-%d%d%-%d%d$"), measured.date)
local row = measured:row(1)
equal(row.kernel, "conv")
equal(math.type(row.in_c), "integer")
equal(row.in_c, 16)
equal(row.act, "none")
equal(row.groups, 1)
equal(measured:rows()[40].in_h, 28)
equal(measured:columns()[1], "kernel")
equal(measured:csv():sub(1, 9), "# device=")
raises("no such row", measured.row, measured, 0)
raises("no such row", measured.row, measured, 41)
raises("number expected", measured.row, measured, "one")
raises("cannot be changed", function() measured.device = "mine" end)
-- the same shapes as a text, and what was measured as shapes again
local same = assert(nasw.measure { hw = "ne32", shapes = nasw.csv(shapes) })
equal(same:csv(), measured:csv())
equal(nasw.measure({ hw = hw, shapes = measured }):csv(), measured:csv())
equal(nasw.measure({ hw = hw, shapes = measured:rows() }):csv(), measured:csv())
same:close()
same:close()
equal(tostring(same), "measurements (closed)")
raises("closed", function() return #same end)
raises("closed", nasw.measure, { hw = hw, shapes = same })
refuses("io", "no_such.csv", nasw.measure { hw = hw, shapes = "no_such.csv" })
refuses("io", "no_such_hw", nasw.measure { hw = "no_such_hw", shapes = shapes })
refuses("invalid", "holds no rows", nasw.measure { hw = hw, shapes = {} })
refuses("invalid", "no columns", nasw.measure { hw = hw, shapes = { {}, {} } })
refuses("invalid", "kernel is missing", nasw.measure { hw = hw, shapes = { { in_c = 1 } } })
refuses("invalid", "shapes, row 2: out_c is missing",
    nasw.measure { hw = hw, shapes = { conv(7, 8, 8), conv(7, 8, nil) } })
refuses("invalid", "shapes, row 1: unknown kernel", nasw.measure { hw = hw, shapes = { {
    kernel = "convolution", in_h = 1, in_w = 1, in_c = 1, out_h = 1, out_w = 1, out_c = 1 } } })
raises("row 2: in_c is not a finite number", nasw.measure,
    { hw = hw, shapes = { conv(7, 8, 8), conv(7, 0 / 0, 8) } })
raises("row 1: out_c is a table", nasw.measure, { hw = hw, shapes = { conv(7, 8, {}) } })
raises("row 1: kernel holds a zero byte", nasw.measure,
    { hw = hw, shapes = { { kernel = "co\0nv" } } })
raises("row 2 is a number", nasw.measure, { hw = hw, shapes = { conv(7, 8, 8), 5 } })
raises("row 1 has the key 1", nasw.measure, { hw = hw, shapes = { { "conv", 7 } } })
raises("is one table", nasw.measure, { hw = hw, shapes = conv(7, 8, 8) })
raises("shapes is a boolean", nasw.measure, { hw = hw, shapes = true })
raises("'cpu' and 'emit' exclude", nasw.measure, { cpu = true, emit = "models", path = "x" })
raises("'emit' must be a string", nasw.measure, { hw = hw, emit = {} })
raises("'hw' is missing", nasw.measure, { emit = "models" })
raises("'networks' must be a whole number from 10", nasw.measure, { hw = hw, networks = 1 })
raises("'hw' is missing", nasw.measure, { shapes = shapes })
raises("Hw expected", nasw.measure, { hw = 5, shapes = shapes })
raises("no option 'shape'", nasw.measure, { hw = hw, shape = shapes })
raises("'path' is missing", nasw.measure, { cpu = true, shapes = shapes })
raises("exclude each other", nasw.measure,
    { cpu = true, hw = hw, shapes = shapes, path = "cpu.csv" })
raises("'path' belongs to cpu", nasw.measure, { hw = hw, shapes = shapes, path = "m.csv" })
raises("'cpu' must be", nasw.measure, { cpu = 1, shapes = shapes })
raises("table expected", nasw.measure, "ne32")

-- fitting
local function fit(options)
    options.data = options.data or measured
    options.target = options.target or "latency_us"
    options.trees = 20
    return nasw.fit(options)
end
local est = assert(fit { hw = hw })
equal(est.target, "latency_us")
equal(est.path, "")
equal(tostring(est), "estimator of latency_us: 40 rows, 1 types")
local report = est:report()
equal(report.rows, 40)
equal(report.skipped, 0)
equal(report.target, "latency_us")
equal(report.provenance.device, "ne32")
equal(report.provenance.file, "measurements")
equal(#report.provenance.data_hash, 16)
equal(#report.groups, 1)
local group = report.groups[1]
equal(group.name, "conv")
equal(group.rows, 40)
equal(group.trees, 20)
equal(group.out_of_fold.n, 40)
equal(group.noise_pct, nil)
equal(#group.worst, 10)
equal(group.worst[1].measured > 0 and group.worst[1].line > 2, true)
equal(report.networks, nil)
equal(report.test, nil)
equal(report.bands.total.from, "rows")
equal(est:text():find("estimator: predicts latency_us", 1, true), 1)
equal(est:json():find('"schema":"nasw.fit/1"', 1, true) ~= nil, true)

-- the same table, however it is given, gives the same predictions
local predicted = assert(est:predict(shapes))
equal(#predicted, 40)
for _, data in ipairs { measured, measured:csv(), measured:rows() } do
    local again = assert(fit { data = data, hw = "ne32" }):predict(measured)
    for i = 1, 40 do
        equal(again[i], predicted[i])
    end
end
equal(fit({ hw = hw, seed = 1 }):predict(shapes)[1] == predicted[1], false)
equal(fit({ hw = hw, features = "macs,in_c" }):predict(shapes)[1],
    fit({ hw = hw, features = { "macs", "in_c" } }):predict(shapes)[1])
local without = {}
for i, r in ipairs(measured:rows()) do
    without[i] = r
    if i % 4 == 0 then
        r.latency_us = nil
    end
end
equal(fit({ data = without }):report().skipped, 10)
equal(fit({ test = measured }):report().test.n, 40)

-- predictions
equal(#assert(est:predict {}), 0)
local mixed = { conv(7, 16, 32), { kernel = "pool", in_h = 7 }, conv(7, 16, 32), {} }
local out = assert(est:predict(mixed))
equal(out[1], predicted[1])
equal(out[2], nil)
equal(out[3], predicted[1])
equal(out[4], nil)
equal(assert(est:predict({ { kernel = "conv", in_h = true, in_c = 16 } }))[1] > 0, true)
refuses("invalid", "rows, row 2", est:predict { conv(7, 16, 32), conv("seven", 16, 32) })
refuses("invalid", "no column", est:predict { { colour = "red" } })
refuses("io", "no_such.csv", est:predict("no_such.csv"))
raises("value expected", est.predict, est)
raises("rows is a number", est.predict, est, 5)
raises("not a finite number", est.predict, est, { conv(7, 1 / 0, 32) })

-- evaluation: by hand on the predictions
local scores = assert(est:evaluate(measured))
local sum, squares, within = 0, 0, 0
for i, r in ipairs(measured:rows()) do
    local e = math.abs(predicted[i] / r.latency_us - 1)
    sum = sum + e
    squares = squares + e * e
    within = within + (e <= 0.05 and 1 or 0)
end
equal(scores.n, 40)
equal(math.abs(scores.mape_pct - 100 * sum / 40) < 1e-9, true)
equal(math.abs(scores.rmspe_pct - 100 * (squares / 40) ^ 0.5) < 1e-9, true)
equal(math.abs(scores.within_5_pct - 100 * within / 40) < 1e-9, true)
equal(scores.within_10_pct >= scores.within_5_pct, true)
equal(scores.spearman > 0.9, true)
equal(est:evaluate(measured, "latency_us").mape_pct, scores.mape_pct)
equal(est:evaluate({ measured:row(1) }).spearman, nil)
refuses("invalid", "time_us", est:evaluate(measured, "time_us"))
refuses("invalid", "latency_us", est:evaluate(shapes))

-- networks measured whole
local rows, totals = {}, {}
for i, r in ipairs(measured:rows()) do
    r.net = "net" .. i % 8
    rows[i] = r
end
for k = 0, 7 do
    totals[k + 1] = { net = "net" .. k, whole_us = 10 }
    for i = 1, 40 do
        if i % 8 == k then
            totals[k + 1].whole_us = totals[k + 1].whole_us + 2 * rows[i].latency_us
        end
    end
end
local nets = assert(fit { data = rows, network = "net", totals = totals,
    total_target = "whole_us" }):report().networks
equal(nets.n, 8)
equal(nets.a > 1 and nets.a < 3, true)
equal(nets.measured_sums.mape_pct < 1e-6, true) -- totals are affine in what was measured

-- mistakes in calls, and tables that are wrong
raises("'data' is missing", nasw.fit, { target = "latency_us" })
raises("'target' is missing", nasw.fit, { data = measured })
raises("no option 'tagret'", nasw.fit, { data = measured, tagret = "x" })
raises("option 'target' must be a string", nasw.fit, { data = measured, target = 5 })
raises("belong together", nasw.fit, { data = rows, target = "latency_us", totals = totals })
raises("belong together", nasw.fit, { data = rows, target = "latency_us", network = "net",
    total_target = "whole_us" })
raises("'seed' must be a whole number from 0", nasw.fit, { data = measured,
    target = "latency_us", seed = -1 })
raises("'trees' must be a whole number from 1", nasw.fit, { data = measured,
    target = "latency_us", trees = 1.5 })
raises("'features'", nasw.fit, { data = measured, target = "latency_us", features = { 1 } })
raises("'features'", nasw.fit, { data = measured, target = "latency_us", features = true })
refuses("invalid", "no column time_us", fit { target = "time_us" })
refuses("invalid", "no column colour", fit { group = "colour" })
refuses("invalid", "no column colour", fit { features = "colour" })
refuses("invalid", "holds no rows", fit { data = {} })
refuses("invalid", "data, row 2: latency_us is -1", fit { data = {
    { kernel = "conv", in_c = 1, latency_us = 1 },
    { kernel = "conv", in_c = 2, latency_us = -1 } } })
refuses("invalid", "data, row 1: latency_us is \"fast\"",
    fit { data = { { kernel = "conv", in_c = 1, latency_us = "fast" } } })
refuses("invalid", "no row has a value", fit { data = { conv(7, 8, 8), { latency_us = "" } } })
refuses("invalid", "text of data:2", fit { data = "a,b\n1\n" })
refuses("invalid", "totals", fit { data = rows, network = "net", totals = { { net = "x" } },
    total_target = "whole_us" })
equal(fit({ data = { { kernel = "conv", in_c = 1, latency_us = 1 } } }):report().rows, 1)

-- networks on this hardware
local network = assert(nasw.load("demo"))
local device = assert(nasw.estimate(network, hw, { estimator = "device" }))
equal(device.estimator, "device")
equal(device.extrapolated_kernels, 0)
equal(device.latency_low_us, nil)
equal(device.latency_high_us, nil)
equal(#device.estimator_source > 0, true)
local ours = assert(nasw.estimate(network, hw, { estimator = est }))
equal(ours.estimator, "regression")
equal(ours.estimator_source:find("40 measurements of ne32", 1, true) ~= nil, true)
equal(ours.latency_low_us <= ours.latency_us and ours.latency_us <= ours.latency_high_us, true)
equal(ours.n_unknown, 33) -- depthwise convolutions were not measured
local outside, total = 0, ours.overhead_us
for i, kernel in ipairs(ours:kernels()) do
    outside = outside + (kernel.extrapolated and 1 or 0)
    total = total + (kernel.latency_us or 0)
    equal(device:kernels()[i].extrapolated, false)
end
equal(outside, ours.extrapolated_kernels)
equal(outside > 0, true)
equal(math.abs(total / ours.latency_us - 1) < 1e-9, true)

-- differences
local wide = assert(nasw.estimate(network, hw, { estimator = est, precision = "int16" }))
local change = ours:difference(wide)
equal(math.abs(change.latency_us - (wide.latency_us - ours.latency_us)) < 1e-6, true)
equal(change.low_us < change.high_us, true)
local none = ours:difference(nasw.estimate(network, "ne32", { estimator = est }))
equal(none.latency_us, 0)
equal(none.low_us, 0) -- every kernel cancels; a second description of the same figures is the same
equal(none.high_us, 0)
equal(ours:difference(device).low_us, nil)
equal(device:difference(ours).latency_us, -ours:difference(device).latency_us)
raises("Estimate expected", ours.difference, ours, 5)
raises("Estimate expected", ours.difference, ours)

-- who estimates
raises("no such estimator", nasw.estimate, network, hw, { estimator = "oracle" })
raises("'estimator' is empty", nasw.estimate, network, hw, { estimator = "" })
raises("must be a string or an estimator", nasw.estimate, network, hw, { estimator = hw })
refuses("io", "no_such.json", nasw.estimate(network, hw, { estimator = "no_such.json" }))
refuses("invalid", "there is none for", nasw.estimate(network,
    assert(hw:with { name = "mine" }), { estimator = "regression" }))
refuses("invalid", "other figures than ne64", nasw.estimate(network, "ne64", { estimator = est }))
refuses("invalid", "no unit of time", nasw.estimate(network, hw, { estimator = assert(fit {
    target = "total_cycles", hw = hw }) }))
refuses("io", "no_such.json", nasw.estimator("no_such.json"))
raises("zero byte", nasw.estimator, "a\0b")
raises("string expected", nasw.estimator)

-- closing
local second = assert(nasw.estimate(network, hw, { estimator = est }))
est:close()
est:close()
equal(tostring(est), "estimator (closed)")
raises("the estimator is closed", function() return est.target end)
raises("the estimator is closed", nasw.estimate, network, hw, { estimator = est })
equal(second.latency_us, ours.latency_us)
equal(second.estimator_source, ours.estimator_source)
