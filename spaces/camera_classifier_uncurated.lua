-- The twin of camera_classifier.lua without an expert: every channel count, every block on its
-- own, the same limits.

local s = nasw.space{name = "camera classifier, uncurated", network = require "networks.camera"}

s:resolution{range = {96, 160, 16}}
s:depth{where = "2", options = {1, 2, 3}}
s:depth{where = "3", options = {1, 2, 3}}
s:depth{where = "4", options = {1, 2, 3, 4}}
s:channels{where = "0-7", each = true, range = {8, 256}}
s:variant{where = "ibn", each = true, options = {"ibn", "fused"}}
s:expansion{where = "ibn", each = true, options = {2, 3, 4, 5, 6}}
s:kernel{where = "ibn", each = true, options = {3, 5, 7}}
s:limit{peak_live_bytes = 192 * 1024, macs = 40e6}

return s
