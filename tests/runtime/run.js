// Runs what nasw writes with onnxruntime: single-kernel models of every kind, imported files against
// the outputs that other runtimes gave (*.truth.json, see models/README.md there), and networks of
// one operator that keep N,H,W,C against loops written down in layouts.js.
'use strict';
const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const ort = require('onnxruntime-node');
const layouts = require('./layouts.js');
const onnx = require('./onnx.js');

const { NASW_BIN, NASW_COPY, NASW_SHARED, NASW_THIN } = process.env;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nasw-runtime-'));
const count = { passed: 0, failed: 0, skipped: 0 };

function call(program, ...words) {
    const done = spawnSync(program, words, { encoding: 'utf8' });
    if (done.status !== 0)
        throw new Error(`${path.basename(program)} ${words.join(' ')}: ${done.error || done.stderr.trim()}`);
    return done.stdout;
}

async function check(name, run) {
    try {
        await run();
        count.passed++;
    } catch (error) {
        console.log(`FAIL ${name}: ${error.message.slice(0, 400)}`);
        count.failed++;
    }
}

const product = list => list.reduce((a, b) => a * b, 1);

// A tensor of these values in the type that the model wants. Half floats: their bits are cut, which
// is exact for multiples of 1/256 below 8.
function tensor(type, values, dims) {
    if (type !== 'float16')
        return new ort.Tensor('float32', Float32Array.from(values), dims);
    const single = new Float32Array(1), bits = new Uint32Array(single.buffer);
    const halves = Uint16Array.from(values, value => {
        single[0] = value;
        const exponent = (bits[0] >>> 23 & 255) - 112;
        return exponent <= 0 ? 0 : (bits[0] >>> 16 & 0x8000) | exponent << 10 | (bits[0] >>> 13 & 1023);
    });
    return new ort.Tensor('float16', typeof Float16Array === 'undefined' ? halves : new Float16Array(halves.buffer), dims);
}

function fromHalf(bits) {
    const exponent = bits >> 10 & 31, fraction = bits & 1023;
    const size = exponent === 31 ? (fraction ? NaN : Infinity)
        : exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
    return bits & 0x8000 ? -size : size;
}

// What a model of ours must say of itself.
const written = [];
async function checkModel(file, facts, feed) {
    const bytes = fs.readFileSync(file), model = onnx.read(bytes);
    if (model.producer !== 'nasw' || model.ir !== 8 || model.opset !== 13)
        throw new Error(`is by ${model.producer}, IR ${model.ir}, opset ${model.opset}`);
    const dims = {};
    for (const output of await run(onnx.withOutputs(bytes, onnx.wanted(model)), feed)) {
        dims[output.name] = output.dims;
        if (model.outputs.includes(output.name) && !output.values.every(Number.isFinite))
            throw new Error(`${output.name} is not finite`);
    }
    const macs = onnx.macs(model, dims);
    if (macs !== facts.macs)
        throw new Error(`does ${macs} MACs, ${facts.macs} were counted`);
    facts.outputs.forEach((wanted, i) => sameDims(dims[model.outputs[i]], wanted));
    written.push(file);
}

// Outputs in the model's order: { name, dims, values }.
async function run(model, feed, optimise = 'disabled') {
    const session = await ort.InferenceSession.create(model, {
        graphOptimizationLevel: optimise, logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1 });
    const feeds = {};
    session.inputMetadata.forEach((input, i) => {
        const dims = input.shape.map(Number);
        feeds[input.name] = tensor(input.type, feed(i, product(dims), input.name), dims);
    });
    const results = await session.run(feeds);
    return session.outputNames.map(name => {
        const { dims, data, type } = results[name];
        const isBits = type === 'float16' && data instanceof Uint16Array;
        return { name, dims: dims.map(Number), values: Array.from(data, x => isBits ? fromHalf(x) : Number(x)) };
    });
}

function sameDims(a, b) {
    if (JSON.stringify(a) !== JSON.stringify(b))
        throw new Error(`the output is ${a}, not ${b}`);
}

// ---- kernels ----

const ramp = (i, n) => Array.from({ length: n }, (_, k) => ((k * 7 + i * 13 + 3) % 256) / 256 - 0.5);

