-- The twin of edge_tpu.lua without an expert: every channel count, every block on its own. Groups
-- of 64 channels do not exist at most of these counts, so blocks are fused whole or not at all.

local s = nasw.space{name = "Edge TPU skeleton, uncurated", network = require "networks.edgetpu"}

s:channels{where = "0-7", each = true, range = {8, 256}}
s:variant{where = "ibn", each = true, options = {"ibn", "fused"}}
s:expansion{where = "ibn", each = true, options = {2, 3, 4, 5, 6, 7, 8}}
s:kernel{where = "ibn", each = true, options = {3, 5, 7}}

return s
