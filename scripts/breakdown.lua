-- breakdown.lua - one network on every hardware description: what it costs and where.
--
--   nasw --script scripts/breakdown.lua -- FILE [PRECISION]
--
-- Latency is the simulated device's, not calibrated against chips; energy uses the literature's
-- figures. "bound by" is where the time goes by cause: each kernel's time counts for its bound.

local N_WORST = 3

local path = arg[1]
if not path then
    error("usage: nasw --script scripts/breakdown.lua -- FILE [PRECISION]", 0)
end
local network, why = nasw.load(path)
if not network then
    error(why, 0)
end

local function by_latency(a, b)
    if a.latency_us ~= b.latency_us then
        return a.latency_us > b.latency_us
    end
    return a.index < b.index
end

-- The kernels of known cost, slowest first.
local function sort_kernels(estimate)
    local known = {}
    for _, kernel in ipairs(estimate:kernels()) do
        if kernel.latency_us then
            known[#known + 1] = kernel
        end
    end
    table.sort(known, by_latency)
    return known
end

-- "compute 71%, dram 20%": the causes of at least a twentieth of the time, largest first.
local function describe_bounds(estimate, kernels)
    local by_bound, names, parts = {}, {}, {}
    for _, kernel in ipairs(kernels) do
        if not by_bound[kernel.bound] then
            by_bound[kernel.bound] = 0
            names[#names + 1] = kernel.bound
        end
        by_bound[kernel.bound] = by_bound[kernel.bound] + kernel.latency_us
    end
    table.sort(names, function(a, b)
        return by_bound[a] > by_bound[b] or (by_bound[a] == by_bound[b] and a < b)
    end)
    for _, name in ipairs(names) do
        local share = by_bound[name] / estimate.latency_us
        if share >= 0.05 then
            parts[#parts + 1] = string.format("%s %.0f%%", name, 100 * share)
        end
    end
    return table.concat(parts, ", ")
end

local function describe_fit(estimate)
    if not estimate.fits then
        return "no"
    end
    return estimate.n_unknown > 0 and estimate.n_unknown .. " unknown" or "yes"
end

local rows, worst, remarks = {}, {}, {}
for _, name in ipairs(nasw.hw_names()) do
    local estimate, problem = nasw.estimate(network, name,
        { estimator = "device", precision = arg[2] })
    if not estimate then
        remarks[#remarks + 1] = name .. ": " .. problem
        rows[#rows + 1] = { hw = name }
    else
        local kernels = sort_kernels(estimate)
        rows[#rows + 1] = {
            hw = name,
            precision = estimate.precision,
            latency_ms = estimate.latency_us and estimate.latency_us / 1e3,
            energy_mj = estimate.energy_uj and estimate.energy_uj / 1e3,
            util = estimate.utilisation and 100 * estimate.utilisation,
            peak_kib = estimate.peak_live_bytes / 1024,
            dram_mib = estimate.dram_bytes / 1048576,
            switches = estimate.host_switches,
            fits = describe_fit(estimate),
            bounds = estimate.latency_us and describe_bounds(estimate, kernels),
        }
        for i = 1, math.min(N_WORST, estimate.latency_us and #kernels or 0) do
            local kernel = kernels[i]
            worst[#worst + 1] = {
                hw = i == 1 and name or "",
                share = 100 * kernel.latency_us / estimate.latency_us,
                us = kernel.latency_us,
                type = kernel.type,
                name = kernel.name,
                why = kernel.why,
            }
        end
        if not estimate.fits then
            remarks[#remarks + 1] = name .. ": " .. estimate.reason
        end
        estimate:close()
    end
end

print(string.format("%s (%s): %.1f MMAC, %.2f M parameters, %d operators", path, network.format,
    network.macs / 1e6, network.params / 1e6, network.n_ops))
print()
print((nasw.table(rows, {
    "hw",
    { key = "precision", title = "precision" },
    { key = "latency_ms", title = "latency ms", format = "%.3f" },
    { key = "energy_mj", title = "energy mJ", format = "%.3f" },
    { key = "util", title = "util %", format = "%.1f" },
    { key = "peak_kib", title = "peak KiB", format = "%.0f" },
    { key = "dram_mib", title = "DRAM MiB", format = "%.2f" },
    { key = "switches", title = "to host" },
    "fits",
    { key = "bounds", title = "bound by" },
})))
print("the slowest kernels")
print((nasw.table(worst, {
    "hw",
    { key = "share", title = "share %", format = "%.1f" },
    { key = "us", title = "us", format = "%.1f" },
    { key = "type", title = "kernel" },
    "name",
    "why",
})))
for _, remark in ipairs(remarks) do
    print(remark)
end