async function kernels() {
    const models = path.join(folder, 'kernels');
    call(NASW_BIN, 'measure', '--emit', models, '--shapes', path.join(__dirname, 'shapes.csv'));
    const lines = fs.readFileSync(path.join(models, 'manifest.csv'), 'utf8').split('\n').filter(l => l && l[0] !== '#');
    const names = lines.shift().split(',');
    for (const line of lines) {
        const row = Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell]));
        await check(row.file, async () => {
            const model = path.join(models, row.file);
            const [plain] = await run(model, ramp);
            const [fast] = await run(model, ramp, 'all');
            const wanted = row.out_h * row.out_w * row.out_c;
            if (plain.values.length !== wanted)
                throw new Error(`the output has ${plain.values.length} elements, not ${wanted}`);
            if (!plain.values.every(Number.isFinite))
                throw new Error('the output is not finite');
            // Optimised or not, the same up to a step or two of the quantisation.
            const allowed = row.bits === '32' ? 1e-4 : row.bits === '16' ? 0.05 : 0.1;
            const off = plain.values.reduce((most, x, i) => Math.max(most, Math.abs(x - fast.values[i]) / Math.max(1, Math.abs(x))), 0);
            if (!(off <= allowed))
                throw new Error(`the optimised model is off by ${off}`);
        });
    }
}

// ---- whole files ----

// bits, golden, and how far the outputs may be off, in parts of their range or, for integers, in
// steps. Integer networks leave room for the roundings in which the runtimes differ themselves.
const files = {
    'light_squeezenet.onnx': {}, 'mnist_cntk.onnx': {}, 'person_detect_rpi.onnx': {},
    'tv_lraspp_mobilenet_v3_small_256.onnx': {}, 'tv_mobilenet_v2_w035_224.onnx': {},
    'tv_mobilenet_v2_w035_224_qdq.onnx': {}, 'tv_ssdlite320_mobilenet_v3_large_2cls.onnx': {},
    'ultraface_slim_320.onnx': {}, 'yunet_n_320.onnx': {},
    'blazeface_short_range.tflite': { golden: 'golden_tflite' },
    'mlperf_tiny_vww_96_float.tflite': { golden: 'golden_tflite' },
    'person_detect_rpi_fp16.tflite': { golden: 'golden_tflite' },
    'ultraface_slim_320.tflite': { golden: 'golden_tflite' },
    'mlperf_tiny_resnet_int8.tflite': { bits: 8, golden: 'golden_tflite', steps: 1 },
    'mlperf_tiny_vww_96_int8.tflite': { bits: 8, golden: 'golden_armnn_cpuref', steps: 1 },
    'mobilenet_v1_0.25_128_quant.tflite': { bits: 8, golden: 'golden_armnn_cpuref', steps: 1 },
    'mobilenet_v2_1.0_224_quant.tflite': { bits: 8, golden: 'golden_armnn_cpuref', steps: 1 },
    'mcunet_person_det.tflite': { bits: 8, golden: 'golden_tflite', range: 0.01 },
};

// The pattern of the truth files, as real numbers where the file's input is quantised.
function pattern(truth, name, n) {
    const input = truth.inputs.find(x => x.name === name) || {};
    const isQuantised = input.scale && /INT8/.test(input.dtype);
    const low = input.dtype === 'INT8' ? 128 : 0;
    return Array.from({ length: n }, (_, i) => {
        const v = (i * 7 + 3) % 256;
        return isQuantised ? (v - low - input.zero_point) * input.scale : v / 255;
    });
}

// The largest difference so far, in parts of the range, of files that must be within `goal`.
const off = {};
function note(how, difference) {
    const goal = how.range || 1e-5;
    off[goal] = Math.max(off[goal] || 0, difference);
}

function compare(ours, golden, truth, how) {
    const { scale, zero_point } = truth.outputs.find(x => x.name === golden.name) || {};
    const step = /int8/.test(golden.dtype) ? scale : 0;
    const real = x => step ? (x - zero_point) * step : x;
    const allowed = step ? (how.steps + 0.01) * step : (how.range || 1e-5) * (golden.max - golden.min);
    const values = ours.values;
    const least = values.reduce((a, b) => Math.min(a, b), Infinity), most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    sameDims(ours.dims, golden.shape);
    const pairs = [['minimum', least, golden.min], ['maximum', most, golden.max],
        ...golden.first8.map((x, i) => [`value ${i}`, values[i], x])];
    if (!step)
        pairs.push(['mean', values.reduce((a, b) => a + b, 0) / values.length, golden.sum / values.length]);
    for (const [what, x, wanted] of pairs) {
        if (!step)
            note(how, Math.abs(x - wanted) / (golden.max - golden.min));
        if (!(Math.abs(x - real(wanted)) <= allowed))
            throw new Error(`${ours.name}: the ${what} is ${x}, not ${real(wanted)} (within ${allowed})`);
    }
}

// Quantised networks written in float: what they compute before it is rounded, so near the integer
// network's output, in steps of it (the QDQ file's weights are not published: its output is 0).
const inFloat = {
    'mlperf_tiny_resnet_int8.tflite': { golden: 'golden_tflite', steps: 8 },
    'mlperf_tiny_vww_96_int8.tflite': { golden: 'golden_armnn_cpuref', steps: 8 },
    'mobilenet_v1_0.25_128_quant.tflite': { golden: 'golden_armnn_cpuref', steps: 8 },
    'tv_mobilenet_v2_w035_224_qdq.onnx': { golden: 'golden' },
};

