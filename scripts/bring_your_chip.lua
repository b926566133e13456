-- bring_your_chip.lua - from a table of measured kernels to the latency of whole networks.
--
--   nasw --script scripts/bring_your_chip.lua -- emit FOLDER [HW]
--   nasw --script scripts/bring_your_chip.lua -- [RESULTS [HW [NETWORK [MODEL]]]]
--
--   emit     writes a single-kernel ONNX model for each kernel below, and manifest.csv: measure
--            them with the chip's own tools and fill in its column latency_us
--   RESULTS  where the measurements come from:
--            FOLDER/manifest.csv  that table, or any other with its columns
--            simulated            (default) the simulated device of HW plays the part of the chip
--            cpu                  this machine, for real, on one thread; rows are kept in
--                                 CPU_RESULTS below, and a run that was stopped goes on there
--   HW       the description nearest to the chip, default ne32 (cpu: cpu-onednn). Features such as
--            padded channels and tiles come from it; its figures need not be exact.
--   NETWORK  what to estimate in the end, default the built-in demo
--   MODEL    a file for the fitted estimator, below the working folder: then
--            `nasw estimate FILE --hw HW --estimator MODEL` uses it
--
-- A network is never compiled and never run: it is split into the kernels that the chip would
-- execute, each is predicted from measurements of others like it, and the predictions are summed.

local CPU_RESULTS = "bring_your_chip_cpu.csv"

local results, hw_name, path, model = arg[1] or "simulated", arg[2], arg[3] or "demo", arg[4]
local folder
if results == "emit" then
    folder, hw_name = arg[2], arg[3]
    if not folder then
        error("usage: nasw --script scripts/bring_your_chip.lua -- emit FOLDER [HW]", 0)
    end
end
hw_name = hw_name or (results == "cpu" and "cpu-onednn" or "ne32")

-- What the world refuses ends the script with its message.
local function must(value, message)
    if not value then
        error(message, 0)
    end
    return value
end

-- ---- 1. which kernels ------------------------------------------------------------------------

-- A regression knows what it has seen: the kernels of networks like those to come, at the sizes
-- where they stand in them, wider and narrower. These are a detector's: a backbone of inverted
-- bottlenecks, further maps behind it, and a head on each map.

local STAGES = { -- side of the map; channels between blocks and inside of them
    { side = 160, outer = 16, inner = 32 }, { side = 80, outer = 24, inner = 144 },
    { side = 40, outer = 32, inner = 192 }, { side = 20, outer = 64, inner = 384 },
    { side = 20, outer = 96, inner = 576 }, { side = 10, outer = 160, inner = 960 },
}
local EXTRAS = { -- each makes a map half as large: side before; channels in, inside, out
    { side = 10, 1280, 256, 512 }, { side = 5, 512, 128, 256 }, { side = 3, 256, 128, 256 },
    { side = 2, 256, 64, 128 },
}
local HEADS = { -- side and channels of the maps that boxes and classes are read from
    { side = 20, 96 }, { side = 10, 1280 }, { side = 5, 512 }, { side = 3, 256 },
    { side = 2, 256 }, { side = 1, 128 },
}
local OUTPUTS = { 6, 12, 24, 126 } -- of a head: anchors x (classes or coordinates)
local WIDTHS = { 0.5, 0.75, 1, 1.5, 2 }
local BITS = results == "cpu" and 32 or 8

