-- parallelism_sweep.lua - how parallel should the array be, and how large its memory?
--
--   nasw --script scripts/parallelism_sweep.lua -- [FILE [HW [PRECISION]]]
--
-- Derives a row of accelerators from HW (default ne32, a dot-product engine): pf_out = pf_in from
-- 8 to 128, what feeds the array (weight rate, output stage, port of the SRAM) growing with it, and
-- SRAM from 256 KiB to 8 MiB. The DRAM stays as it is: that is where growing stops paying.
--
-- The knee of a line is where its last doubling that still saves SAVING of the latency ends.

local SAVING = 0.15
local FACTORS = { 8, 16, 32, 64, 128 }
local SRAM_KIB = { 256, 512, 1024, 2048, 4096, 8192 }

local path, hw_name, precision = arg[1] or "demo", arg[2] or "ne32", arg[3]

local function must(value, message)
    if not value then
        error(message, 0)
    end
    return value
end

local network = must(nasw.load(path))
local base = must(nasw.hw(hw_name))
if base:get("array.kind") ~= "dot" then
    error(hw_name .. ": wanted a dot-product engine (array.kind), as ne32", 0)
end
local base_factor = base:get("array.pf_out")

-- Rates of what feeds the array, which an array twice as wide needs twice as fast.
local SCALED = {
    "array.weight_rate", "out_elements_per_cycle", "lut_elements_per_cycle",
    "add_elements_per_cycle", "mul_elements_per_cycle", "requantise_elements_per_cycle",
    "sram.read_bytes_per_cycle", "sram.write_bytes_per_cycle",
}

-- Puts value at "a.b" of a table of tables.
local function set(figures, key, value)
    local group, name = key:match("^(.-)%.(.+)$")
    if not group then
        figures[key] = value
        return
    end
    figures[group] = figures[group] or {}
    figures[group][name] = value
end

local function derive(factor, sram_kib)
    local figures = { name = string.format("%s-pf%d-%dK", base.name, factor, sram_kib) }
    for _, key in ipairs(SCALED) do
        set(figures, key, base:get(key) * factor / base_factor)
    end
    set(figures, "array.pf_out", factor)
    set(figures, "array.pf_in", factor)
    set(figures, "array.in_chunk", factor)
    set(figures, "array.in_round", factor)
    set(figures, "sram.align_channels", factor)
    set(figures, "sram.bytes", sram_kib * 1024)
    return must(base:with(figures))
end

local grid = {}
for i, factor in ipairs(FACTORS) do
    grid[i] = {}
    for j, sram_kib in ipairs(SRAM_KIB) do
        grid[i][j] = must(nasw.estimate(network, derive(factor, sram_kib),
            { estimator = "device", precision = precision }))
    end
end

-- A table of one figure: a row a factor, a column a size of the SRAM.
local function print_figure(title, format, value)
    local rows, columns = {}, { { key = "factor", title = "pf \\ KiB" } }
    for j, sram_kib in ipairs(SRAM_KIB) do
        columns[#columns + 1] = { key = j, title = tostring(sram_kib), format = format }
    end
    for i, factor in ipairs(FACTORS) do
        rows[i] = { factor = factor }
        for j in ipairs(SRAM_KIB) do
            rows[i][j] = value(grid[i][j])
        end
    end
    print(title)
    print((nasw.table(rows, columns)))
end

-- Index of the knee of n latencies.
local function find_knee(n, latency)
    for k = n, 2, -1 do
        if 1 - latency(k) / latency(k - 1) >= SAVING then
            return k
        end
    end
    return 1
end

local function describe_knee(what, values, latency)
    local n = #values
    local knee = find_knee(n, latency)
    if knee == n then
        return string.format("%s: no knee up to %d, the last doubling still saves %.0f%%", what,
            values[n], 100 * (1 - latency(n) / latency(n - 1)))
    end
    local saved = 100 * (1 - latency(knee + 1) / latency(knee))
    return string.format("%s: knee at %d; going on to %d %s %.1f%%", what, values[knee],
        values[knee + 1], saved < 0 and "costs" or "saves", math.abs(saved))
end

print(string.format("%s on %s with pf_out = pf_in and SRAM varied; %s, DRAM %g bytes a cycle", path,
    base.name, grid[1][1].precision, base:get("dram.bytes_per_cycle")))
print("Simulated, not calibrated against a chip.\n")
print_figure("latency, us", "%.1f", function(e) return e.latency_us end)
print_figure("utilisation, %", "%.1f", function(e)
    return e.utilisation and 100 * e.utilisation
end)
print_figure("energy, uJ", "%.1f", function(e) return e.energy_uj end)

if not grid[1][1].latency_us then
    error(path .. ": no kernel of known cost, so no knee", 0)
end
print(string.format("The knee is the last doubling that still saves %.0f%% of the latency.",
    100 * SAVING))
for j, sram_kib in ipairs(SRAM_KIB) do
    print("  " .. describe_knee(string.format("parallelism at %d KiB", sram_kib), FACTORS,
        function(i) return grid[i][j].latency_us end))
end
for i, factor in ipairs(FACTORS) do
    print("  " .. describe_knee(string.format("SRAM in KiB at pf %d", factor), SRAM_KIB,
        function(j) return grid[i][j].latency_us end))
end
