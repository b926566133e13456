-- MobileDet's choices (Xiong et al. 2021): each block is an inverted bottleneck, a fused one, or
-- a Tucker block (1x1 down to a rank, k x k, 1x1 up) with ranks of a quarter or three quarters;
-- kernels 3 and 5, expansions 4 and 8. What their search chose for the Edge TPU, for comparison:
-- all blocks of stages 2 and 3 fused, two of four in stage 4, none behind.
-- Its twin: mobiledet_uncurated.lua

local s = nasw.space{name = "MobileDet", network = require "networks.mobiledet"}

-- Their search chose for every block; an expert keeps that for the stages where it matters, on 80
-- x 80 to 20 x 20 maps. Behind, at 10 x 10 with 120 channels and more, a full k x k has nothing
-- to win: fused or not is enough.
s:variant{where = "ibn@2-5", each = true, options = {"ibn", "fused", "tucker:0.25", "tucker:0.75"}}
s:variant{where = "ibn@6-7", each = true, options = {"ibn", "fused"}}
s:expansion{where = "ibn", each = true, options = {4, 8}}
s:kernel{where = "ibn", each = true, options = {3, 5}}

-- The published widths are multiples of 8, which an Edge TPU is content with; engines of 32 lanes
-- want the others. At expansion 4, steps of 8 channels are steps of 32 expanded ones.
s:channels{where = "2", options = {16, 24, 32}}
s:channels{where = "3", options = {32, 40, 48, 64}}
s:channels{where = "4", options = {64, 72, 96}}
s:channels{where = "5", options = {64, 96, 128}}
s:channels{where = "6", options = {96, 120, 128, 160}}
s:channels{where = "7", options = {192, 256, 320, 384}}

return s
