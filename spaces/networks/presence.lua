-- A presence detector: is there a person, and where? SSDLite on MobileNetV2's stages (Sandler et
-- al. 2018, tables 2 and 6) at 320 x 320: the network that `nasw` calls demo.

return nasw.build("presence detector", {input = {320, 320, 3}, act = "relu6"}, function(b)
    b:conv{name = "stem", c = 32, s = 2}
    b:ibn{c = 16, e = 1}
    b:ibn{c = 24, s = 2, n = 2}
    b:ibn{c = 32, s = 2, n = 3}
    b:ibn{c = 64, s = 2, n = 4}
    local map20 = b:ibn{c = 96, n = 3} -- 20 x 20
    b:ibn{c = 160, s = 2, n = 3}
    b:ibn{c = 320}
    local map10 = b:conv{name = "last", c = 1280, k = 1}
    local map5 = b:extra{c = 512}
    local map3 = b:extra{c = 256}
    local map2 = b:extra{c = 256}
    local map1 = b:extra{c = 128}
    return b:ssd_head{map20, map10, map5, map3, map2, map1,
                      classes = 2, -- background, person
                      anchors = {3, 6, 6, 6, 6, 6}}
end)