async function stripped() {
    for (const [file, how] of Object.entries(inFloat)) {
        const source = path.join(NASW_SHARED, 'models', file), copy = path.join(folder, `${file}.float.onnx`);
        if (!fs.existsSync(source))
            continue;
        await check(`${file} in float`, async () => {
            const truth = JSON.parse(fs.readFileSync(`${source}.truth.json`, 'utf8'));
            const facts = JSON.parse(call(NASW_COPY, 'float', source, copy));
            const feed = (i, n, name) => pattern(truth, name, n);
            await checkModel(copy, facts, feed);
            const [golden] = truth[how.golden].outputs, [ours] = await run(copy, feed);
            const { scale = 1e-6, zero_point = 0 } = how.steps ? truth.outputs[0] : {};
            if (onnx.read(fs.readFileSync(copy)).nodes.some(node => /QuantizeLinear/.test(node.type)))
                throw new Error('it still quantises');
            golden.first8.forEach((value, i) => {
                const wanted = (value - zero_point) * scale;
                if (!(Math.abs(ours.values[i] - wanted) <= (how.steps || 1) * scale))
                    throw new Error(`value ${i} is ${ours.values[i]}, not about ${wanted}`);
            });
        });
    }
}

// Edited networks run, with the shapes and the work that were predicted.
const edits = [['width 0.5 8'], ['width 1.5 8'], ['resolution 192 224']];
const blockFiles = ['tv_mobilenet_v2_w035_224.onnx', 'tv_ssdlite320_mobilenet_v3_large_2cls.onnx', 'mobilenet_v2_1.0_224_quant.tflite'];
const blockEdits = [
    ['variant ibn fused'], ['channels * nearest 32'], ['kernel ibn 5'], ['depth 3 1'], ['depth 2 4'], ['squeeze ibn 0.25'],
    ['act * relu'], ['residual ibn off'],
    ['variant ibn@1-3 fused', 'channels * down 16', 'kernel 3 5', 'depth 3 2', 'width 0.75 8', 'resolution 256 256'],
];
// A kernel that grows by taps of 0 computes what it did.
const sameFunction = {
    'tv_ssdlite320_mobilenet_v3_large_2cls.onnx': {}, 'ultraface_slim_320.onnx': {},
    'blazeface_short_range.tflite': { golden: 'golden_tflite' }, 'mlperf_tiny_vww_96_float.tflite': { golden: 'golden_tflite' },
    'person_detect_rpi_fp16.tflite': { golden: 'golden_tflite' }, 'ultraface_slim_320.tflite': { golden: 'golden_tflite' },
};

async function runEdited(models, file, list) {
    await check(`${file}, ${list}`, async () => {
        const copy = path.join(folder, `edited${written.length}.onnx`);
        const facts = JSON.parse(call(NASW_COPY, '0', path.join(models, file), copy, ...list));
        await checkModel(copy, facts, ramp);
    });
}

// What computes the same in other words: against what the file gave in another runtime.
async function runAsBefore(models, file, how, copying, ...list) {
    await check(`${file}, ${list[0] || copying}`, async () => {
        const copy = path.join(folder, `edited${written.length}.onnx`);
        const truth = JSON.parse(fs.readFileSync(path.join(models, `${file}.truth.json`), 'utf8'));
        const facts = JSON.parse(call(NASW_COPY, copying, path.join(models, file), copy, ...list));
        const feed = (i, n, name) => pattern(truth, name, n);
        await checkModel(copy, facts, feed);
        const outputs = await run(copy, feed);
        truth[how.golden || 'golden'].outputs.forEach((golden, i) => compare(outputs[i], golden, truth, how));
    });
}

async function edited() {
    const models = path.join(NASW_SHARED, 'models');
    const names = fs.existsSync(models) ? fs.readdirSync(models) : [];
    for (const file of blockFiles.filter(name => names.includes(name)))
        for (const list of blockEdits)
            await runEdited(models, file, list);
    // what is compiled for a chip has no layers to edit; mnist_cntk's last weights fit one size alone
    for (const file of names.filter(name => /\.(onnx|tflite)$/.test(name) && !/edgetpu/.test(name)))
        for (const list of edits.filter(([edit]) => !(/mnist/.test(file) && /resolution/.test(edit))))
            await runEdited(models, file, list);
    for (const [file, how] of Object.entries(sameFunction).filter(([name]) => names.includes(name)))
        await runAsBefore(models, file, how, '0', 'kernel * 5');
    for (const [file, how] of Object.entries(files).filter(([name, { bits }]) => !bits && names.includes(name)))
        await runAsBefore(models, file, how, 'anew');
}

