-- The skeleton of MobileNetEdgeTPUv2 for engines that work on 32 or 64 channels at a time.
--
-- Published variants of it choose, block by block, between a depthwise inverted bottleneck, a
-- fused one and a fused one in groups of 64 channels (tensorflow/models,
-- official/projects/edgetpu/vision). Here the choice is by stage, which is what an expert would
-- write down on paper.
-- Its twin: edge_tpu_uncurated.lua

local s = nasw.space{name = "Edge TPU skeleton", network = require "networks.edgetpu"}

local stages = {"2", "3", "4", "5", "6", "7"} -- stage 1 has nothing to expand

-- Grouped, a k x k convolution costs a share of the full one and still fills the array, as long
-- as a group has 64 expanded channels; late, where maps are small and channels many, the full one
-- is "very expensive" (the README of the published code), so that is where groups are for. Block
-- 2.0 reads 24 channels, which make no groups at expansion 4.
s:variant{where = "2.0", options = {"ibn", "fused"}}
s:variant{ties = {"2.1", "3", "4", "5", "6", "7"}, options = {"ibn", "fused", "fused_grouped"}}
s:kernel{ties = stages, options = {3, 5}}

-- The first block of a stage makes the new map, often from few channels: it expands on its own.
s:expansion{ties = {"2.0", "3.0", "4.0", "5.0", "6.0", "7.0"}, options = {4, 8}}
s:expansion{ties = {"2.1", "3.1,3.2,3.3", "4.1,4.2,4.3", "5.1,5.2,5.3", "6.1,6.2,6.3"},
            options = {4, 8}}

-- One multiplier for the stages, as the published family has. Rounded to 16, groups of 64
-- expanded channels exist at both expansions.
s:width{where = "2-7", options = {0.75, 1, 1.25, 1.5, 1.75}, divisor = 16}

return s
