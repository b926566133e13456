#include "src/format/onnx_ops.h"

void nw_onnx_set_type(nw_onnx_draft *d, int i, nw_dtype dtype)
{
    if (i < d->n_outputs && d->outputs[i] != NW_NONE && dtype != NW_DTYPE_UNKNOWN)
        d->in->graph->tensors[d->outputs[i]].dtype = dtype;
}

static nw_dtype input_type(const nw_onnx_draft *d, int i)
{
    nw_tensor_id id = nw_onnx_input(d, i);
    return id == NW_NONE ? NW_DTYPE_UNKNOWN : d->in->graph->tensors[id].dtype;
}

void nw_onnx_read_quantise(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.axis = nw_onnx_int32(d, "axis", 1);
    nw_dtype dtype = input_type(d, 2);
    if (dtype == NW_DTYPE_UNKNOWN)
        dtype = nw_onnx_dtype(nw_onnx_int32(d, "output_dtype", 0));
    if (d->n_outputs < 1 || d->outputs[0] == NW_NONE)
        return;
    if (dtype != NW_DTYPE_UNKNOWN || d->in->graph->tensors[d->outputs[0]].dtype == NW_DTYPE_UNKNOWN)
        nw_onnx_set_type(d, 0, dtype == NW_DTYPE_UNKNOWN ? NW_DTYPE_UINT8 : dtype);
    nw_onnx_quantise(d->in, d->outputs[0], nw_onnx_input(d, 1), nw_onnx_input(d, 2), d->attrs.axis);
}

void nw_onnx_read_dequantise(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.axis = nw_onnx_int32(d, "axis", 1);
    if (d->n_outputs > 0 && d->outputs[0] != NW_NONE &&
        d->in->graph->tensors[d->outputs[0]].dtype == NW_DTYPE_UNKNOWN)
        nw_onnx_set_type(d, 0, input_type(d, 1));
    nw_onnx_quantise(d->in, nw_onnx_input(d, 0), nw_onnx_input(d, 1), nw_onnx_input(d, 2),
                     d->attrs.axis);
}

/* y, and its scale and zero point as computed tensors. */
void nw_onnx_read_dynamic_quantise(nw_onnx_draft *d, int arg)
{
    (void)arg;
    for (int i = 1; i < d->n_outputs && i < 3; i++)
        if (d->outputs[i] != NW_NONE)
            d->in->graph->tensors[d->outputs[i]].stored_shape = (nw_shape){.rank = 0};
    nw_onnx_set_type(d, 1, NW_DTYPE_FLOAT32);
    nw_onnx_set_type(d, 2, NW_DTYPE_UINT8);
}

void nw_onnx_apply_roles(nw_onnx_draft *d, const char *roles)
{
    nw_tensor_id data = NW_NONE, scale = NW_NONE, out_scale = NW_NONE;
    int n = 0;
    const char *repeat = NULL;
    /* per output channel: the first axis of a convolution's weights, the last of a matrix */
    int axis = d->op == NW_OP_CONV2D ? 0 : -1;
    for (int i = 0; i < d->n_inputs; i++) {
        nw_tensor_id id = d->inputs[i], next = nw_onnx_input(d, i + 1);
        if (*roles == '(')
            repeat = ++roles;
        switch (*roles) {
        case 'd':
            data = d->inputs[n++] = id;
            break;
        case 's':
            scale = id;
            nw_onnx_quantise(d->in, data, scale, roles[1] == 'z' ? next : NW_NONE, axis);
            break;
        case 'S':
            out_scale = id;
            if (d->n_outputs)
                nw_onnx_quantise(d->in, d->outputs[0], out_scale, next, axis);
            break;
        case 'Z':
            nw_onnx_set_type(d, 0, input_type(d, i));
            break;
        default:
            break;
        }
        roles += *roles != '\0';
        if (!*roles && repeat)
            roles = repeat;
    }
    while (n && d->inputs[n - 1] == NW_NONE)
        n--;
    d->n_inputs = n;
}
