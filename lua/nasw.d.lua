---@meta
-- nasw.d.lua - what scripts can call, in the notation of the Lua language server.
--
-- Units stand in the names: _us, _uj, _bytes, _fj, _cycles. Numbers are those of
-- `nasw estimate --json`, bit for bit. A mistake in a call raises an error; what the world refuses
-- (no such file, a broken model, a figure out of range) returns nil, a message and a code, so that
-- assert(nasw.load(path)) stops with the message and `local n, why = nasw.load(path)` goes on.
-- Objects are read-only; give one back early with object:close() or `local n <close> = ...`.
--
-- Scripts run in a sandbox unless nasw --trust: no io, os, debug, load, coroutines; 64 MiB of
-- memory; a budget of work (some seconds of plain Lua); no __gc; the functions of `table` take
-- tables as they are, without metamethods. require finds modules in the script's folder. `arg`
-- holds what stood behind -- on the command line, arg[0] the script.

---@class nasw
nasw = {}

---@alias nasw.Code "invalid" | "unsupported" | "io" | "limit" | "cancelled"
---@alias nasw.Shape integer[] sizes in the file's order, batch first

-- ---- networks --------------------------------------------------------------------------------

---@class nasw.LoadOptions
---@field inputs? table<string, nasw.Shape> sizes that the file leaves open: {image = {1, 3, 320, 320}}

---Loads a model: ONNX, TFLite, a nasw network JSON (told apart by content), a script that returns a
---network (X.lua, run in an engine of its own), "-" for standard input, or "demo".
---@param path string
---@param options? nasw.LoadOptions
---@return nasw.Network? network
---@return string? message
---@return nasw.Code? code
function nasw.load(path, options) end

---@class nasw.Network
---@field name string the name inside the file, may be empty
---@field model string the path it was loaded from
---@field format string "onnx opset 13", "tflite 3", ...
---@field macs integer multiply-accumulates of one inference at batch 1
---@field params integer stored weights and biases of the operators, each once
---@field weight_params integer stored weights of the operators that macs counts, each once
---@field weight_bytes integer params in the file's own types
---@field n_ops integer operators in the file
---@field peak_live_bytes_file_order integer largest sum of live tensors: file's order, file's types
---@field recognised number MACs in blocks other than `op` over all MACs, 0 to 1
local Network = {}

---@class nasw.Tensor
---@field name string
---@field shape nasw.Shape?
---@field dtype string "float32", "int8", ...

---@class nasw.Op
---@field index integer from 1, in file order
---@field name string
---@field type string the file's: "Conv", "CONV_2D"
---@field op string ours: "conv2d"
---@field out_shape nasw.Shape? of the first output; nil: not known
---@field macs integer

---How many operators of each of the file's types.
---@return table<string, integer>
function Network:ops_by_type() end

---@return nasw.Tensor[]
function Network:inputs() end

---@return nasw.Tensor[]
function Network:outputs() end

---for op in network:ops() do ... end, in file order.
---@return fun(): nasw.Op?
function Network:ops() end

---What the reader had to assume or leave out, a line each.
---@return string[]
function Network:warnings() end

---The network as text, schema nasw.network/1; weights by reference.
---@return string
function Network:json() end

---Gives its memory back at once; later use raises.
function Network:close() end

-- ---- networks written in Lua -----------------------------------------------------------------

---@alias nasw.Activation "relu6"|"relu"|"hard_swish"|"swish"|"sigmoid"|"hard_sigmoid"|"tanh"|"gelu"|"none"|false

---@class nasw.BuildOptions
---@field input integer[] {height, width, channels}
---@field act? nasw.Activation of layers that do not say: "relu6"

---A network layer by layer: float32, N,H,W,C, SAME padding, a bias a convolution (batch
---normalisation folded), weights without values. The maps that the function returns are the outputs;
---if it returns none, the last map is. A mistake raises with file and line.
---
---    nasw.build("tiny", {input = {96, 96, 3}}, function(b)
---        b:conv{c = 16, s = 2}
---        b:ibn{c = 24, e = 3, s = 2, n = 2}
---        b:classifier{classes = 2}
---    end)
---@param name string
---@param options nasw.BuildOptions
---@param layers fun(b: nasw.Builder): nasw.Map?, nasw.Map?
---@return nasw.Network
function nasw.build(name, options, layers) end

---What a layer makes, for layers that read it: b:add{a, b}.
---@class nasw.Map
---@field h integer rows
---@field w integer columns
---@field c integer channels; behind heads and fully connected layers: values

