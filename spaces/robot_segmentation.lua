-- A robot's segmentation: free floor and what stands on it, on engines of 32 or 64 lanes.
-- Its twin: robot_segmentation_uncurated.lua

local s = nasw.space{name = "robot segmentation", network = require "networks.robot"}

-- As for the presence detector: powers of two below 32 channels, multiples of 32 above. Stage 3
-- is read twice, by what follows and by the head's finer branch: wider costs on 32 x 32 maps.
s:channels{where = "0", options = {16, 32}}
s:channels{where = "1", options = {8, 16}}
s:channels{where = "2", options = {16, 24, 32}}
s:channels{where = "3", options = {16, 32, 64}}
s:channels{where = "4", multiples = {of = 32, to = 128}}
s:channels{where = "5", multiples = {of = 32, from = 64, to = 160}}
s:channels{where = "6", multiples = {of = 32, from = 96, to = 224}}

-- Stages 4 to 6 all work on 16 x 16 maps; as many blocks as they need.
s:depth{where = "4", options = {1, 2, 3, 4}}
s:depth{where = "5", options = {1, 2, 3, 4}}
s:depth{where = "6", options = {1, 2, 3}}

s:variant{ties = {"2", "3", "4", "5", "6"}, options = {"ibn", "fused"}}
s:expansion{ties = {"2", "3", "4", "5", "6"}, options = {3, 4, 6}}
s:kernel{ties = {"2", "3", "4", "5", "6"}, options = {3, 5}}

-- Maps that shrink should not lose channels.
s:require("c2 <= c3")
s:require("c3 <= c4")

return s
