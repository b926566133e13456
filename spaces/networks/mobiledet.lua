-- A detector with the layout of MobileDet (Xiong et al. 2021; tensorflow/models, object_detection,
-- ssd_mobiledet_feature_extractor.py, the Edge TPU's): stages of 16, 40, 72, 96, 120 channels with
-- four blocks each and a last one of 384, expansions and kernels as published, SSDLite's heads on
-- 20 x 20 and smaller maps of 320 x 320. The published one fuses all blocks of the first two stages
-- and two of the third and has a Tucker block behind the stem; here all are inverted bottlenecks.

return nasw.build("MobileDet-like detector", {input = {320, 320, 3}, act = "relu6"}, function(b)
    -- one block each: {channels, expansion, kernel, stride, residual add}
    local function blocks(rows)
        local map
        for _, row in ipairs(rows) do
            map = b:ibn{c = row[1], e = row[2], k = row[3], s = row[4]}
        end
        return map
    end
    b:conv{name = "stem", c = 32, s = 2}
    b:ibn{c = 16, e = 1}
    blocks{{16, 8, 3, 2}, {16, 4, 3, 1}, {16, 8, 3, 1}, {16, 4, 3, 1}}
    blocks{{40, 8, 5, 2}, {40, 4, 3, 1}, {40, 4, 3, 1}, {40, 4, 3, 1}}
    blocks{{72, 8, 3, 2}, {72, 8, 3, 1}, {72, 4, 3, 1}, {72, 4, 3, 1}}
    local map20 = blocks{{96, 8, 5, 1}, {96, 8, 5, 1}, {96, 8, 3, 1}, {96, 8, 3, 1}}
    blocks{{120, 8, 5, 2}, {120, 8, 3, 1}, {120, 4, 5, 1}, {120, 8, 3, 1}}
    local map10 = blocks{{384, 8, 5, 1}}
    local map5 = b:extra{c = 512}
    local map3 = b:extra{c = 256}
    local map2 = b:extra{c = 256}
    local map1 = b:extra{c = 128}
    return b:ssd_head{map20, map10, map5, map3, map2, map1,
                      classes = 91, -- COCO's numbering, background included
                      anchors = {3, 6, 6, 6, 6, 6}}
end)
