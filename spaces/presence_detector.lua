-- A presence detector for engines of 32 or 64 lanes (ne32, ne64), curated by hand.
--
-- Try it:  nasw space spaces/presence_detector.lua --hw ne32
-- Its twin, with every channel count and every block on its own: presence_detector_uncurated.lua

local s = nasw.space{name = "presence detector", network = require "networks.presence"}

-- Channels. A dot-product engine works on 32 (or 64) input and output channels at a time: 33 take
-- as long as 64. So few counts are worth having, and each is much larger than the one before.
-- What the array sees is channels times expansion: at 6, a block of 16 channels fills three runs
-- of 32, so below 32 the powers of two are worth keeping. The network's own 24 stays as the one
-- we know.
s:channels{where = "0", options = {16, 32}}           -- stem, 160 x 160
s:channels{where = "1", options = {8, 16}}            -- 160 x 160: the largest maps there are
s:channels{where = "2", options = {16, 24, 32}}       -- 80 x 80
s:channels{where = "3", options = {16, 32, 64}}       -- 40 x 40
s:channels{where = "4", multiples = {of = 32, to = 128}}              -- 20 x 20
s:channels{where = "5", multiples = {of = 32, from = 64, to = 160}}   -- 20 x 20, read by the head
s:channels{where = "6", multiples = {of = 32, from = 96, to = 224}}   -- 10 x 10
s:channels{where = "7", options = {192, 256, 320}}
s:channels{where = "8", options = {512, 768, 1024, 1280}, name = "last"}

-- A depthwise convolution keeps one row of the array in 32 busy. Fused, the block multiplies more
-- and waits less: that pays on large maps with few channels and not on 10 x 10 maps with many,
-- and where it turns is for the search to find. So every block decides for itself.
s:variant{where = "ibn", each = true, options = {"ibn", "fused"}}

-- Expansion and kernel by stage: blocks of a stage work on the same map, so what is right for one
-- is nearly right for the next, and six numbers are easier to search than sixteen.
s:expansion{ties = {"2", "3", "4", "5", "6", "7"}, options = {3, 4, 6}}
s:kernel{ties = {"2", "3", "4", "5", "6", "7"}, options = {3, 5}}

return s
