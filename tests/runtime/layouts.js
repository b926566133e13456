// Networks of one operator that keep N,H,W,C, behind a pooling of one element that does nothing but
// make the writer turn the map; and what the operator gives, by plain loops over N,H,W,C.
'use strict';

const product = list => list.reduce((a, b) => a * b, 1);

// An array of those dimensions with value(index) everywhere.
function make(dims, value) {
    const values = [];
    const index = dims.map(() => 0);
    for (let i = 0; i < product(dims); i++) {
        values.push(value(...index));
        for (let axis = dims.length - 1; axis >= 0 && ++index[axis] === dims[axis]; axis--)
            index[axis] = 0;
    }
    return { dims, values };
}

const at = (x, ...index) => x.values[index.reduce((offset, i, axis) => offset * x.dims[axis] + i, 0)];

// Values without a pattern, the same in every run.
function random(dims, seed) {
    let state = seed;
    return make(dims, () => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return Math.fround(state / 2147483648 * 4 - 2);
    });
}

class Net {
    constructor(name, x) {
        this.name = name;
        this.network = { schema: 'nasw.network/1', name, format: 'test', layout: 'nhwc', inputs: [], outputs: [], tensors: [], nodes: [] };
        this.inputs = [];
        this.wanted = [];
        this.x = this.input(x);
        this.map = this.op('max_pool', [this.x], { kernel_h: 1, kernel_w: 1, pad_mode: 'valid' });
    }
    tensor(dtype, shape, more = {}) {
        const id = this.network.tensors.length;
        this.network.tensors.push({ id, name: `t${id}`, dtype, shape, ...more });
        return id;
    }
    input(x) {
        this.inputs.push(x.values);
        this.network.inputs.push(this.tensor('float32', x.dims));
        return this.network.inputs.at(-1);
    }
    floats(x) {
        const base64 = Buffer.from(Float32Array.from(x.values).buffer).toString('base64');
        return this.tensor('float32', x.dims, { const: { base64 } });
    }
    ints(values, dims = [values.length]) {
        return this.tensor('int32', dims, { const: { values } });
    }
    op(op, inputs, attrs = {}, more = {}) {
        const { n = 1, dtype = 'float32', ...rest } = more;
        const outputs = Array.from({ length: n }, () => this.tensor(dtype, null));
        const id = this.network.nodes.length;
        if (attrs.ints)
            attrs = { ...attrs, has_ints: true };
        this.network.nodes.push({ id, op, type: op.toUpperCase(), name: `n${id}`, inputs, outputs, attrs, ...rest });
        return n === 1 ? outputs[0] : outputs;
    }
    out(id, wanted) {
        this.network.outputs.push(id);
        this.wanted.push(wanted);
        return this;
    }
}

const X = random([1, 4, 5, 6], 1);
const x = (h, w, c) => at(X, 0, h, w, c);
const same = f => make(X.dims, (n, h, w, c) => f(x(h, w, c), h, w, c));

function elementwise() {
    const tests = [];
    for (const [name, dims] of [['channels', [6]], ['ones', [1, 1, 1, 6]], ['column', [5, 1]], ['map', [1, 4, 5, 1]], ['scalar', []]]) {
        const c = random(dims, 7);
        const value = (h, w, k) => at(c, ...[0, h, w, k].slice(4 - dims.length).map((i, a) => dims[a] === 1 ? 0 : i));
        let net = new Net(`add a constant: ${name}`, X);
        tests.push(net.out(net.op('add', [net.map, net.floats(c)]), same((v, h, w, k) => v + value(h, w, k))));
        net = new Net(`subtract from an input: ${name}`, X);
        tests.push(net.out(net.op('sub', [net.input(c), net.map]), same((v, h, w, k) => value(h, w, k) - v)));
    }
    let net = new Net('activation inside', X);
    tests.push(net.out(net.op('add', [net.map, net.x], {}, { act: 'relu6' }), same(v => Math.min(Math.max(2 * v, 0), 6))));
    net = new Net('hard-swish', X);
    tests.push(net.out(net.op('hard_swish', [net.map]), same(v => v * Math.min(Math.max(v / 6 + 0.5, 0), 1))));
    net = new Net('slopes', X);
    const slopes = random([1, 1, 6], 3);
    tests.push(net.out(net.op('prelu', [net.map, net.floats(slopes)]), same((v, h, w, c) => v < 0 ? v * slopes.values[c] : v)));
    return tests;
}