---Each layer takes one table: the map it reads by position (without one: the last that was made),
---figures by name. k: kernel, s: stride, d: dilation, c: output channels, n: how many in a row (the
---stride is the first one's). Its name is that of the map it makes, or what names of its parts begin
---with ("stem", "block3/expand").
---@class nasw.Builder
---@field input nasw.Map the network's input
---@field at nasw.Map the last map, which the next layer reads
local Builder = {}

---@class nasw.Layer
---@field [1]? nasw.Map
---@field name? string letters, digits and _ - . / :
---@field c? integer output channels; needed but for depthwise
---@field k? integer 3
---@field s? integer 1
---@field d? integer 1
---@field groups? integer 1
---@field n? integer 1
---@field act? nasw.Activation the network's

---@class nasw.BlockLayer: nasw.Layer
---@field e? number expanded over input channels: 6; 1: the expansion is left out
---@field mid? integer expanded channels, instead
---@field se? number squeeze-and-excite: inner over input channels
---@field se_c? integer inner channels, instead
---@field gate? "sigmoid"|"hard_sigmoid" the second beside hard_swish
---@field group_c? integer grouped ones: expanded channels a group, 64
---@field residual? boolean false: no add where size and channels stay

---@class nasw.TuckerLayer: nasw.Layer
---@field rank_in? number of the input channels, in multiples of 8: 0.25
---@field rank_out? number of the output channels, likewise: 0.75
---@field rank_in_c? integer channels, instead
---@field rank_out_c? integer
---@field residual? boolean

---@param layer nasw.Layer
---@return nasw.Map
function Builder:conv(layer) end

---@param layer nasw.Layer without c, groups, n
---@return nasw.Map
function Builder:depthwise(layer) end

---Inverted bottleneck: 1x1 up, depthwise k x k, linear 1x1 down, residual add where size and channels
---stay.
---@param layer nasw.BlockLayer
---@return nasw.Map
function Builder:ibn(layer) end

---Fused: k x k up, linear 1x1 down.
---@param layer nasw.BlockLayer
---@return nasw.Map
function Builder:fused(layer) end

---Inverted bottleneck with a grouped k x k.
---@param layer nasw.BlockLayer
---@return nasw.Map
function Builder:grouped(layer) end

---Fused, the k x k grouped.
---@param layer nasw.BlockLayer
---@return nasw.Map
function Builder:fused_grouped(layer) end

---1x1 to the input rank, k x k to the output rank, linear 1x1, residual add (MobileDets).
---@param layer nasw.TuckerLayer
---@return nasw.Map
function Builder:tucker(layer) end

---Depthwise, 1x1, an activation behind both, no residual add. The linear one is ibn{e = 1}.
---@param layer nasw.BlockLayer
---@return nasw.Map
function Builder:dsep(layer) end

---Two maps of the same channels, of one size or one of a single pixel: b:add{x, y}.
---@param layer {[1]: nasw.Map, [2]: nasw.Map, act: nasw.Activation?, name: string?}
---@return nasw.Map
function Builder:add(layer) end

---@param layer {[1]: nasw.Map, [2]: nasw.Map, act: nasw.Activation?, name: string?}
---@return nasw.Map
function Builder:mul(layer) end

---Maps of one size by channels: b:concat{x, y, z}, b:concat{maps = list}.
---@param layer {[integer]: nasw.Map, maps: nasw.Map[]?, name: string?}
---@return nasw.Map
function Builder:concat(layer) end

---@param layer {[1]: nasw.Map?, kind: "max"|"mean"?, k: integer?, s: integer?, name: string?} k: 2, s: k
---@return nasw.Map
function Builder:pool(layer) end

---The mean of the map: 1 x 1 x channels.
---@param layer? {[1]: nasw.Map?, name: string?}
---@return nasw.Map
function Builder:global_pool(layer) end

---To the size of another map, times a factor, or to h x w.
---@param layer {[1]: nasw.Map?, like: nasw.Map?, factor: integer?, h: integer?, w: integer?, mode: "bilinear"|"nearest"?, name: string?}
---@return nasw.Map
function Builder:resize(layer) end

---@param layer {[1]: nasw.Map?, act: nasw.Activation?, name: string?}
---@return nasw.Map
function Builder:act(layer) end

---@param layer? {[1]: nasw.Map?, name: string?}
---@return nasw.Map
function Builder:sigmoid(layer) end

---@param layer? {[1]: nasw.Map?, name: string?}
---@return nasw.Map
function Builder:softmax(layer) end

---Fully connected over the whole map, linear unless act says otherwise.
---@param layer {[1]: nasw.Map?, c: integer, act: nasw.Activation?, name: string?}
---@return nasw.Map
function Builder:fc(layer) end

---Global mean, a fully connected layer of `hidden` values with act if given, one of `classes`.
---@param layer {[1]: nasw.Map?, classes: integer, hidden: integer?, act: nasw.Activation?, name: string?}
---@return nasw.Map
function Builder:classifier(layer) end

---SSDLite's extra layer: 1x1 to `mid` (c // 2), depthwise k x k with stride s (2), 1x1 to c.
---@param layer {[1]: nasw.Map?, c: integer, mid: integer?, k: integer?, s: integer?, act: nasw.Activation?, name: string?}
---@return nasw.Map
function Builder:extra(layer) end

---SSDLite's predictors on every map: depthwise k x k and 1x1 for classes, the same for boxes.
---@param layer {[integer]: nasw.Map, maps: nasw.Map[]?, classes: integer, anchors: integer|integer[], k: integer?, act: nasw.Activation?, name: string?}
---@return nasw.Map classes rows of all maps x classes
---@return nasw.Map boxes rows of all maps x 4
function Builder:ssd_head(layer) end

---LR-ASPP (MobileNetV3's segmentation head): `high` by a 1x1 to `mid` (128) channels, gated by its
---global mean, resized to `low`; both by a 1x1 to the classes, added, resized to the input unless
---resize is false.
---@param layer {high: nasw.Map, low: nasw.Map, classes: integer, mid: integer?, act: nasw.Activation?, resize: boolean?, name: string?}
---@return nasw.Map
function Builder:lraspp(layer) end

-- ---- blocks and edits ------------------------------------------------------------------------

---@alias nasw.BlockType "conv"|"dsep"|"ibn"|"fused"|"tucker"|"grouped"|"fused_grouped"|"basic"|"bottleneck"|"pool"|"upsample"|"head"|"fc"|"op"

---@class nasw.Block
---@field label string "2.1": the second block of stage 2
---@field text string "ibn k3 s2 e6 16->24": one line for people
---@field type nasw.BlockType
---@field stage integer from 0
---@field index integer in the stage, from 0
---@field n_ops integer
---@field in_h integer
---@field in_w integer
---@field in_c integer channels
---@field mid_c integer expanded channels
---@field out_h integer
---@field out_w integer
---@field out_c integer
---@field squeeze_c integer inner channels of squeeze-and-excite; 0: none
---@field kernel integer of the spatial convolution
---@field stride integer
---@field dilation integer
---@field groups integer of the spatial convolution
---@field expansion number mid_c / in_c
---@field residual boolean
---@field macs integer
---@field params integer

---@class nasw.BlockFilter
---@field type? string also the field's aliases: mbconv, ir, er, ds
---@field stage? integer

---The blocks in schedule order; every operator that runs is in one.
---@param filter? nasw.BlockFilter
---@return nasw.Block[]
function Network:blocks(filter) end

---@class nasw.ChannelGroup
---@field name string of the tensor it starts from
---@field n integer the number now
---@field multiple integer n must be a multiple of it
---@field fixed boolean
---@field why string the constraint that fixes it; "" if none
---@field members {tensor: string, axis: integer, factor: integer, part: boolean}[] an axis has
---factor x n channels, or, where part is true, contains that many; axes count from 0

---Channel dimensions that change together.
---@return nasw.ChannelGroup[]
function Network:groups() end

---An edit as a line, or as a table with one of: variant (and its own expansion), channels, expansion
---(mode: "down", "up", "nearest": to a multiple of the number), kernel, stride, depth, width (divisor),
---resolution, precision, squeeze, act, residual, join, split. where: "2.1" a block, "2" a stage, "1-3"
---stages, "ibn" a type, "ibn@1-3", "*" (the default) all.
---@alias nasw.Edit string|table<string, string|number|boolean|integer[]>

---@class nasw.EditNote
---@field where string the block
---@field done boolean
---@field text string what was done, or why not

---Applies one edit or a list of them, all or nothing: net:edit("variant 2.1 fused"),
---net:edit{variant = "fused", where = "ibn@1-3", expansion = 4}. This network stays as it is. Of a
---pattern, blocks that cannot be edited are left out and noted.
---@param edits nasw.Edit|nasw.Edit[]
---@return nasw.Network? network
---@return nasw.EditNote[]|string notes or the reason
---@return nasw.Code? code
function Network:edit(edits) end

---Carries edits of another network over, one by one: those that cannot be done here are noted.
---@param edits nasw.Edit|nasw.Edit[]
---@return nasw.Network? network
---@return nasw.EditNote[]|string notes
---@return nasw.Code? code
function Network:apply(edits) end

---The edits that led here, oldest first, as lines that read back.
---@return string[]
function Network:edits() end

---The network before its edits; itself if there were none.
---@return nasw.Network
function Network:origin() end

-- ---- advice ----------------------------------------------------------------------------------

---After - before: negative is less. Every figure is of the whole network, estimated again.
---@class nasw.Effect
---@field latency_us number
---@field low_us number? a 90 % band of the difference; nil: none is known
---@field high_us number?
---@field below_resolution boolean the band includes 0: below what this estimator can tell
---@field fits boolean the network after it fits the hardware
---@field after_us number latency after it
---@field energy_fj integer
---@field macs integer
---@field params integer
---@field weight_bytes integer
---@field peak_live_bytes integer
---@field arena_bytes integer
---@field dram_bytes integer

---@class nasw.AdvisedEdit: nasw.Effect no figures where it is refused
---@field edit string a line for network:edit
---@field label string
---@field verdict "helps"|"unsure"|"no gain"|"refused"
---@field text string gain and price, or why not

---@class nasw.Advice
---@field label string of the block
---@field block string the block in words
---@field latency_us number of its kernels
---@field share number of the network's latency, 0 to 1
---@field utilisation number 0 to 1
---@field facts string[] why it is slow here, dearest first
---@field edits nasw.AdvisedEdit[] what helps first, by what it saves

---@class nasw.AdviceOptions: nasw.EstimateOptions
---@field block? string only this one: "2.1"

---Per block: why it takes its time on this hardware, and which edits help at what price.
---@param hw nasw.Hw|string
---@param options? nasw.AdviceOptions
---@return nasw.Advice[]? advice
---@return string? message
---@return nasw.Code? code
function Network:advise(hw, options) end

---@class nasw.AlignOptions: nasw.EstimateOptions
---@field of? "channels"|"expansion" output channels (the default) or the expanded ones

---@class nasw.AlignPrice: nasw.Effect no figures where it is impossible
---@field n integer channels after it
---@field edit string? a line for network:edit; nil: impossible
---@field why string? why it is impossible

---What it costs to bring a block's channels, and all that must equal them, to the next multiples of
---the hardware's step.
---@param block string "2.1"
---@param hw nasw.Hw|string
---@param options? nasw.AlignOptions
---@return {n: integer, step: integer, idle: integer, members: string, nearest: "up"|"down", down: nasw.AlignPrice, up: nasw.AlignPrice}? prices
---idle: lanes of the array without a channel; members: the blocks that change together
---@return string? message
---@return nasw.Code? code
function Network:align(block, hw, options) end

---Every edit one step away; what saves most comes first, refused ones (`why`, no figures) last.
---@param hw nasw.Hw|string
---@param options? nasw.EstimateOptions
---@return ({edit: string, label: string, why: string?}|nasw.Effect)[]? rows
---@return string? message
---@return nasw.Code? code
function Network:whatif(hw, options) end

---Block by block, the dearest first, each edit kept only if it is faster beyond what the estimator
---can tell: "fuse" inverted bottlenecks, "align" channels, "native" activations.
---@param kind "fuse"|"align"|"native"
---@param hw nasw.Hw|string
---@param options? nasw.EstimateOptions
---@return nasw.Network? network with the edits kept: network:edits()
---@return ({edit: string, label: string, taken: boolean, why: string}|nasw.Effect)[]|string steps
---@return nasw.Code? code
function Network:recipe(kind, hw, options) end

---The network as block strings of timm, a stage a line; what they cannot say is a comment.
---@return string? text
---@return integer|string n_left_out blocks in comments, or the reason
---@return nasw.Code? code
function Network:timm() end

---Writes the network as ONNX (opset 13; edited quantised networks as float), network JSON (weights
---by reference), PyTorch module or block strings, by the ending of the name; as nasw.write does.
---@param path string
---@return true? ok
---@return string? message
---@return nasw.Code? code
function Network:export(path) end

-- ---- hardware --------------------------------------------------------------------------------

---A hardware description by name or path.
---@param name string
---@return nasw.Hw? hw
---@return string? message
---@return nasw.Code? code
function nasw.hw(name) end

---Names of the descriptions found, sorted.
---@return string[]
function nasw.hw_names() end

---@class nasw.Hw
---@field name string a derived one has its base's and a star, unless the table names it
---@field macs_per_cycle integer peak multiply-accumulates a cycle, all cores
---@field calibrated boolean whether figures of a chip correct the latency
local Hw = {}

---A figure by its key in the description; without a key all of them as a table. nil: not set here.
---Raises for a key that no description has.
---@param key? string "sram.bytes", "array.pf_out", "clock_hz"
---@return number|string|boolean|table|nil
function Hw:get(key) end

---This hardware with other figures: checked like a file that extends it.
---@param figures table as in the JSON: {sram = {bytes = 2097152}, array = {pf_out = 64}}
---@return nasw.Hw? hw
---@return string? message
---@return nasw.Code? code
function Hw:with(figures) end

---Where a figure is from, or nil: a source goes when its figure is replaced.
---@param key string
---@return string?
function Hw:source(key) end

---The whole description as JSON text, defaults filled in, with sources.
---@return string
function Hw:describe() end

---Gives its memory back at once; later use raises.
function Hw:close() end

-- ---- estimates -------------------------------------------------------------------------------

---@class nasw.EstimateOptions
---@field estimator? string|nasw.Estimator "device": the simulated device; "regression": the model of
---this hardware (estimators/NAME.json beside the folder hw); a model file; an estimator. Default:
---the regression if there is one for exactly these figures, else the device
---@field precision? string "file" (default: the file's own types), "int8", "int16", ...

---What one inference at batch 1 costs. Not fitting is an answer (estimate.fits), no error. A model
---file is read once and kept while it stays as it is.
---@param network nasw.Network
---@param hw nasw.Hw|string a description or its name
---@param options? nasw.EstimateOptions
---@return nasw.Estimate? estimate
---@return string? message
---@return nasw.Code? code
function nasw.estimate(network, hw, options) end

---@class nasw.Estimate
---@field latency_us number? nil if no kernel's cost is known
---@field latency_low_us number? a 90 % band from here to latency_high_us; nil: none is known
---@field latency_high_us number?
---@field extrapolated_kernels integer kernels outside the range of training
---@field energy_uj number? figures of the literature, not measured; nil as latency_us
---@field utilisation number? macs / (peak macs in that time), 0 to 1
---@field macs integer of the network
---@field peak_live_bytes integer largest sum of live tensors on this hardware
---@field arena_bytes integer what the allocator needs for them
---@field dram_bytes integer moved, both ways
---@field sram_bytes integer moved, both ways
---@field overhead_us number the part of latency_us that belongs to no kernel
---@field host_us number the part of latency_us spent on the host
---@field host_switches integer runs of operators on the host
---@field partitions integer runs of neighbours on device and host
---@field n_kernels integer
---@field n_unknown integer kernels without a cost, left out of the sums
---@field fits boolean false: too big for this hardware
---@field reason string why it does not fit; empty if it does
---@field precision string "int8", "int8 (assumed)", ...
---@field estimator string "device" or "regression"
---@field estimator_source string where its numbers come from
---@field calibrated boolean
---@field network nasw.Network
---@field hw nasw.Hw
local Estimate = {}

---@class nasw.Kernel
---@field index integer from 1, in schedule order
---@field name string of its main operator
---@field type string "conv+act", "dwconv", "host", ...
---@field ops string[] names of all operators in it
---@field out_shape nasw.Shape? N, H, W, C for maps
---@field latency_us number? nil: cost unknown
---@field extrapolated boolean outside the range of training
---@field spread_pct number? error to expect, root mean square; nil: not known
---@field bound string "compute", "sram", "dram", "weights", "overhead", "host", "unknown"
---@field utilisation number macs / (peak macs a cycle x total_cycles)
---@field placement table in, out, second (where there is one): "sram" or "dram"
---@field partition integer
---@field bits integer of the activations
---@field macs integer
---@field weight_bytes integer as stored on this hardware
---@field dram_bytes integer
---@field sram_bytes integer
---@field live_bytes integer while it runs
---@field energy_fj integer?
---@field total_cycles integer?
---@field cycles table<string, integer> by cause, each alone: they overlap; empty: cost unknown
---@field tile string "32x32x64" (H x W x C of the output), "" if not tiled
---@field why string why it is slow, in words
---@field warnings string[]

---A new list in schedule order; the fields of "kernels" in `nasw estimate --json`, and index.
---@return nasw.Kernel[]
function Estimate:kernels() end

---@class nasw.Difference
---@field latency_us number? other - this; nil: either has no latency
---@field low_us number? a 90 % band of the difference: kernels that both have cancel; nil: none is
---known, or two estimators
---@field high_us number?

---a:difference(b): what b costs more than a.
---@param other nasw.Estimate
---@return nasw.Difference
function Estimate:difference(other) end

---The text of `nasw estimate --json`, schema nasw.estimate/1.
---@return string
function Estimate:json() end

---The text of `nasw estimate --csv`: a row a kernel.
---@return string
function Estimate:csv() end

---The page of `nasw estimate`, lines cut at width columns; 0 (default): whole lines.
---@param width? integer
---@return string
function Estimate:text(width) end

---Gives its memory back at once; later use raises.
function Estimate:close() end

-- ---- search spaces ---------------------------------------------------------------------------

---A space is a network and what may vary in it. A file declares one and returns it; the first use
---(dims, size, genome, ...) seals it: every option is tried on the network, conditions are checked.
---Declarations raise "F.lua:12: what, what to do"; 12 is the line of the declaration.
---
---    local s = nasw.space{name = "detector", network = "demo"}
---    s:channels{where = "3", multiples = {of = 32, to = 128}}
---    s:variant{where = "ibn@2-6", each = true, options = {"ibn", "fused"}}
---    s:require("c3 <= 96")
---    return s
---@param settings {name: string?, network: string|nasw.Network} the network: "demo", a file (beside
---the script, else from the working folder) or an object; `base` and `model` mean the same
---@return nasw.Space space to be declared
function nasw.space(settings) end

---The usual dimensions of any network: channels of every stage, variant, kernel and expansion of
---inverted bottlenecks, depth of stages that repeat a block.
---@param network string|nasw.Network
---@param options? {step: integer?} of channels, 8 by default
---@return nasw.Space? space
---@return string? message
---@return nasw.Code? code
function nasw.space.from_model(network, options) end

---The space that a file returns, run in a sandbox of its own; of a model: its usual dimensions.
---@param path string "spaces/presence_detector.lua", "net.onnx", "demo"
---@return nasw.Space? space
---@return string? message
---@return nasw.Code? code
function nasw.load_space(path) end

---Blocks: "2.1" a block, "2" a stage, "1-3" stages, "ibn" every one of a kind, "ibn@1-3", "*" all;
---several with commas or as a list.
---@alias nasw.Where string|number|(string|number)[]

---One dimension for all blocks of `where` together, or with `each` one for every block (channels,
---width, depth: for every stage), or with `ties` one for each entry of that list. The short form
---s:kernel("3", {3, 5}) says where and options.
---@class nasw.Dimension
---@field where? nasw.Where "*" by default; `stage` and `block` mean the same
---@field options? (string|number|boolean|integer[])[] what it may be; `choices`, `values` mean the same
---@field range? {[1]: integer, [2]: integer, [3]: integer?} from, to, step: of whole numbers
---@field multiples? {of: integer, from: integer?, to: integer} added to the options, as range is
---@field each? boolean
---@field ties? nasw.Where[]
---@field name? string by default the kind's letter and where: "c3", "v2.1", "k3.0"
---@field factors? number[] of channels: stage i of where gets factors[i] x the number
---@field divisor? integer of width: what channels round to, 8 by default

---@class nasw.Space
---@field name string
---@field source string the file that declares it; "": none
---@field hooks integer conditions that are functions of Lua: with any, searches take the slow path
local Space = {}

---Channels that a stage's blocks make, and all that must equal them. `filters` is the same.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:channels(dimension) end

---A multiplier of channels: of the whole network, or of stages. `width_multiplier` is the same.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:width(dimension) end

---The kind of a block: "ibn" (or mbconv, ir), "fused" (er), "tucker:0.25", "grouped", "dsep", ...
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:variant(dimension) end

---Expanded channels over input channels. `expand_ratio` is the same.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:expansion(dimension) end

---Expanded channels themselves.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:expanded(dimension) end

---Size of the spatial convolution. `kernel_size` is the same.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:kernel(dimension) end

---Blocks of a stage. Genes of blocks that are not there count once. A depth that lets a stage grow
---comes before other dimensions of its blocks, so that the new ones have them. `repeats` is the same.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:depth(dimension) end

---Height and width of the input: "160x320", {160, 320}, 320.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:resolution(dimension) end

---Element types: "int8", "int16", "float16", ..., "file": as the file has it.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:precision(dimension) end

---Squeeze-and-excite: inner channels over input channels; 0 or false: none.
---@param dimension nasw.Dimension
---@return nasw.Space self
function Space:squeeze(dimension) end

---A condition, checked before anything is estimated: "c2 <= c3", "c2 + c3 < 200",
---"v2.0 == fused"; or a function of the genes by name, which is the slow path.
---@param condition string|fun(genes: table<string, number|string>): boolean
---@param name? string of a function, for messages
---@return nasw.Space self
function Space:require(condition, name) end

---Limits of metrics: at most a number (a score: at least), or {min = ..., max = ...}.
---@param limits table<string, number|{min: number?, max: number?}> latency_us latency_ms energy_uj
---macs params weight_bytes peak_live_bytes score objective
---@return nasw.Space self
function Space:limit(limits) end

---Checks everything; nothing is declared after it. Any use does the same.
---@return nasw.Space self
function Space:seal() end

---@class nasw.SpaceDim
---@field name string
---@field kind string "channels", "variant", ...
---@field where string as declared
---@field options (number|string)[]
---@field base number|string? what the network has; nil: none of the options
---@field blocks string[] that it changes
---@field file string where it was declared
---@field line integer

---@return nasw.SpaceDim[]
function Space:dims() end

---@return {metric: string, max: number?, min: number?, file: string, line: integer}[]
function Space:limits() end

---How many networks there are before conditions: exact, in decimal. Genes of blocks that a depth
---drops count once.
---@return string
function Space:size() end

---The same as a number.
---@return number
function Space:size_approx() end

---A text that a genome prints (of this version of the space, else it raises with the difference),
---options by name of the dimension, or the network as it is.
---@param genome? nasw.Genome|string|table<string, number|string>
---@return nasw.Genome
function Space:genome(genome) end

---The same genome for the same seed; nil: a thousand in a row were not allowed.
---@param seed integer
---@return nasw.Genome? genome
---@return string? message
---@return nasw.Code? code
function Space:random(seed) end

---Whether the conditions (not the limits) allow it.
---@param genome? nasw.Genome|string|table<string, number|string>
---@return boolean allowed
---@return string? why the first condition that does not
function Space:allows(genome) end

---@param genome? nasw.Genome|string|table<string, number|string>
---@return nasw.Network? network nil: the options together make none
---@return string? message
---@return nasw.Code? code
function Space:network(genome) end

---The network that genomes are edits of: every stage as deep as it can be.
---@return nasw.Network
function Space:base() end

---The same space with fewer options: those listed, by name of the dimension.
---@param options table<string, number|string|(number|string)[]>
---@return nasw.Space
function Space:restrict(options) end

---What its networks cost on a hardware, from tables that are filled once: much faster than
---space:network and nasw.estimate, and equal to them to the last bit.
---@param hw nasw.Hw|string
---@param options? nasw.EstimateOptions
---@return nasw.Plan? plan
---@return string? message
---@return nasw.Code? code
function Space:plan(hw, options) end

---@class nasw.CurateOptions: nasw.EstimateOptions
---@field seed? integer
---@field contexts? integer settings of the other dimensions that each option is tried in, 32
---@field tolerance? number of the latency of the kernels concerned, 0.01: 1 %
---@field share? number of the contexts in which a verdict has to hold, 0.9
---@field ratio? number least ratio of neighbouring numbers, 1.14

---Which options are worth having on a hardware, read off the estimator (src/curate/curate.h).
---@param hw nasw.Hw|string|nasw.Plan a plan of this space is filled on the way
---@param options? nasw.CurateOptions
---@return nasw.Curation? curation
---@return string? message
---@return nasw.Code? code
function Space:curate(hw, options) end

---Gives its memory back at once; later use raises.
function Space:close() end

---One point of a space. tostring gives its text, which reads back.
---@class nasw.Genome
---@field text string "NAME@HASH c3=32 v2.1=fused ..."
---@field space nasw.Space
local Genome = {}

---Its options by name of the dimension.
---@return table<string, number|string>
function Genome:values() end

---@param name string of a dimension
---@return number|string
function Genome:get(name) end

---The same but for these options.
---@param options table<string, number|string>
---@return nasw.Genome
function Genome:with(options) end

-- ---- what the networks of a space cost ---------------------------------------------------------

---@class nasw.Totals
---@field latency_us number with overhead and calibration
---@field energy_uj number
---@field macs integer
---@field params integer
---@field weight_bytes integer in the file's types
---@field peak_live_bytes integer on this hardware
---@field score number the default zero-cost score; never an accuracy
---@field objective number latency with the score, 1 for the network as it is; lower is better
---@field fits boolean
---@field unknown_kernels integer without a cost, left out of the sums
---@field within_limits boolean? of plan:evaluate: the limits of the space

---@class nasw.Plan
---@field space nasw.Space
---@field hw nasw.Hw
---@field estimator string "device" or "regression"
local Plan = {}

---@param genome? nasw.Genome|string|table<string, number|string>
---@return nasw.Totals? totals nil: the options together make no network
---@return string? message
---@return nasw.Code? code
function Plan:evaluate(genome) end

---The same of the network as it is.
---@return nasw.Totals
function Plan:base() end

---The tables: a cell a block, the dimensions it depends on, entries that there are and are filled,
---maps whose place it depends on.
---@return {name: string, dims: string[], entries: number, filled: integer, maps: integer}[]
function Plan:cells() end

---full_runs: networks made and estimated whole so far; exact false: a table was caught, everything
---takes the full path from then on.
---@return {full_runs: integer, bytes: integer, exact: boolean, caught: string}
function Plan:stats() end

---Gives its memory back at once; later use raises.
function Plan:close() end

---@class nasw.Curation
---@field evaluations integer estimates that it looked at
local Curation = {}

---@class nasw.OptionVerdict
---@field option number|string
---@field verdict "kept"|"dominated"|"slower"|"uneven"|"thinned"|"unfit"|"removed"|"pinned"
---@field kept boolean kept or pinned
---@field by number|string? the option that makes it superfluous
---@field share number of contexts in which that holds
---@field latency_us number? mean over contexts of the whole network
---@field step_us number? mean difference to the option before it
---@field why string one line with numbers

---@param dimension string
---@return nasw.OptionVerdict[]
function Curation:verdicts(dimension) end

---@param dimension string
---@return (number|string)[]
function Curation:kept(dimension) end

---The step that the kept channels follow; 1: none.
---@param dimension string
---@return integer
function Curation:step(dimension) end

---The expert's hand: keeps an option whatever the figures say.
---@param dimension string
---@param option number|string
---@return nasw.Curation self
function Curation:pin(dimension, option) end

---The expert's hand: an option goes; the last one of a dimension stays.
---@param dimension string
---@param option number|string
---@return nasw.Curation self
function Curation:remove(dimension, option) end

---The space of what is kept.
---@return nasw.Space? space
---@return string? message
---@return nasw.Code? code
function Curation:space() end

---A line a dimension; with_why: also a line for every option.
---@param with_why? boolean
---@return string
function Curation:report(with_why) end

---Gives its memory back at once; later use raises.
function Curation:close() end

-- ---- landscapes ------------------------------------------------------------------------------

---A point by the names of the axes: {c3 = 16, c4 = 192}.
---@alias nasw.Point table<string, number|string>

---@class nasw.LandscapeOptions
---@field x string a dimension of the space
---@field y? string another; none: a line
---@field metric? string "objective" by default: latency over the base's x exp(-weight x (score - the
---base's)); latency_us, energy_uj, macs, params, weight_bytes, peak_live_bytes, score
---@field start? string|nasw.Point of the descents: "c3=156 c4=104"; three quarters of the way up
---@field genome? nasw.Genome|string|table the other genes; the base's
---@field side? integer the most points a side, 512
---@field curated? boolean|nasw.Space|nasw.Curation false: no curated panel; a part of the space (a
---curation's): its options; by default what curation keeps of this grid, the other genes as they are
---@field estimator? string|nasw.Estimator
---@field precision? string
---@field seed? integer of the restarts

---Two dimensions of a space in single steps, as MACs, on the hardware, and where curation leaves it,
---with steepest descents, figures and controls: what `nasw landscape` shows.
---@param space nasw.Space
---@param hw nasw.Hw|string
---@param options nasw.LandscapeOptions
---@return nasw.Landscape? landscape
---@return string? message
---@return nasw.Code? code
function nasw.landscape(space, hw, options) end

---A genome on the line between two; the first has no dimension, from, to and change; one that is no
---network has no value. Every metric stands beside value: latency_us, energy_uj, macs, ...
---@class nasw.RouteStep
---@field genome string
---@field dimension string? whose option is another one than in the step before
---@field from number|string?
---@field to number|string?
---@field value number? the metric
---@field change number? of the value, since the step before
---@field fits boolean? the hardware
---@field latency_us number?

---The line from one genome to another, a gene at a time in the order of dimensions: what `nasw
---landscape --to` shows. from: the base's by default; metric, estimator, precision as in
---nasw.LandscapeOptions. nil where an end is no network, or both are the same.
---@param space nasw.Space
---@param hw nasw.Hw|string
---@param options {to: nasw.Genome|string|table, from: (nasw.Genome|string|table)?, metric: string?,
---estimator: (string|nasw.Estimator)?, precision: string?}
---@return {metric: string, path: nasw.RouteStep[], figures: nasw.Figures}? route
---@return string? message
---@return nasw.Code? code
function nasw.route(space, hw, options) end

---Figures of a terrain, lower is better; see src/landscape/landscape.h for the formulas.
---@class nasw.Figures
---@field points integer
---@field edges integer
---@field minima integer strict ones and plateaus
---@field plateaus integer
---@field best number?
---@field worst number?
---@field mean number?
---@field p5 number? 5 % of the points are below
---@field median number?
---@field p95 number?
---@field mean_step number? over the range of all panels of the same metric
---@field monotone number?
---@field neutral number?
---@field density number?
---@field share_1pct number? of descents that end within 1 % of the terrain's own best
---@field share_5pct number?
---@field walking_1pct number? the same where descents walk plateaus
---@field walking_5pct number?
---@field mean_evaluations number?
---@field mean_moves number?
---@field r1 number?
---@field fdc number?

---Figures of rows of numbers; false: no such point.
---@param rows (number|false)[][]
---@param options? {range: number?, choices: boolean?} range: what mean_step is relative to, 0: the
---terrain's own; choices: any value of a line is a neighbour, not only the next
---@return nasw.Figures
function nasw.figures(rows, options) end

---@class nasw.Landscape
---@field x string
---@field y string?
---@field metric string
---@field start nasw.Point
---@field best table point, value, and every metric, of all points in single steps
---@field restarts table? evaluations, runs, mean_gap, near_1pct, near_5pct
local Landscape = {}

---"macs", "single", "curated", and the controls "shifted" (curated spacing half a step off the
---alignment) and "scored_macs" (MACs in the place of latency in the objective).
---@return string[]
function Landscape:panels() end

---Gaps are relative to the best of all points; near_1pct and mean_gap are of descents from every
---point of the panel, priced by the landscape's metric.
---@param name string
---@return {name: string, width: integer, height: integer, columns: (number|string)[], rows:
---(number|string)[], path: nasw.Point[], evaluations: integer, ends: table, gap: number, mean_gap:
---number, near_1pct: number, near_5pct: number, figures: nasw.Figures}
function Landscape:panel(name) end

---Rows of the panel's values; false: no network.
---@param name string
---@return (number|false)[][]
function Landscape:values(name) end

---A function of the script as the height of a panel's points; lower is better, nil: no such point.
---This is the slow path, point by point, and says so. The descent begins where the panel's does.
---@param metric fun(totals: nasw.Totals, point: nasw.Point): number?
---@param panel? string "single" by default
---@return {values: (number|false)[][], figures: nasw.Figures, path: nasw.Point[]?, evaluations:
---integer?, best: nasw.Point?, slow: boolean}
function Landscape:map(metric, panel) end

---The text of `nasw landscape --json`, schema nasw.landscape/1.
---@return string
function Landscape:json() end

---The picture of `nasw landscape --svg`.
---@return string
function Landscape:svg() end

---The page of `nasw landscape`, for width columns; 0 (default): 80.
---@param width? integer
---@return string
function Landscape:text(width) end

---Gives its memory back at once; later use raises.
function Landscape:close() end

-- ---- measurements ----------------------------------------------------------------------------

---A row by the names of the columns; a value is a number, a text, a boolean (1 or 0) or nil (an
---empty cell).
---@alias nasw.Row table<string, number|string|boolean>

---What stands for a table: measurements, the path of a CSV ("-": standard input), its text (with a
---line break in it), or a list of rows.
---@alias nasw.Data nasw.Measurements|string|nasw.Row[]

---@class nasw.MeasureOptions
---@field hw? nasw.Hw|string measure on its simulated device: a description or its name
---@field cpu? boolean measure on this CPU instead, for real, on one thread
---@field path? string with cpu: the CSV that grows row by row, below the working folder; rows that it
---holds already are kept, so a measurement that was stopped goes on there
---@field emit? string measure nothing; write a single-kernel ONNX model for each shape into this
---folder, to be measured with a chip's own tools: its manifest.csv, filled in, is data for nasw.fit
---@field shapes? nasw.Data a kernel a row: kernel in_h in_w in_c out_h out_w out_c, where there is a
---window kernel_h kernel_w stride_h stride_w, and dilation groups bits act residual. Default: a plan
---that covers the kernels of real networks; on the simulated device refined where a model errs most
---@field networks? integer of the plan; by default as many as the presets are built from
---@field seed? integer of the plan

---Measures kernels: the table of `nasw measure`, a row for each shape in their order. Kernels that
---the CPU's library refuses have no latency_us and say why in `note`. With emit: the manifest.
---@param options nasw.MeasureOptions
---@return nasw.Measurements? measurements
---@return string? message
---@return nasw.Code? code
function nasw.measure(options) end

---#measurements is the number of its rows.
---@class nasw.Measurements
---@field device string what was measured; empty: not said
---@field source string who measured; empty: not said
---@field date string "2025-07-01"; empty: not said
---@field tool string with what; empty: not said
local Measurements = {}

---@return string[]
function Measurements:columns() end

---A new table of row i.
---@param i integer from 1
---@return nasw.Row
function Measurements:row(i) end

---A new list of all rows.
---@return nasw.Row[]
function Measurements:rows() end

---The text that `nasw measure` writes.
---@return string
function Measurements:csv() end

---Writes that text, as nasw.write does.
---@param path string
---@return true? ok
---@return string? message
---@return nasw.Code? code
function Measurements:write(path) end

---Gives its memory back at once; later use raises.
function Measurements:close() end

-- ---- regressions on measurements -------------------------------------------------------------

---@class nasw.FitOptions
---@field data nasw.Data
---@field target string the column to predict; its unit ends its name: latency_us
---@field group? string a model for each word of this column; by default `kernel` if it holds words
---@field features? string|string[] names of features and columns; by default all that vary
---@field hw? nasw.Hw|string for the features that need a description
---@field network? string the column that names a row's network
---@field totals? nasw.Data networks measured whole, with that column and total_target
---@field total_target? string
---@field test? nasw.Data rows to score besides
---@field trees? integer of each model; by default as many as its rows ask for
---@field seed? integer

---Trains a model per type of kernel, as `nasw fit` does: the same table and options give the same
---model, bit for bit. Twenty thousand rows are about what a script's budget allows; Ctrl-C stops it.
---@param options nasw.FitOptions
---@return nasw.Estimator? estimator
---@return string? message
---@return nasw.Code? code
function nasw.fit(options) end

---Reads a model file of `nasw fit` or estimator:write.
---@param path string
---@return nasw.Estimator? estimator
---@return string? message
---@return nasw.Code? code
function nasw.estimator(path) end

---@class nasw.Estimator
---@field target string the column it predicts
---@field path string the file it was read from; empty: fitted here
local Estimator = {}

---A prediction for each row, in the unit of the target; nil in its place for a type that training
---has not seen, so count with #rows.
---@param rows nasw.Data
---@return number[]? predictions
---@return string? message
---@return nasw.Code? code
function Estimator:predict(rows) end

---Errors in percent of what was measured.
---@class nasw.Scores
---@field n integer rows that were predicted
---@field mape_pct number? mean; nil: no row
---@field rmspe_pct number? root mean square
---@field within_5_pct number? percent of rows whose error is at most 5 %
---@field within_10_pct number?
---@field spearman number? rank correlation; nil without variation

---How right it is on measured rows.
---@param data nasw.Data
---@param target? string by default the column it was trained on
---@return nasw.Scores? scores
---@return string? message
---@return nasw.Code? code
function Estimator:evaluate(data, target) end

---@class nasw.FitGroup
---@field name string the type; empty: the table has no groups
---@field rows integer used in training
---@field shapes integer distinct ones
---@field trees integer 0: too few rows for trees
---@field out_of_fold nasw.Scores each row predicted by models that have not seen its shape
---@field macs_alone nasw.Scores what c x MACs + d would score
---@field roofline nasw.Scores what c x roofline + d would score
---@field noise_pct number? how far equal shapes are from their mean; nil: none are equal
---@field noisy_rows integer rows that have an equal one
---@field spread number? root mean square of ln(measured / predicted)
---@field worst {line: integer, measured: number, predicted: number, what: string}[] ten at most

---@class nasw.Band multiples of a unit that grows with the kernels in the sum
---@field low number
---@field high number
---@field n integer
---@field from "networks"|"rows" what it was learned on

---@class nasw.FitReport
---@field target string
---@field rows integer used
---@field skipped integer without a target
---@field folds integer
---@field seed integer
---@field out_of_fold nasw.Scores all types
---@field test? nasw.Scores of the rows of option test
---@field networks? {n: integer, a: number, b: number, out_of_fold: nasw.Scores, measured_sums: nasw.Scores?}
---a network is a x sum + b; measured_sums: the floor that measured rows would give
---@field bands {total: nasw.Band?, difference: nasw.Band?} of 90 %
---@field groups nasw.FitGroup[]
---@field provenance table<string, string> file device source date measured_with fitted_with data_hash

---All figures of the fit.
---@return nasw.FitReport
function Estimator:report() end

---The page that `nasw fit` prints.
---@return string
function Estimator:text() end

---The text of `nasw fit --json`, schema nasw.fit/1.
---@return string
function Estimator:json() end

---Writes the model file, as nasw.write does.
---@param path string
---@return true? ok
---@return string? message
---@return nasw.Code? code
function Estimator:write(path) end

---Gives its memory back at once; later use raises.
function Estimator:close() end

-- ---- texts and files -------------------------------------------------------------------------

---Prints to standard output, tabs between; the same as print. In the workbench: to the messages.
---@param ... any
function nasw.print(...) end

---Prints to standard error: progress and remarks, away from results.
---@param ... any
function nasw.log(...) end

---@class nasw.Column
---@field key? string|integer of the value in a row; by default the column's place
---@field title? string
---@field format? string|fun(value: any): string for numbers "%.1f"; a function gets any value but nil
---@field align? "left"|"right" numbers stand right by default

---An aligned table. Rows are records or lists; columns are keys or nasw.Column. Without columns:
---the first row's keys, sorted. nil shows as "?".
---@param rows table[]
---@param columns? (string|integer|nasw.Column)[]
---@return string
function nasw.table(rows, columns) end

---The same as CSV: a header line, numbers that read back exactly, nil as an empty cell.
---@param rows table[]
---@param columns? (string|integer|nasw.Column)[]
---@return string
function nasw.csv(rows, columns) end

---JSON, keys sorted, numbers that read back exactly (not a number: null). An empty table is a list.
---@param value any
---@return string
function nasw.json(value) end

---Writes a file below the working folder: under a new name, then renamed. Its folder must exist;
---no "..", no hidden names, no symbolic links.
---@param path string
---@param text string
---@return true? ok
---@return string? message
---@return nasw.Code? code
function nasw.write(path, text) end

---Seconds of a clock that only runs forward; for differences.
---@return number
function nasw.clock() end

-- ---- the session -----------------------------------------------------------------------------

---Does an action of the workbench: nasw.act("open", "net.onnx"), nasw.act("hw", "u55-256").
---Actions that write a file need its name here, below the working folder.
---@param name string as nasw.actions() and nasw --keys list them
---@param value? string
---@param kernel? integer the row it is about, from 1
---@return true? ok
---@return string? message
---@return nasw.Code? code
function nasw.act(name, value, kernel) end

---@class nasw.Action
---@field name string
---@field key string "" if none
---@field help string
---@field value "none"|"path"|"hw"|"estimator"|"precision"|"edit"|"words"|"text" what it takes
---@field possible boolean
---@field why string why not; "" if possible

---@return nasw.Action[]
function nasw.actions() end

---What is open, estimated; nil: nothing.
---@return nasw.Estimate?
function nasw.current() end

---The pinned baseline; nil: none.
---@return nasw.Estimate?
function nasw.baseline() end

---@class nasw.Session
local Session = {}

---What was done, as a script that does it again; with a path: written there, as nasw.write does.
---@param path? string
---@return string|true? text
---@return string? message
---@return nasw.Code? code
function Session:save_script(path) end

---The session of the workbench or script: nasw.session:save_script().
---@type nasw.Session
nasw.session = nil

---@class nasw.Message
---@field kind "info"|"warning"|"error"
---@field text string
---@field unix_time_s integer

---Oldest first.
---@return nasw.Message[]
function nasw.messages() end

-- ---- init.lua of the workbench alone ---------------------------------------------------------

---Binds a key ("f", "C-r", "F5") to an action or command; a clash raises and names both.
---@param key string
---@param name string
function nasw.bind(key, name) end

---Colours by role: nasw.theme{better = "#00afff", worse = "208"}.
---@param colours table<string, string>
function nasw.theme(colours) end
