-- landscape_demo.lua - why fewer, larger, aligned steps win: one slice of a space three times.
--
--   nasw --script scripts/landscape_demo.lua -- [SPACE [HW [X [Y [PICTURE.svg]]]]]
--
-- SPACE is a space in Lua or any model (default: the built-in detector with the channels of two
-- stages from 8 to 256), HW a description (default ne32), X and Y dimensions of the space. Prints
-- the three panels' table and writes the picture to landscape.svg, or where it is told.
--
-- A: MACs. B: the objective, latency with its score, in single steps on the hardware. C: the same
-- where curation leaves columns and rows. Everything is estimated, nothing was measured on a chip.

local source, hw, x, y, picture = arg[1], arg[2] or "ne32", arg[3], arg[4], arg[5]

local function must(value, message)
    if not value then
        error(message, 0)
    end
    return value
end

local space
if source then
    space = must(nasw.load_space(source))
else
    space = nasw.space{ name = "detector, stages 3 and 4", network = "demo" }
    space:channels{ where = "3", range = { 8, 256 } }
    space:channels{ where = "4", range = { 8, 256 } }
end

-- Without names: the first two dimensions of channels.
local names = {}
for _, dim in ipairs(space:dims()) do
    if dim.kind == "channels" then
        names[#names + 1] = dim.name
    end
end
x, y = x or must(names[1], "no dimension of channels; name X and Y"), y or names[2]

local landscape = must(nasw.landscape(space, hw, { x = x, y = y }))

local function at(point)
    return y and string.format("%s=%s %s=%s", x, point[x], y, point[y])
        or string.format("%s=%s", x, point[x])
end

local function percent(share)
    return string.format("%.1f %%", 100 * share)
end

local TITLES = {
    macs = "A: MACs",
    single = "B: " .. hw .. ", single steps",
    curated = "C: " .. hw .. ", curated",
    shifted = "control: C off the alignment",
    scored_macs = "control: MACs with the score",
}

local rows = {}
for _, name in ipairs(landscape:panels()) do
    local panel = landscape:panel(name)
    rows[#rows + 1] = {
        panel = TITLES[name],
        points = panel.width * panel.height,
        minima = panel.figures.minima,
        ends = at(panel.ends.point),
        looks = panel.evaluations,
        latency = string.format("%.3f", panel.ends.latency_us / 1000),
        mmacs = string.format("%.0f", panel.ends.macs / 1e6),
        objective = string.format("%.4f", panel.ends.objective),
        gap = percent(panel.gap),
        near = percent(panel.near_1pct),
        mean = percent(panel.mean_gap),
    }
end

print(string.format("%s on %s, from %s", space.name, hw, at(landscape.start)))
print((nasw.table(rows, {
    { key = "panel", title = "" },
    { key = "points", title = "points" },
    { key = "minima", title = "minima" },
    { key = "ends", title = "descent ends at" },
    { key = "looks", title = "looks" },
    { key = "latency", title = "ms" },
    { key = "mmacs", title = "MMACs" },
    { key = "objective", title = "objective" },
    { key = "gap", title = "to best" },
    { key = "near", title = "all starts: within 1 %" },
    { key = "mean", title = "mean" },
})))
print(string.format("best of all points in single steps: %s, objective %.4f",
    at(landscape.best.point), landscape.best.objective))

local restarts = landscape.restarts
if restarts then
    print(string.format("control: B with random restarts at C's %d looks, %d runs: %s within 1 %%, "
        .. "mean %s to the best", restarts.evaluations, restarts.runs,
        percent(restarts.near_1pct), percent(restarts.mean_gap)))
    local curated = landscape:panel("curated")
    print(string.format("curated %s: %s", x, table.concat(curated.columns, " ")))
    if y then
        print(string.format("curated %s: %s", y, table.concat(curated.rows, " ")))
    end
end

local path = picture or "landscape.svg"
must(nasw.write(path, landscape:svg()))
print("the picture: " .. path)
