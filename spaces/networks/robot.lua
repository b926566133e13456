-- A robot's segmentation: where is free floor, what stands on it? MobileNetV2's stages with the
-- last ones at a sixteenth of the image and the LR-ASPP head of MobileNetV3 (Howard et al. 2019,
-- figure 10) on maps of an eighth and a sixteenth. 256 x 256, 12 classes.

return nasw.build("robot segmentation", {input = {256, 256, 3}, act = "relu6"}, function(b)
    b:conv{name = "stem", c = 32, s = 2}
    b:ibn{c = 16, e = 1}
    b:ibn{c = 24, s = 2, n = 2}
    local low = b:ibn{c = 32, s = 2, n = 3} -- 32 x 32
    b:ibn{c = 64, s = 2, n = 4}
    b:ibn{c = 96, n = 3}
    local high = b:ibn{c = 160, n = 3} -- 16 x 16
    return b:lraspp{low = low, high = high, classes = 12}
end)
