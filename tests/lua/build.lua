-- What nasw.d.lua says of nasw.build. Networks of other people, layer by layer, have the counts
-- that their authors publish or that other tools count in their files:
--   MobileNetV2: tensorflow/models, research/slim/nets/mobilenet/README.md (M MACs, M weights of
--   1001 classes); LR-ASPP and SSDLite on MobileNetV3: torchvision's, counted in their ONNX files
--   (shared/models/*.truth.json: macs_total, weight_params); VWW: MLPerf Tiny's, likewise.

local function near(what, got, wanted, tolerance)
    if math.abs(got - wanted) > tolerance then
        error(("%s: %s, not %s"):format(what, got, wanted), 2)
    end
end

local function equal(what, got, wanted)
    if got ~= wanted then
        error(("%s: %s, not %s"):format(what, got, wanted), 2)
    end
end

-- ---- MobileNetV2 ----

-- To a multiple of 8, never below nine tenths (slim's make_divisible).
local function divisible(c)
    local n = math.max(8, math.floor(c + 4) // 8 * 8)
    return n < 0.9 * c and n + 8 or n
end

local function mobilenet_v2(width, side)
    return nasw.build("mobilenet v2", {input = {side, side, 3}}, function(b)
        b:conv{c = divisible(32 * width), s = 2}
        for _, row in ipairs{{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}} do
            b:ibn{e = row[1], c = divisible(row[2] * width), n = row[3], s = row[4]}
        end
        b:conv{c = width > 1 and divisible(1280 * width) or 1280, k = 1}
        b:classifier{classes = 1001}
    end)
end

for _, row in ipairs{{1.0, 224, 300, 3.47}, {1.0, 96, 56, 3.47}, {0.35, 224, 59, 1.66},
                     {0.75, 160, 107, 2.61}, {1.4, 224, 582, 6.06}} do
    local net = mobilenet_v2(row[1], row[2])
    near("MACs of " .. row[1], net.macs / 1e6, row[3], 1)
    near("weights of " .. row[1], net.weight_params / 1e6, row[4], 0.0051)
    net:close()
end

-- ---- MobileNetV3 of torchvision ----

local function v3(b, rows)
    local maps = {}
    for i, row in ipairs(rows) do
        maps[i] = b:ibn{c = row.c, mid = row.mid, k = row.k or 3, s = row.s, d = row.d,
                        se_c = row.se, act = row.act, gate = "hard_sigmoid"}
    end
    return maps
end

local lraspp = nasw.build("lraspp", {input = {256, 256, 3}, act = "hard_swish"}, function(b)
    b:conv{c = 16, s = 2}
    local maps = v3(b, {
        {mid = 16, c = 16, s = 2, se = 8, act = "relu"},
        {mid = 72, c = 24, s = 2, act = "relu"},
        {mid = 88, c = 24, act = "relu"},
        {mid = 96, c = 40, k = 5, s = 2, se = 24},
        {mid = 240, c = 40, k = 5, se = 64},
        {mid = 240, c = 40, k = 5, se = 64},
        {mid = 120, c = 48, k = 5, se = 32},
        {mid = 144, c = 48, k = 5, se = 40},
        {mid = 288, c = 96, k = 5, d = 2, se = 72},
        {mid = 576, c = 96, k = 5, d = 2, se = 144},
        {mid = 576, c = 96, k = 5, d = 2, se = 144},
    })
    local last = b:conv{c = 576, k = 1}
    return b:lraspp{high = last, low = maps[3], classes = 19, act = "relu"}
end)
equal("MACs of LR-ASPP", lraspp.macs, 158771200)
equal("weights of LR-ASPP", lraspp.weight_params, 1062352)
equal("output of LR-ASPP", table.concat(lraspp:outputs()[1].shape, " "), "1 256 256 19")
equal("recognised", lraspp.recognised, 1)

local ssd = nasw.build("ssdlite", {input = {320, 320, 3}, act = "hard_swish"}, function(b)
    b:conv{c = 16, s = 2}
    v3(b, {
        {mid = 16, c = 16, act = "relu"},
        {mid = 64, c = 24, s = 2, act = "relu"},
        {mid = 72, c = 24, act = "relu"},
        {mid = 72, c = 40, k = 5, s = 2, se = 24, act = "relu"},
        {mid = 120, c = 40, k = 5, se = 32, act = "relu"},
        {mid = 120, c = 40, k = 5, se = 32, act = "relu"},
        {mid = 240, c = 80, s = 2},
        {mid = 200, c = 80},
        {mid = 184, c = 80},
        {mid = 184, c = 80},
        {mid = 480, c = 112, se = 120},
        {mid = 672, c = 112, se = 168},
    })
    -- the first head reads the expanded channels of a block
    local maps = {b:conv{c = 672, k = 1}}
    b:ibn{c = 80, e = 1, k = 5, s = 2, se_c = 168}
    v3(b, {{mid = 480, c = 80, k = 5, se = 120}, {mid = 480, c = 80, k = 5, se = 120}})
    maps[2] = b:conv{c = 480, k = 1}
    for i, c in ipairs{512, 256, 256, 128} do
        maps[2 + i] = b:extra{c = c, act = "relu6"}
    end
    return b:ssd_head{maps = maps, classes = 2, anchors = 6, act = "relu6"}
end)
equal("MACs of SSDLite", ssd.macs, 405320000)
equal("weights of SSDLite", ssd.weight_params, 2169480)
equal("classes", table.concat(ssd:outputs()[1].shape, " "), "1 3234 2")
equal("boxes", table.concat(ssd:outputs()[2].shape, " "), "1 3234 4")

-- ---- MobileNetV1, as MLPerf Tiny has it ----

local vww = nasw.build("vww", {input = {96, 96, 3}, act = "relu"}, function(b)
    b:conv{c = 8, s = 2}
    b:dsep{c = 16}
    b:dsep{c = 32, s = 2}
    b:dsep{c = 32}
    b:dsep{c = 64, s = 2}
    b:dsep{c = 64}
    b:dsep{c = 128, s = 2}
    b:dsep{c = 128, n = 5}
    b:dsep{c = 256, s = 2}
    b:dsep{c = 256}
    b:classifier{classes = 2}
    return b:softmax()
end)
equal("MACs of VWW", vww.macs, 7489664)
equal("weights of VWW", vww.weight_params, 208112)
equal("parameters of VWW", vww.params, 208112 + 2738)

-- ---- the same blocks as in the files, where those are ----

local SHARED = arg and arg[1] -- the folder of those files
if SHARED then
    local function same_blocks(net, file)
        local theirs = assert(nasw.load(SHARED .. file))
        local function sorted(of)
            local list = {}
            for _, block in ipairs(of:blocks()) do
                -- how heads go on and a whole map is pooled is a matter of the file
                if block.type ~= "op" and block.type ~= "pool" then
                    list[#list + 1] = block.text
                end
            end
            table.sort(list)
            return table.concat(list, "\n")
        end
        equal(file, sorted(net), sorted(theirs))
    end
    same_blocks(lraspp, "tv_lraspp_mobilenet_v3_small_256.onnx")
    same_blocks(ssd, "tv_ssdlite320_mobilenet_v3_large_2cls.onnx")
    same_blocks(vww, "mlperf_tiny_vww_96_float.tflite")
end

-- ---- layers one by one: counts by hand ----

local function one(options, layers)
    return nasw.build("one", options, layers)
end

-- A block as lifting says it; not at the network's ends, which may be a stem and a head.
local function block(options, kind, layer)
    local net = nasw.build("block", options, function(b)
        b:conv{c = options.input[3], k = 1}
        b[kind](b, layer)
        b:classifier{classes = 2}
    end)
    return net:blocks()[2].text
end

local input = {input = {16, 16, 8}}
equal("conv", one(input, function(b) b:conv{c = 16, k = 5, s = 2} end).macs, 8 * 8 * 25 * 8 * 16)
equal("groups", one(input, function(b) b:conv{c = 16, groups = 4} end).macs,
      16 * 16 * 9 * 2 * 16)
equal("three in a row", one(input, function(b) b:conv{c = 8, n = 3, s = 2} end).macs,
      3 * 8 * 8 * 9 * 64)
equal("ibn", block(input, "ibn", {c = 8, e = 4, k = 5}),
      "ibn k5 s1 e4 8->8 res")
equal("no residual", block(input, "ibn", {c = 8, e = 4, residual = false}),
      "ibn k3 s1 e4 8->8")
equal("squeeze", block(input, "ibn", {c = 8, e = 4, se = 0.5}),
      "ibn k3 s1 e4 8->8 se4 res")
equal("fused", block(input, "fused", {c = 16, e = 4, s = 2}),
      "fused k3 s2 e4 8->16")
local wide = {input = {16, 16, 32}}
equal("grouped", block(wide, "grouped", {c = 32, e = 4, group_c = 32}),
      "grouped k3 s1 e4 g4 32->32 res")
equal("fused grouped", block(wide, "fused_grouped", {c = 32, e = 4}),
      "fused_grouped k3 s1 e4 g2 32->32 res")
equal("tucker", one(wide, function(b) b:tucker{c = 32} end).macs,
      16 * 16 * (32 * 8 + 9 * 8 * 24 + 24 * 32))
equal("dsep", block(input, "dsep", {c = 8, s = 2}), "dsep k3 s2 8->8")

local branches = one(input, function(b)
    local x = b:conv{c = 8, name = "x"}
    local y = b:conv{b.input, c = 8, name = "y"}
    local sum = b:add{x, y, act = "relu"}
    local both = b:concat{sum, x, y}
    equal("channels", both.c, 24)
    local gate = b:sigmoid{b:conv{b:global_pool{both}, c = 24, k = 1, act = "none"}}
    equal("a pixel", gate.h * gate.w, 1)
    local scaled = b:mul{both, gate}
    local small = b:pool{scaled, kind = "mean"}
    equal("half", small.h, 8)
    local back = b:resize{small, like = x}
    equal("whole", back.w, 16)
    equal("twice", b:resize{factor = 2, mode = "nearest"}.h, 32)
    return b:concat{maps = {back, x}}, b:fc{small, c = 10}
end)
equal("outputs", #branches:outputs(), 2)
equal("an output", table.concat(branches:outputs()[1].shape, " "), "1 16 16 32")
equal("the other", table.concat(branches:outputs()[2].shape, " "), "1 10")