function reductions() {
    const tests = [];
    for (const axes of [[1, 2], [3], [1], [1, 3], [0, 1, 2, 3]])
        for (const keep of [true, false]) {
            const net = new Net(`mean over ${axes}${keep ? ', kept' : ''}`, X);
            const dims = X.dims.map((size, axis) => axes.includes(axis) ? 1 : size);
            const mean = make(dims, (...index) => {
                const part = make(X.dims.map((size, axis) => axes.includes(axis) ? size : 1), (...inner) =>
                    at(X, ...inner.map((i, axis) => axes.includes(axis) ? i : index[axis])));
                return part.values.reduce((a, b) => a + b, 0) / part.values.length;
            });
            if (!keep)
                mean.dims = X.dims.filter((_, axis) => !axes.includes(axis));
            tests.push(net.out(net.op('reduce', [net.map, net.ints(axes)], { keep_dims: keep }), mean));
        }
    let net = new Net('softmax', X);
    tests.push(net.out(net.op('softmax', [net.map], { axis: -1 }), same((v, h, w) => {
        const row = Array.from({ length: 6 }, (_, c) => Math.exp(x(h, w, c)));
        return Math.exp(v) / row.reduce((a, b) => a + b);
    })));
    net = new Net('largest channel', X);
    tests.push(net.out(net.op('arg_max', [net.map, net.ints([3], [])], { keep_dims: false }, { dtype: 'int32', type: 'ARG_MAX' }),
        make([1, 4, 5], (n, h, w) => [0, 1, 2, 3, 4, 5].reduce((best, c) => x(h, w, c) > x(h, w, best) ? c : best, 0))));
    return tests;
}

function moves() {
    const tests = [];
    let net = new Net('concatenation of channels', X);
    tests.push(net.out(net.op('concat', [net.map, net.x], { axis: -1 }), make([1, 4, 5, 12], (n, h, w, c) => x(h, w, c % 6))));
    net = new Net('split', X);
    const parts = net.op('split', [net.map], { axis: 3 }, { n: 2 });
    tests.push(net.out(parts[0], make([1, 4, 5, 3], (n, h, w, c) => x(h, w, c))).out(parts[1], make([1, 4, 5, 3], (n, h, w, c) => x(h, w, c + 3))));
    net = new Net('strided slice', X);
    tests.push(net.out(net.op('strided_slice', [net.map, net.ints([0, 1, 4, 1]), net.ints([1, 4, 0, 6]), net.ints([1, 2, -1, 2])], { end_mask: 4 }),
        make([1, 2, 5, 3], (n, h, w, c) => x(1 + 2 * h, 4 - w, 1 + 2 * c))));
    net = new Net('slice that drops axes', X);
    tests.push(net.out(net.op('strided_slice', [net.map, net.ints([0, 2, 0, -1]), net.ints([1, 3, 5, 0]), net.ints([1, 1, 1, 1])], { shrink_mask: 10 }),
        make([1, 5], (n, w) => x(2, w, 5))));
    net = new Net('padding', X);
    const pads = net.ints([0, 0, 1, 2, 0, 3, 2, 1], [4, 2]);
    tests.push(net.out(net.op('pad', [net.map, pads], { pads_paired: true }), make([1, 7, 8, 9], (n, h, w, c) =>
        h >= 1 && h < 5 && w < 5 && c >= 2 && c < 8 ? x(h - 1, w, c - 2) : 0)));
    net = new Net('reshape', X);
    tests.push(net.out(net.op('reshape', [net.map], { ints: [1, -1, 6] }), { dims: [1, 20, 6], values: X.values }));
    net = new Net('fully connected', X);
    const weights = random([3, 120], 5);
    tests.push(net.out(net.op('fully_connected', [net.map, net.floats(weights)], { keep_dims: false }), make([1, 3], (n, o) =>
        X.values.reduce((sum, v, i) => sum + v * at(weights, o, i), 0))));
    for (const perm of [[0, 3, 1, 2], [0, 2, 1, 3], [3, 1, 2, 0]]) {
        net = new Net(`transpose ${perm}`, X);
        const turned = make(perm.map(axis => X.dims[axis]), (...index) => {
            const from = [];
            perm.forEach((axis, i) => { from[axis] = index[i]; });
            return at(X, ...from);
        });
        const t = net.op('transpose', [net.map, net.ints(perm)]);
        tests.push(net.out(net.op('max_pool', [t], { kernel_h: 1, kernel_w: 1 }), turned).out(t, turned));
    }
    net = new Net('stack', X);
    tests.push(net.out(net.op('stack', [net.map, net.x], { axis: 3 }), make([1, 4, 5, 2, 6], (n, h, w, k, c) => x(h, w, c))));
    return tests;
}

