-- The twin of mobiledet.lua without an expert: every channel count and every choice for every
-- block.

local s = nasw.space{name = "MobileDet, uncurated", network = require "networks.mobiledet"}

s:channels{where = "0-7", each = true, range = {8, 384}}
s:variant{where = "ibn", each = true, options = {"ibn", "fused", "tucker:0.25", "tucker:0.75"}}
s:expansion{where = "ibn", each = true, options = {2, 3, 4, 5, 6, 7, 8}}
s:kernel{where = "ibn", each = true, options = {3, 5, 7}}

return s