// A network without some channels of every group computes what the whole one does when all that
// belongs to them is 0: no channel went astray in a residual, a concatenation, a shuffle or a
// flattened map. In parts of the output's range.
async function thinned() {
    const floats = Object.keys(files).filter(file => !files[file].bits && !/qdq/.test(file));
    let most = 0;
    for (const file of [...floats, 'selfie_segmentation_256.tflite']) {
        const source = path.join(NASW_SHARED, 'models', file);
        const thin = path.join(folder, 'thin.onnx'), masked = path.join(folder, 'masked.onnx');
        if (fs.existsSync(source))
            await check(`${file} thinned`, async () => {
                call(NASW_THIN, '3', source, thin, masked);
                const wanted = await run(masked, ramp);
                (await run(thin, ramp)).forEach((ours, i) => {
                    sameDims(ours.dims, wanted[i].dims);
                    const values = wanted[i].values;
                    const range = values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
                    const off = values.reduce((a, x, k) => Math.max(a, Math.abs(x - ours.values[k])), 0);
                    most = Math.max(most, range ? off / range : 0);
                    if (!(off <= 1e-4 * range))
                        throw new Error(`${ours.name} is off by ${off} of a range of ${range}`);
                });
            });
    }
    console.log(`networks with channels taken out: off by ${most.toExponential(1)} of the range at most`);
}

async function wholeFiles() {
    for (const [file, how] of Object.entries(files)) {
        const source = path.join(NASW_SHARED, 'models', file), copy = path.join(folder, `${file}.onnx`);
        if (!fs.existsSync(source)) {
            console.log(`skipped: ${source} is not there`);
            count.skipped++;
            continue;
        }
        await check(file, async () => {
            const truth = JSON.parse(fs.readFileSync(`${source}.truth.json`, 'utf8'));
            const facts = JSON.parse(call(NASW_COPY, String(how.bits || 0), source, copy));
            await checkModel(copy, facts, (i, n, name) => pattern(truth, name, n));
            const outputs = await run(copy, (i, n, name) => pattern(truth, name, n));
            truth[how.golden || 'golden'].outputs.forEach((golden, i) => compare(outputs[i], golden, truth, how));
        });
    }
}

// The onnx package's checker and its shape inference, which must not contradict our shapes; and the
// multiply-accumulates that were counted again.
async function checkAll() {
    const python = ['/usr/bin/python3', 'python3'].find(name => spawnSync(name, ['-c', 'import onnx']).status === 0);
    console.log(`${written.length} models: multiply-accumulates as counted from onnxruntime's shapes`);
    if (!python) {
        console.log('skipped: onnx.checker is not there (Debian: python3-onnx)');
        count.skipped++;
        return;
    }
    await check('onnx.checker', async () => {
        const program = 'import sys, onnx\nfor f in sys.argv[1:]: print(f); onnx.checker.check_model(onnx.load(f), full_check=True)';
        const done = spawnSync(python, ['-c', program, ...written], { encoding: 'utf8' });
        if (done.status !== 0)
            throw new Error(`${done.stdout.trim().split('\n').pop()}: ${done.stderr.trim().slice(-300)}`);
    });
}

// ---- layouts ----

async function turned() {
    for (const test of layouts.tests()) {
        await check(`N,H,W,C ${test.name}`, async () => {
            const source = path.join(folder, 'net.json'), copy = path.join(folder, 'net.onnx');
            fs.writeFileSync(source, JSON.stringify(test.network));
            call(NASW_COPY, '0', source, copy);
            const outputs = await run(copy, i => test.inputs[i]);
            test.wanted.forEach((wanted, k) => {
                sameDims(outputs[k].dims, wanted.dims);
                wanted.values.forEach((x, i) => {
                    if (!(Math.abs(outputs[k].values[i] - x) <= 1e-5 * Math.max(1, Math.abs(x))))
                        throw new Error(`output ${k}: value ${i} is ${outputs[k].values[i]}, not ${x}`);
                });
            });
        });
    }
}

(async () => {
    try {
        await kernels();
        await turned();
        await wholeFiles();
        await stripped();
        await edited();
        await thinned();
        await checkAll();
    } catch (error) {
        console.log(`FAIL ${error.message}`);
        count.failed++;
    }
    for (const [goal, most] of Object.entries(off))
        console.log(`outputs as other runtimes gave them: off by ${most.toExponential(1)} of the range at most (goal ${goal})`);
    fs.rmSync(folder, { recursive: true });
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    process.exitCode = count.failed ? 1 : 0;
})();