function windows() {
    const tests = [];
    const weights = random([3, 2, 2, 6], 9), deep = random([1, 2, 2, 12], 11), bias = random([3], 13);
    let net = new Net('convolution', X);
    tests.push(net.out(net.op('conv2d', [net.x, net.floats(weights), net.floats(bias)], { weight_layout: 'ohwi', pad_mode: 'valid' }),
        make([1, 3, 4, 3], (n, h, w, o) => {
            let sum = bias.values[o];
            for (let i = 0; i < 2; i++)
                for (let j = 0; j < 2; j++)
                    for (let c = 0; c < 6; c++)
                        sum += x(h + i, w + j, c) * at(weights, o, i, j, c);
            return sum;
        })));
    net = new Net('depthwise convolution', X);
    tests.push(net.out(net.op('conv2d', [net.x, net.floats(deep)], { weight_layout: 'hwio', groups: 0, pad_mode: 'valid' }),
        make([1, 3, 4, 12], (n, h, w, o) => {
            let sum = 0;
            for (let i = 0; i < 2; i++)
                for (let j = 0; j < 2; j++)
                    sum += x(h + i, w + j, o >> 1) * at(deep, 0, i, j, o);
            return sum;
        })));
    net = new Net('transposed convolution', X);
    tests.push(net.out(net.op('conv_transpose2d', [net.x, net.floats(weights)], { weight_layout: 'ohwi', stride_h: 2, stride_w: 2, pad_mode: 'same_upper', ints: [8, 10] }),
        make([1, 8, 10, 3], (n, h, w, o) => [0, 1, 2, 3, 4, 5].reduce((sum, c) => sum + x(h >> 1, w >> 1, c) * at(weights, o, h & 1, w & 1, c), 0))));
    net = new Net('nearest neighbours', X);
    tests.push(net.out(net.op('resize', [net.map, net.ints([8, 10])], { resize_form: 'size_hw', resize_mode: 'nearest', rounding: 'floor' }),
        make([1, 8, 10, 6], (n, h, w, c) => x(h >> 1, w >> 1, c))));
    net = new Net('bilinear', X);
    tests.push(net.out(net.op('resize', [net.map, net.ints([8, 5])], { resize_form: 'size_hw', resize_mode: 'linear', half_pixel: true }),
        make([1, 8, 5, 6], (n, h, w, c) => {
            const y = Math.min(Math.max((h + 0.5) / 2 - 0.5, 0), 3), low = Math.floor(y), high = Math.min(low + 1, 3);
            return x(low, w, c) * (1 - (y - low)) + x(high, w, c) * (y - low);
        })));
    return tests;
}

function blocks() {
    const Y = random([1, 4, 6, 8], 15), y = (h, w, c) => at(Y, 0, h, w, c);
    const tests = [];
    let net = new Net('depth to space', Y);
    tests.push(net.out(net.op('depth_to_space', [net.map], { block: 2 }), make([1, 8, 12, 2], (n, h, w, c) =>
        y(h >> 1, w >> 1, ((h & 1) * 2 + (w & 1)) * 2 + c))));
    net = new Net('space to depth', Y);
    tests.push(net.out(net.op('space_to_depth', [net.map], { block: 2 }), make([1, 2, 3, 32], (n, h, w, c) =>
        y(2 * h + (c >> 4), 2 * w + (c >> 3 & 1), c & 7))));
    net = new Net('space to batch', Y);
    const edges = () => net.ints([1, 1, 0, 0], [2, 2]), block = () => net.ints([2, 2]);
    const batch = net.op('space_to_batch', [net.map, block(), edges()]);
    tests.push(net.out(batch, make([4, 3, 3, 8], (n, h, w, c) => {
        const row = 2 * h + (n >> 1) - 1;
        return row >= 0 && row < 4 ? y(row, 2 * w + (n & 1), c) : 0;
    })).out(net.op('batch_to_space', [batch, block(), edges()]), Y));
    net = new Net('channel shuffle', Y);
    tests.push(net.out(net.op('channel_shuffle', [net.map], { groups: 2 }), make(Y.dims, (n, h, w, c) => y(h, w, (c & 1) * 4 + (c >> 1)))));
    return tests;
}

exports.tests = () => [...elementwise(), ...reductions(), ...moves(), ...windows(), ...blocks()];
