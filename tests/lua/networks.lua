-- The networks of the shipped spaces: what their files say they are.

local function equal(what, got, wanted)
    if got ~= wanted then
        error(("%s: %s, not %s"):format(what, got, wanted), 2)
    end
end

-- The labels of blocks that the spaces may vary.
local function count(net, kinds)
    local n = 0
    for _, block in ipairs(net:blocks()) do
        n = n + (kinds[block.type] and 1 or 0)
    end
    return n
end

local function load(name)
    local net = require("networks." .. name)
    equal(name .. ": recognised", net.recognised, 1)
    return net
end

local presence, demo = load("presence"), assert(nasw.load("demo"))
equal("MACs of the detector", presence.macs, demo.macs)
equal("parameters of the detector", presence.params, demo.params)
equal("operators of the detector", presence.n_ops, demo.n_ops)
local theirs = demo:blocks()
for i, block in ipairs(presence:blocks()) do
    equal("block " .. block.label, block.text, theirs[i].text)
end

-- 20 blocks between stem and last convolution, in the stages of FACTS 4.
local edgetpu = load("edgetpu")
equal("blocks of the skeleton", count(edgetpu, {ibn = true, dsep = true}), 20)
local stages = {}
for _, block in ipairs(edgetpu:blocks()) do
    if block.type == "ibn" or block.type == "dsep" then
        stages[block.out_c] = (stages[block.out_c] or 0) + 1
    end
end
for c, n in pairs{[24] = 1, [48] = 2, [64] = 4, [128] = 4, [160] = 4, [192] = 4, [256] = 1} do
    equal("blocks of " .. c, stages[c], n)
end

-- Four blocks a stage, two ends: layers.csv of edge_tpu_facts has 22 behind the stem.
local mobiledet = load("mobiledet")
equal("bottlenecks of MobileDet", count(mobiledet, {ibn = true}), 21)
equal("heads of MobileDet", count(mobiledet, {head = true}), 12)
equal("boxes", mobiledet:outputs()[2].shape[2], 3 * 400 + 6 * (100 + 25 + 9 + 4 + 1))

-- A quarter of a MiB at 8 bits.
local camera = load("camera")
if camera.peak_live_bytes_file_order / 4 > 256 * 1024 then
    error("the camera's network does not fit its memory")
end
equal("classes", camera:outputs()[1].shape[2], 2)

local robot = load("robot")
equal("the robot's map", table.concat(robot:outputs()[1].shape, " "), "1 256 256 12")
-- Another resolution is another size of the map, heads included.
local smaller = assert(robot:edit("resolution 192 320"))
equal("resized", table.concat(smaller:outputs()[1].shape, " "), "1 192 320 12")

-- Every block can be fused, and everything exported again.
for _, name in ipairs{"presence", "edgetpu", "mobiledet", "camera", "robot"} do
    local net = load(name)
    local fused = assert(net:edit("variant ibn fused"))
    equal(name .. ": still expanding", count(fused, {ibn = true}), 0)
    fused:close()
    assert(net:edit("width 0.75")):close()
end
