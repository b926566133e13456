-- Networks of random layers: whatever is built seals, is lifted and counted; whatever is refused is
-- refused in one line. Seeded, so that a failure comes again.

local seed = 20
local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % n + 1
end

local function pick(list)
    return list[random(#list)]
end

local odd = {-1, 0, 1.5, 65536, 65537, 1 << 62, 0 / 0, 1 / 0, "3", {}, false}
local function figure(list)
    return random(40) == 1 and pick(odd) or pick(list)
end

local channels, kernels = {1, 2, 3, 8, 16, 24, 31, 64, 100}, {1, 2, 3, 4, 5, 7, 63}
local acts = {"relu6", "relu", "hard_swish", "swish", "sigmoid", "hard_sigmoid", "tanh", "gelu",
              "none"}
local kinds = {"conv", "depthwise", "ibn", "fused", "grouped", "fused_grouped", "tucker", "dsep",
               "add", "mul", "concat", "pool", "global_pool", "resize", "act", "sigmoid",
               "softmax", "fc", "classifier", "extra", "ssd_head", "lraspp"}
local takes = {
    c = channels, k = kernels, s = {1, 2, 3, 16}, d = {1, 2, 5}, groups = {1, 2, 8},
    group_c = {1, 4, 8, 64}, e = {0.1, 1, 1.3, 4, 6}, mid = channels, n = {1, 2, 3},
    se = {0, 0.25, 3}, se_c = channels, act = acts, gate = acts, rank_in = {0.1, 1, 2},
    residual = {true, false}, classes = channels, hidden = channels, anchors = {1, 3, 6},
    factor = {1, 2, 3}, kind = {"max", "mean"}, mode = {"bilinear", "nearest"},
}
local of = {
    conv = {"c", "k", "s", "d", "groups", "act", "n"}, depthwise = {"k", "s", "d", "act"},
    ibn = {"c", "e", "k", "s", "se", "gate", "act", "residual", "n", "mid"},
    fused = {"c", "e", "k", "s", "se", "act", "n", "se_c"},
    grouped = {"c", "e", "k", "s", "group_c", "act"},
    fused_grouped = {"c", "e", "k", "s", "group_c"}, tucker = {"c", "k", "s", "rank_in", "act"},
    dsep = {"c", "k", "s", "se"}, add = {"act"}, mul = {"act"}, pool = {"k", "s", "kind"},
    resize = {"factor", "mode"}, act = {"act"}, fc = {"c", "act"},
    classifier = {"classes", "hidden"}, extra = {"c", "s"}, ssd_head = {"classes", "anchors", "k"},
    lraspp = {"classes", "mid"},
}

local function layer(kind, maps)
    local t = {}
    local n_maps = (kind == "add" or kind == "mul") and 2 or
                   (kind == "concat" or kind == "ssd_head") and random(3) or random(2) - 1
    if kind == "lraspp" then
        t.high, t.low, n_maps = pick(maps), pick(maps), 0
    end
    for i = 1, n_maps do
        t[i] = pick(maps)
    end
    for _, key in ipairs(of[kind] or {}) do
        if random(3) > 1 or key == "c" or key == "classes" or key == "anchors" then
            t[key] = figure(takes[key])
        end
    end
    return t
end

local ROUNDS = 1500
local n_built, n_refused = 0, 0
for _ = 1, ROUNDS do
    local input = {figure{1, 7, 16, 32}, figure{1, 8, 15, 64}, figure{1, 3, 8, 24}}
    local good, what = pcall(nasw.build, "random", {input = input, act = pick(acts)}, function(b)
        local maps, open = {b.input}, {}
        for _ = 1, random(6) do
            local kind = pick(kinds)
            local x, y = b[kind](b, layer(kind, maps))
            maps[#maps + 1] = x
            maps[#maps + 1] = y
        end
        for i = 2, #maps do
            if random(2) == 1 then
                open[#open + 1] = maps[i]
            end
        end
        if #open > 0 then
            return table.unpack(open)
        end
    end)
    if good then
        n_built = n_built + 1
        assert(what.macs >= 0 and #what:blocks() > 0 and what.recognised <= 1)
        what:groups()
        assert(nasw.estimate(what, "ne32", {estimator = "device"}))
        what:close()
    else
        n_refused = n_refused + 1
        assert(type(what) == "string" and not what:find("\n"), what)
    end
end
if n_built < ROUNDS // 20 or n_refused < ROUNDS // 20 then
    error(n_built .. " built, " .. n_refused .. " refused")
end