-- As networks do it: a multiple of eight channels.
local function widen(channels, width)
    return math.max(8, channels * width // 8 * 8)
end

local shapes, seen = {}, {}

-- A kernel once, whatever the number of blocks that have it. act: of the output stage.
local function add(kernel, side, in_c, out_c, window, stride)
    local out = math.ceil(side / stride)
    local key = table.concat({ kernel, side, in_c, out_c, window, stride }, " ")
    if seen[key] then
        return
    end
    seen[key] = true
    shapes[#shapes + 1] = { kernel = kernel, in_h = side, in_w = side, in_c = in_c, out_h = out,
        out_w = out, out_c = out_c, kernel_h = window, kernel_w = window, stride_h = stride,
        stride_w = stride, groups = kernel:find("dw") and in_c or 1, bits = BITS,
        act = kernel:find("act") and "relu6" or "none", residual = kernel:find("add") and 1 or 0 }
end

for _, width in ipairs(WIDTHS) do
    add("conv+act", 320, 3, widen(32, width), 3, 2)
    for i, stage in ipairs(STAGES) do
        local outer, inner = widen(stage.outer, width), widen(stage.inner, width)
        local after = STAGES[i + 1]
        add("conv+act", stage.side, outer, inner, 1, 1)
        add("dwconv+act", stage.side, inner, inner, 3, 1)
        add("conv", stage.side, inner, outer, 1, 1)
        add("conv+add", stage.side, inner, outer, 1, 1)
        if after then
            local stride = stage.side // after.side
            add("dwconv+act", stage.side, inner, inner, 3, stride)
            add("conv", after.side, inner, widen(after.outer, width), 1, 1)
        end
    end
    add("conv+act", 10, widen(320, width), widen(1280, width), 1, 1)
    for _, extra in ipairs(EXTRAS) do
        local a, b, c = widen(extra[1], width), widen(extra[2], width), widen(extra[3], width)
        add("conv+act", extra.side, a, b, 1, 1)
        add("dwconv+act", extra.side, b, b, 3, 2)
        add("conv+act", math.ceil(extra.side / 2), b, c, 1, 1)
    end
    for _, head in ipairs(HEADS) do
        local c = widen(head[1], width)
        add("dwconv+act", head.side, c, c, 3, 1)
        for _, out_c in ipairs(OUTPUTS) do
            add("conv", head.side, c, out_c, 1, 1)
        end
    end
end

-- ---- 2. measured ------------------------------------------------------------------------------

local hw = must(nasw.hw(hw_name))

-- On a real chip this is the user's part: the models go to its compiler, the latencies come back.
if folder then
    local manifest = must(nasw.measure { shapes = shapes, emit = folder, hw = hw })
    print(("%d models in %s; measure them and fill in latency_us of manifest.csv, then:"):format(
        #manifest, folder))
    print(("  nasw --script scripts/bring_your_chip.lua -- %s/manifest.csv %s"):format(folder,
        hw_name))
    return
end

local data
if results == "simulated" then
    data = must(nasw.measure { hw = hw, shapes = shapes })
elseif results == "cpu" then
    print(("measuring %d kernels on this CPU, some tenths of a second each"):format(#shapes))
    data = must(nasw.measure { cpu = true, shapes = shapes, path = CPU_RESULTS })
else
    data = results
end

-- ---- 3. fitted, and how right it is -----------------------------------------------------------

-- A model per type of kernel. Each row is predicted by models that have not seen its shape: what
-- those errors are is what to expect of kernels that were never measured. Beside them stands what
-- a rule without training would score; where that is no worse, the table is too small.

local estimator = must(nasw.fit { data = data, target = "latency_us", hw = hw })
local report = estimator:report()
local origin = report.provenance
print(("%d rows measured on %s (%s)\n"):format(report.rows,
    origin.device ~= "" and origin.device or origin.file,
    origin.source ~= "" and origin.source or "source not given"))

local rows = {}
for i, group in ipairs(report.groups) do
    rows[i] = { type = group.name, rows = group.rows, mape = group.out_of_fold.mape_pct,
        within = group.out_of_fold.within_10_pct, spearman = group.out_of_fold.spearman,
        macs = group.macs_alone.mape_pct, roofline = group.roofline.mape_pct }
end
print("Out of fold, errors in percent of what was measured")
print((nasw.table(rows, {
    "type",
    "rows",
    { key = "mape", title = "MAPE %", format = "%.1f" },
    { key = "within", title = "within 10 %", format = "%.0f" },
    { key = "spearman", title = "Spearman", format = "%.3f" },
    { key = "macs", title = "MACs alone %", format = "%.1f" },
    { key = "roofline", title = "roofline %", format = "%.1f" },
})))

-- The worst rows say what to measure more of (estimator:text() shows ten of each type).
print("The worst rows")
for _, group in ipairs(report.groups) do
    local worst = group.worst[1]
    if worst then
        print(("  %-8s %+6.1f %%  measured %.4g, predicted %.4g: %s"):format(group.name,
            100 * (worst.predicted / worst.measured - 1), worst.measured, worst.predicted,
            worst.what))
    end
end

-- ---- 4. a network -----------------------------------------------------------------------------

-- The band says what the sum of the kernels may be off by. A kernel is extrapolated where its sizes
-- or the memories it uses lie outside of what was measured: the model guesses there, and neither
-- its latency nor the band means much until such kernels are among the rows.

local network = must(nasw.load(path))
local ours = must(nasw.estimate(network, hw, { estimator = estimator }))
local device = must(nasw.estimate(network, hw, { estimator = "device" }))

local function show(us)
    return us and ("%.3f ms"):format(us / 1e3) or "?"
end

print(("\n%s on %s, %d kernels"):format(path, hw.name, ours.n_kernels))
print(("  fitted   %s, 90 %% band %s to %s; %d kernels extrapolated, %d of a type not measured")
    :format(show(ours.latency_us), show(ours.latency_low_us), show(ours.latency_high_us),
        ours.extrapolated_kernels, ours.n_unknown))
print(("  device   %s, %s"):format(show(device.latency_us), device.estimator_source))

-- ---- 5. where the two differ ------------------------------------------------------------------

local theirs, by_type, types = device:kernels(), {}, {}
for i, kernel in ipairs(ours:kernels()) do
    if kernel.latency_us and theirs[i].latency_us and kernel.type ~= "view" then
        local sum = by_type[kernel.type]
        if not sum then
            sum = { type = kernel.type, n = 0, outside = 0, fitted = 0, device = 0 }
            by_type[kernel.type] = sum
            types[#types + 1] = sum
        end
        sum.n = sum.n + 1
        sum.outside = sum.outside + (kernel.extrapolated and 1 or 0)
        sum.fitted = sum.fitted + kernel.latency_us
        sum.device = sum.device + theirs[i].latency_us
    end
end
table.sort(types, function(a, b) return a.type < b.type end)
for _, sum in ipairs(types) do
    sum.change = 100 * (sum.fitted / sum.device - 1)
end
print()
print((nasw.table(types, {
    "type",
    { key = "n", title = "kernels" },
    { key = "outside", title = "extrapolated" },
    { key = "fitted", title = "fitted us", format = "%.1f" },
    { key = "device", title = "device us", format = "%.1f" },
    { key = "change", title = "fitted / device %", format = "%+.1f" },
})))
if results ~= "simulated" then
    print("The device is the description's simulation, no measurement: it differs from the chip.")
end

if model then
    must(estimator:write(model))
    print(("written: nasw estimate %s --hw %s --estimator %s"):format(path, hw_name, model))
end
