-- The twin of robot_segmentation.lua without an expert: every channel count, every block on its
-- own.

local s = nasw.space{name = "robot segmentation, uncurated", network = require "networks.robot"}

s:channels{where = "0-6", each = true, range = {8, 256}}
s:depth{where = "4", options = {1, 2, 3, 4}}
s:depth{where = "5", options = {1, 2, 3, 4}}
s:depth{where = "6", options = {1, 2, 3}}
s:variant{where = "ibn", each = true, options = {"ibn", "fused"}}
s:expansion{where = "ibn", each = true, options = {2, 3, 4, 5, 6, 8}}
s:kernel{where = "ibn", each = true, options = {3, 5, 7}}

return s
