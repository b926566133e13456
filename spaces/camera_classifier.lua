-- A camera's classifier in a tight memory budget, after MCUNet (Lin et al. 2020): resolution and
-- depth are choices like any other, and what does not fit is no candidate, however good.
-- Its twin: camera_classifier_uncurated.lua

local s = nasw.space{name = "camera classifier", network = require "networks.camera"}

-- Memory peaks where maps are large, and grows with the square of the side.
s:resolution{options = {96, 112, 128, 144, 160}}

-- Depth first: the fourth block that stage 4 may get has choices of its own from here on.
s:depth{where = "2", options = {1, 2, 3}}
s:depth{where = "3", options = {1, 2, 3}}
s:depth{where = "4", options = {1, 2, 3, 4}}

-- Small engines (u55-128, u55-256) make 8 or 16 output channels at a time: multiples of 8.
s:channels{where = "0", options = {8, 16}}
s:channels{where = "1", options = {8, 16}}
s:channels{where = "2", options = {8, 16, 24}}
s:channels{where = "3", options = {16, 24, 32}}
s:channels{where = "4", options = {24, 32, 40, 48}}
s:channels{where = "5", options = {32, 48, 64}}
s:channels{where = "6", options = {64, 80, 96, 112}}
s:channels{where = "7", options = {96, 128, 160}}

-- Expansion is what fills the memory in the first stages; later it is cheap.
s:expansion{where = "2-3", each = true, options = {3, 4, 5}}
s:expansion{where = "4-7", each = true, options = {3, 4, 5, 6}}
s:kernel{where = "ibn", each = true, options = {3, 5, 7}}

-- What the chip has, less what the program needs: 192 KiB for maps, and 40 M multiplications for
-- ten pictures a second. Checked before a candidate counts, with the hardware at hand.
s:limit{peak_live_bytes = 192 * 1024, macs = 40e6}

return s
