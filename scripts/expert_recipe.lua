-- expert_recipe.lua - the expert's recipe on real networks: fuse where it helps, reduce and align
-- channels, and what each step gives on one hardware.
--
--   nasw --script scripts/expert_recipe.lua -- [HW] [FILE...]
--
-- Every step is an edit of the whole network, estimated again. An edit stays only if it is faster
-- by more than the estimator can tell (its 90 % band is below 0; the simulated device has no band).
-- No network is trained here: what the edits do to accuracy, nobody has measured.

local hw_name = arg[1] or "ne64"
local paths = {}
for i = 2, #arg do
    paths[#paths + 1] = arg[i]
end
if #paths == 0 then
    paths = { "demo" }
end

local hw, problem = nasw.hw(hw_name)
if not hw then
    error(problem, 0)
end
-- The step that channels should keep to: output channels in parallel, and what memory pads to.
local STEP = math.max(hw:get("array.pf_out") or 1, 8)

local function estimate(network)
    return assert(nasw.estimate(network, hw))
end

-- Faster beyond what the estimator can tell.
local function is_faster(before, after)
    local difference = before:difference(after)
    return difference.latency_us and (difference.high_us or difference.latency_us) < 0
end

-- Tries each choice on top of those that stayed: of its edits the first that helps.
local function keep_what_helps(network, choices)
    local now, n_kept, n_slower, n_refused = estimate(network), 0, 0, 0
    for _, choice in ipairs(choices) do
        local kept, possible = false, false
        for _, edit in ipairs(choice) do
            local edited = not kept and network:edit(edit)
            local after = edited and estimate(edited)
            possible = possible or after ~= nil and after ~= false
            if after and is_faster(now, after) then
                network, now, kept = edited, after, true
            end
        end
        n_kept = n_kept + (kept and 1 or 0)
        n_slower = n_slower + (possible and not kept and 1 or 0)
        n_refused = n_refused + (possible and 0 or 1)
    end
    return network, now, n_kept, n_slower, n_refused
end

-- Inverted bottlenecks fused: with the expansion they have, else with 4, the published one of fused
-- blocks (MobileNetEdgeTPU, EfficientNet-EdgeTPU), where that is less.
local function list_fusions(network)
    local choices = {}
    for _, block in ipairs(network:blocks { type = "ibn" }) do
        local choice = { "variant " .. block.label .. " fused" }
        if block.expansion > 4 then
            choice[2] = choice[1] .. " e=4"
        end
        choices[#choices + 1] = choice
    end
    return choices
end

-- Output channels of each stage and expanded channels of each block: down to the step, where that
-- takes at most a quarter of them.
local function list_alignments(network)
    local choices, seen = {}, {}
    for _, block in ipairs(network:blocks()) do
        local c, mid = block.out_c, block.mid_c
        local down, mid_down = c - c % STEP, mid - mid % STEP
        if down ~= c and down >= 0.75 * c and not seen[block.stage] then
            seen[block.stage] = true
            choices[#choices + 1] = { string.format("channels %s %d", block.label, down) }
        end
        if block.expansion > 1 and mid_down ~= mid and mid_down >= 0.75 * mid then
            choices[#choices + 1] = { string.format("expansion %s c=%d", block.label, mid_down) }
        end
    end
    return choices
end

local function describe(step, network, cost, base, edits)
    return {
        step = step,
        edits = edits,
        latency_ms = cost.latency_us / 1e3,
        change = 100 * (cost.latency_us / base.latency_us - 1),
        mmacs = network.macs / 1e6,
        mparams = network.params / 1e6,
        peak_kib = cost.peak_live_bytes / 1024,
        util = 100 * cost.utilisation,
    }
end

local COLUMNS = {
    "step",
    "edits",
    { key = "latency_ms", title = "latency ms", format = "%.3f" },
    { key = "change", title = "change %", format = "%+.1f" },
    { key = "mmacs", title = "MMAC", format = "%.1f" },
    { key = "mparams", title = "Mparams", format = "%.3f" },
    { key = "peak_kib", title = "peak KiB", format = "%.0f" },
    { key = "util", title = "util %", format = "%.1f" },
}

for _, path in ipairs(paths) do
    local network = assert(nasw.load(path))
    local base = estimate(network)
    print(string.format("%s on %s, by %s, %s", path, hw.name, base.estimator, base.precision))
    local rows = { describe("as it is", network, base, base, 0) }
    local fused, cost, n_fused, n_slow = keep_what_helps(network, list_fusions(network))
    rows[#rows + 1] = describe("fuse where it helps", fused, cost, base, n_fused)
    local aligned, end_cost, n_aligned, n_idle, n_refused =
        keep_what_helps(fused, list_alignments(fused))
    rows[#rows + 1] =
        describe("reduce to multiples of " .. STEP, aligned, end_cost, base, n_aligned)
    print((nasw.table(rows, COLUMNS)))
    print(string.format("not faster fused: %d; not faster reduced: %d, refused: %d", n_slow, n_idle,
        n_refused))
    for _, line in ipairs(aligned:edits()) do
        print("  " .. line)
    end
    print()
end
