// What of an ONNX file the checks need, read from its bytes (protobuf, field numbers of onnx.proto),
// and its multiply-accumulates counted from shapes that onnxruntime gives.
'use strict';

// [field, value] of a message; a value is a number, or the bytes of what has a length.
function* fields(bytes) {
    let at = 0;
    const varint = () => {
        let value = 0, scale = 1, byte;
        do {
            byte = bytes[at++];
            value += (byte & 127) * scale;
            scale *= 128;
        } while (byte & 128);
        return value;
    };
    while (at < bytes.length) {
        const key = varint(), type = key & 7;
        let value;
        if (type === 0) {
            value = varint();
        } else {
            const length = type === 2 ? varint() : type === 1 ? 8 : 4;
            value = bytes.subarray(at, at += length);
        }
        yield [Math.floor(key / 8), value];
    }
}

const text = bytes => Buffer.from(bytes).toString('utf8');

// Numbers that stand one by one or packed together.
function integers(value) {
    if (typeof value === 'number')
        return [value];
    const list = [];
    for (let at = 0; at < value.length;) {
        let number = 0, scale = 1, byte;
        do {
            byte = value[at++];
            number += (byte & 127) * scale;
            scale *= 128;
        } while (byte & 128);
        list.push(number);
    }
    return list;
}

function readNode(bytes) {
    const node = { inputs: [], outputs: [], type: '', attributes: {} };
    for (const [field, value] of fields(bytes)) {
        if (field === 1)
            node.inputs.push(text(value));
        else if (field === 2)
            node.outputs.push(text(value));
        else if (field === 4)
            node.type = text(value);
        else if (field === 5) {
            const parts = Object.fromEntries(fields(value));
            node.attributes[text(parts[1])] = parts[3];
        }
    }
    return node;
}

// { nodes, dims: of the initializers by name, outputs, producer, ir, opset }
function read(bytes) {
    const model = { nodes: [], dims: {}, outputs: [] };
    for (const [field, value] of fields(bytes)) {
        if (field === 1)
            model.ir = value;
        else if (field === 2)
            model.producer = text(value);
        else if (field === 8)
            model.opset = Object.fromEntries(fields(value))[2];
        else if (field === 7)
            for (const [part, content] of fields(value)) {
                if (part === 1) {
                    model.nodes.push(readNode(content));
                } else if (part === 5) {
                    const dims = [];
                    let name = '';
                    for (const [of, x] of fields(content)) {
                        if (of === 1)
                            dims.push(...integers(x));
                        else if (of === 8)
                            name = text(x);
                    }
                    model.dims[name] = dims;
                } else if (part === 12) {
                    model.outputs.push(text(Object.fromEntries(fields(content))[1]));
                }
            }
    }
    return model;
}

function message(field, bytes) {
    const head = [field * 8 + 2];
    for (let length = bytes.length; ; length = Math.floor(length / 128)) {
        head.push(length % 128 + (length >= 128 ? 128 : 0));
        if (length < 128)
            break;
    }
    return Buffer.concat([Buffer.from(head), bytes]);
}

// The model with these tensors as outputs too: a second graph behind the first adds to it.
function withOutputs(bytes, names) {
    const infos = names.map(name => message(12, message(1, Buffer.from(name, 'utf8'))));
    return Buffer.concat([bytes, message(7, Buffer.concat(infos))]);
}

const counted = new Set(['Conv', 'ConvTranspose', 'MatMul', 'Gemm']);
const product = list => list.reduce((a, b) => a * b, 1);

// The tensors whose shapes the count needs and no initializer tells.
function wanted(model) {
    const names = new Set();
    for (const node of model.nodes)
        if (counted.has(node.type))
            [node.inputs[0], node.inputs[1], node.outputs[0]].forEach(name => names.add(name));
    return [...names].filter(name => !(name in model.dims) && !model.outputs.includes(name));
}

// One for each product of a sum. dims: of every tensor named by `wanted`, by name.
function macs(model, dims) {
    const of = name => model.dims[name] || dims[name];
    let sum = 0;
    for (const node of model.nodes) {
        const [x, w] = node.inputs, y = node.outputs[0];
        if (node.type === 'Conv')
            sum += product(of(y)) * product(of(w).slice(1));
        else if (node.type === 'ConvTranspose')
            sum += product(of(x)) * product(of(w).slice(1));
        else if (node.type === 'MatMul')
            sum += product(of(y)) * of(x).at(-1);
        else if (node.type === 'Gemm')
            sum += product(of(y)) * of(x)[node.attributes.transA ? 0 : 1];
    }
    return sum;
}

module.exports = { read, withOutputs, wanted, macs };
