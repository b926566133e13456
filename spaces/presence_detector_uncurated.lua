-- The twin of presence_detector.lua without an expert: every channel count from 8 up, every block
-- on its own. It holds every network of the curated one and so many more that nobody can walk it:
-- over its channels the latency is a staircase of steps 32 wide, where 31 moves in 32 change the
-- score and not the time. It is what curation is measured against.

local s = nasw.space{name = "presence detector, uncurated", network = require "networks.presence"}

s:channels{where = "0-7", each = true, range = {8, 320}}
s:channels{where = "8", range = {256, 1280}, name = "last"}
s:variant{where = "ibn", each = true, options = {"ibn", "fused"}}
s:expansion{where = "ibn", each = true, options = {2, 3, 4, 5, 6, 8}}
s:kernel{where = "ibn", each = true, options = {3, 5, 7}}

return s
