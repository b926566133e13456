-- A camera's classifier in a tight memory budget: is somebody in the picture? Inverted bottlenecks
-- as in the networks of MCUNet (Lin et al. 2020) for visual wake words: few channels and small
-- expansions while the map is large, since that is where memory peaks. 128 x 128, two classes.

return nasw.build("camera classifier", {input = {128, 128, 3}, act = "relu6"}, function(b)
    b:conv{name = "stem", c = 16, s = 2}
    b:ibn{c = 8, e = 1}
    b:ibn{c = 16, e = 3, s = 2}
    b:ibn{c = 16, e = 4, n = 2}
    b:ibn{c = 24, e = 4, k = 5, s = 2}
    b:ibn{c = 24, e = 5, n = 2}
    b:ibn{c = 40, e = 5, s = 2}
    b:ibn{c = 40, e = 5, n = 2}
    b:ibn{c = 48, e = 5}
    b:ibn{c = 48, e = 5}
    b:ibn{c = 96, e = 5, k = 5, s = 2}
    b:ibn{c = 96, e = 5}
    b:ibn{c = 160, e = 5}
    b:classifier{classes = 2}
end)
