-- The skeleton of MobileNetEdgeTPUv2 (tensorflow/models, official/projects/edgetpu/vision): a
-- 5 x 5 stem, stages of 24, 48, 64, 128, 160, 192, 256 channels with 1, 2, 4, 4, 4, 4, 1 blocks;
-- the first block of a stage expands 8 times, the others 4. Published variants fuse blocks of the
-- first stages and group some of them; here all are inverted bottlenecks, since what to fuse is
-- the space's question. 224 x 224, ImageNet's 1001 classes.

return nasw.build("Edge-TPU-like skeleton", {input = {224, 224, 3}, act = "relu"}, function(b)
    local function stage(c, stride, n)
        b:ibn{c = c, e = 8, s = stride}
        if n > 1 then
            b:ibn{c = c, e = 4, n = n - 1}
        end
    end
    b:conv{name = "stem", c = 64, k = 5, s = 2}
    b:ibn{c = 24, e = 1} -- nothing to expand: depthwise, 1x1
    stage(48, 2, 2)
    stage(64, 2, 4)
    stage(128, 2, 4)
    stage(160, 1, 4)
    stage(192, 2, 4)
    stage(256, 1, 1)
    b:conv{name = "last", c = 1280, k = 1}
    b:classifier{classes = 1001}
end)
