-- edit.lua - blocks, channel groups and edits of a network of two blocks that can be counted by
-- hand: 1x1 up 16 to 96, depthwise 3x3, 1x1 down, on maps of 112 x 112 behind a stem.

local function equal(got, wanted)
    if got ~= wanted then
        error(string.format("got %s, wanted %s", tostring(got), tostring(wanted)), 2)
    end
end

local function refused(words, call, ...)
    local ok, problem = pcall(call, ...)
    equal(ok, false)
    if not tostring(problem):find(words, 1, true) then
        error(string.format("'%s' is not in: %s", words, tostring(problem)), 2)
    end
end

local PIXELS = 112 * 112
local STEM = PIXELS * 3 * 9 * 16
local IBN = PIXELS * (16 * 96 + 96 * 9 + 96 * 16)
local FUSED = PIXELS * (9 * 16 * 96 + 96 * 16)

local network = assert(nasw.load("cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16"))
equal(network.macs, STEM + 2 * IBN)
equal(network.recognised, 1.0)

-- blocks
local blocks = network:blocks()
equal(#blocks, 3)
equal(blocks[1].type, "conv")
equal(blocks[3].label, "1.1")
equal(blocks[3].type, "ibn")
equal(blocks[3].macs, IBN)
equal(blocks[3].mid_c, 96)
equal(blocks[3].groups, 96)
equal(blocks[3].expansion, 6.0)
equal(blocks[3].residual, true)
equal(blocks[3].in_h, 112)
equal(#network:blocks { type = "ibn" }, 2)
equal(#network:blocks { type = "mbconv", stage = 1 }, 2)
equal(#network:blocks { stage = 0 }, 1)
equal(#network:blocks { type = "tucker" }, 0)
refused("no block type 'nope'", network.blocks, network, { type = "nope" })
refused("'stage' must be a whole number", network.blocks, network, { stage = -1 })

-- channel groups: stem and blocks add up, each block has its own inner channels; RGB stays
local free, fixed = {}, 0
for _, group in ipairs(network:groups()) do
    if group.fixed then
        fixed = fixed + 1
        equal(group.why ~= "", true)
    else
        free[#free + 1] = group.n
    end
end
table.sort(free)
equal(free[#free], 96)
equal(free[#free - 1], 96)

-- one edit
local fused, notes = assert(network:edit("variant 1.0 fused"))
equal(fused.macs, STEM + FUSED + IBN)
equal(network.macs, STEM + 2 * IBN)
equal(#notes, 1)
equal(notes[1].where, "1.0")
equal(notes[1].done, true)
equal(fused:blocks()[2].type, "fused")
equal(#network:edits(), 0)
equal(#fused:edits(), 1)
equal(fused:edits()[1], "variant 1.0 fused")
equal(fused:origin().macs, network.macs)
equal(#fused:origin():edits(), 0)
equal(fused:timm(), "cn_r1_k3_s2_c16\ner_r1_k3_s1_e6_c16 ir_r1_k3_s1_e6_c16\n")

-- the same as a table; lists; all or nothing
equal(network:edit { variant = "fused", where = "1.0" }:edits()[1], "variant 1.0 fused")
equal(network:edit({ variant = "fused", where = "ibn@1-3", expansion = 4 }).macs,
    STEM + 2 * PIXELS * (9 * 16 * 64 + 64 * 16))
equal(network:edit({ kernel = 5, where = "1.1" }).macs, network.macs + PIXELS * 96 * (25 - 9))
equal(network:edit { "kernel 1.1 5", { residual = false, where = "1.1" } }:blocks()[3].residual,
    false)
equal(network:edit({}).macs, network.macs)
local small = assert(network:edit { resolution = { 112, 56 } })
equal(small.macs * 8, network.macs)
local nothing, message, code = network:edit { "kernel 1.1 5", "kernel 9.9 5" }
equal(nothing, nil)
equal(code, "invalid")
equal(message:find("kernel 9.9 5: picks no block", 1, true), 1)

-- to another network: what cannot be done there is noted
local other = assert(nasw.load("cn_r1_k3_s2_c8 ds_r1_k3_s1_c16 ir_r1_k5_s2_e3_c24"))
local list = network:edit { "variant ibn fused", "kernel 1.1 5" }:edits()
local carried, told = assert(other:apply(list))
equal(#carried:edits(), 1)
equal(carried:edits()[1], "variant ibn fused")
equal(#carried:blocks { type = "fused" }, 1)
equal(told[#told].done, false)
equal(told[#told].where:sub(1, 10), "kernel 1.1")

-- wrong edits name the argument and what is wrong with it
local edit = network.edit
refused("argument #2", edit, network)
refused("an edit is a line", edit, network, 5)
refused("an edit is a line", edit, network, { "kernel 1.1 5", 5 })
refused("argument #2", edit, network, "fuze 1.0")
refused("'fuze' is no edit", edit, network, "fuze 1.0")
refused("without zero bytes", edit, network, "variant 1.0 fused\0 and more")
refused("an edit has no 'foo'", edit, network, { variant = "fused", foo = 1 })
refused("one edit a table, not variant and kernel", edit, network,
    { variant = "fused", kernel = 3 })
refused("an edit says what it does", edit, network, { where = "1.0" })
refused("must be a number, a text or a boolean", edit, network, { variant = {} })
refused("{height, width}", edit, network, { resolution = { 64, 64, 64 } })
refused("the kernel is", edit, network, { kernel = 0 / 0 })
refused("the multiplier is", edit, network, { width = 1 / 0 })
refused("stands behind the end", edit, network, { kernel = 3, where = "1.0 5" })
refused("Network expected", edit, "demo", "kernel 1.1 5")

-- closed ones
local closed = assert(network:edit("kernel 1.1 5"))
closed:close()
closed:close()
for _, name in ipairs { "blocks", "groups", "edit", "apply", "edits", "origin", "timm", "advise",
    "whatif", "recipe", "align", "export" } do
    refused("argument #1", network[name], closed, "ne32")
end
equal(#network:edits(), 0)

-- what if and advice: figures are those of whole estimates
local hw = assert(nasw.hw("ne32"))
local before = nasw.estimate(network, hw)
local rows = assert(network:whatif(hw))
equal(#rows > 5, true)
local last = -math.huge
for _, row in ipairs(rows) do
    if not row.why then
        local after = assert(network:edit(row.edit))
        equal(math.abs(row.latency_us - (nasw.estimate(after, hw).latency_us - before.latency_us))
            < 1e-5, true)
        equal(row.macs, after.macs - network.macs)
        equal(row.latency_us >= last, true)
        last = row.latency_us
    end
end
local advice = assert(network:advise(hw, { block = "1.0" }))
equal(#advice, 1)
equal(advice[1].label, "1.0")
for _, row in ipairs(advice[1].edits) do
    if row.verdict ~= "refused" then
        equal(row.macs, assert(network:edit(row.edit)).macs - network.macs)
    end
end
refused("there is no such block", network.advise, network, hw, { block = "9.9" })
local prices = assert(network:align("1.0", hw))
equal(prices.n, 16)
equal(prices.step, 32)
equal(prices.up.n, 32)
equal(prices.idle, 16)
refused("there is no such block", network.align, network, "9.9", hw)
refused("invalid option 'x'", network.recipe, network, "x", hw)
local made, steps = assert(network:recipe("align", hw))
for _, step in ipairs(steps) do
    equal(type(step.taken), "boolean")
end
equal(nasw.estimate(made, hw).latency_us <= before.latency_us, true)

-- files
nothing, message, code = network:export("a.bin")
equal(nothing, nil)
equal(code, "invalid")
equal(message:find("a.bin", 1, true), 1)
equal(select(3, network:export("../a.onnx")), "invalid")

-- the session: what is done by name is in its script
assert(nasw.act("open", "cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16"))
assert(nasw.act("edit", "variant 1.0 fused"))
equal(nasw.current().network.macs, fused.macs)
equal(nasw.current().network:edits()[1], "variant 1.0 fused")
equal(select(3, nasw.act("edit", "kernel 1.1 3")), "invalid")
equal(select(3, nasw.act("edit", "kernel 9.9 3")), "invalid")
equal(nasw.current().network.macs, fused.macs)
assert(nasw.act("undo"))
equal(nasw.current().network.macs, network.macs)
assert(nasw.act("redo"))
local script = nasw.session:save_script()
equal(script:find('nasw.act("edit", "variant 1.0 fused")', 1, true) ~= nil, true)
