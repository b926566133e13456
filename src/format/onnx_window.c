#include "src/format/onnx_ops.h"

/* ---- windows ---- */

/* All lists of a window are for the same axes; the first one says how many. */
static void check_axes(nw_onnx_draft *d, const char *name, int n, int *n_axes)
{
    if (*n_axes && n != *n_axes)
        nw_onnx_draft_fail(d, "attribute '%s' is for %d axes, the others for %d", name, n, *n_axes);
    *n_axes = n;
}

/* One or two numbers, height and width; a row of its own for rank 3. False if there are more. */
static bool read_pair(nw_onnx_draft *d, const char *name, int64_t least, int32_t *h, int32_t *w,
                      int *n_axes)
{
    int n;
    const int64_t *values = nw_onnx_ints(d, name, &n);
    if (!values || !n)
        return true;
    if (n > 2)
        return false;
    check_axes(d, name, n, n_axes);
    for (int i = 0; i < n; i++)
        if (values[i] < least || values[i] > INT32_MAX)
            nw_onnx_draft_fail(d, "attribute '%s' is out of range (%lld)", name,
                               (long long)values[i]);
    if (n == 2)
        *h = (int32_t)values[0];
    *w = (int32_t)values[n - 1];
    return true;
}

static bool read_pads(nw_onnx_draft *d, int *n_axes)
{
    int n;
    const int64_t *values = nw_onnx_ints(d, "pads", &n);
    if (!values || !n)
        return true;
    if (n > 4)
        return false;
    if (n % 2)
        nw_onnx_draft_fail(d, "attribute 'pads' has %d values; it needs two for each axis", n);
    check_axes(d, "pads", n / 2, n_axes);
    for (int i = 0; i < n; i++)
        if (values[i] < INT32_MIN || values[i] > INT32_MAX)
            nw_onnx_draft_fail(d, "attribute 'pads' is out of range (%lld)", (long long)values[i]);
    if (d->status != NW_OK)
        return true;
    if (n == 4) {
        d->attrs.pad_top = (int32_t)values[0];
        d->attrs.pad_bottom = (int32_t)values[2];
    }
    d->attrs.pad_left = (int32_t)values[n / 2 - 1];
    d->attrs.pad_right = (int32_t)values[n - 1];
    return true;
}

/* Windows over three axes and more are beyond our attributes. */
static void read_window(nw_onnx_draft *d)
{
    nw_attrs *a = &d->attrs;
    int n_axes = 0;
    a->kernel_h = 1;
    if (!read_pair(d, "kernel_shape", 1, &a->kernel_h, &a->kernel_w, &n_axes) ||
        !read_pair(d, "strides", 1, &a->stride_h, &a->stride_w, &n_axes) ||
        !read_pair(d, "dilations", 1, &a->dilation_h, &a->dilation_w, &n_axes) ||
        !read_pads(d, &n_axes))
        d->op = NW_OP_OPAQUE;
    a->pad_mode = nw_onnx_is_text(d, "auto_pad", "SAME_UPPER")   ? NW_PAD_SAME_UPPER
                  : nw_onnx_is_text(d, "auto_pad", "SAME_LOWER") ? NW_PAD_SAME_LOWER
                  : nw_onnx_is_text(d, "auto_pad", "VALID")      ? NW_PAD_VALID
                                                                 : NW_PAD_EXPLICIT;
}

/* Operators of onnxruntime with an activation inside. */
static void read_activation(nw_onnx_draft *d)
{
    int n;
    const float *bounds = nw_onnx_floats(d, "activation_params", &n);
    if (nw_onnx_is_text(d, "activation", "Relu"))
        d->act = NW_ACT_RELU;
    else if (nw_onnx_is_text(d, "activation", "Tanh"))
        d->act = NW_ACT_TANH;
    else if (nw_onnx_is_text(d, "activation", "Clip") && n == 2 && bounds[0] == 0 && bounds[1] == 6)
        d->act = NW_ACT_RELU6;
    else if (nw_onnx_has(d, "activation"))
        d->attrs.is_partial = true;
}

void nw_onnx_read_conv(nw_onnx_draft *d, int weight_layout)
{
    read_window(d);
    d->attrs.weight_layout = (uint8_t)weight_layout;
    d->attrs.groups = nw_onnx_int32(d, "group", 1);
    if (d->attrs.groups < 1)
        nw_onnx_draft_fail(d, "attribute 'group' is %d", (int)d->attrs.groups);
    nw_tensor_id w = nw_onnx_input(d, 1);
    if (w != NW_NONE && d->in->graph->tensors[w].shape.rank > 4)
        d->op = NW_OP_OPAQUE;
    read_activation(d);
}

void nw_onnx_read_conv_transpose(nw_onnx_draft *d, int arg)
{
    int n, n_axes = 0;
    nw_onnx_read_conv(d, arg);
    if (!read_pair(d, "output_padding", 0, &d->attrs.output_pad_h, &d->attrs.output_pad_w, &n_axes))
        d->op = NW_OP_OPAQUE;
    const int64_t *size = nw_onnx_ints(d, "output_shape", &n);
    if (!size || !n || d->op == NW_OP_OPAQUE)
        return;
    if (n == 1) { /* a row */
        const int64_t row[2] = {1, size[0]};
        nw_onnx_set_ints(d, row, 2);
    } else { /* some files name all four dimensions */
        nw_onnx_set_ints(d, size + n - 2, 2);
    }
}

void nw_onnx_read_pool(nw_onnx_draft *d, int arg)
{
    (void)arg;
    read_window(d);
    d->attrs.ceil_mode = nw_onnx_int(d, "ceil_mode", 0) != 0;
    d->attrs.counts_pads = nw_onnx_int(d, "count_include_pad", 0) != 0;
    if (!nw_onnx_has(d, "kernel_shape"))
        nw_onnx_draft_fail(d, "has no attribute 'kernel_shape'");
    if (d->n_outputs > 1 && d->outputs[1] != NW_NONE)
        d->in->graph->tensors[d->outputs[1]].dtype = NW_DTYPE_INT64;
    if (nw_onnx_int(d, "channels_last", 0))
        d->op = NW_OP_OPAQUE;
}

void nw_onnx_read_global_pool(nw_onnx_draft *d, int reduce)
{
    d->attrs.reduce = (uint8_t)reduce;
    if (nw_onnx_int(d, "channels_last", 0))
        d->op = NW_OP_OPAQUE;
}

/* ---- products ---- */

void nw_onnx_read_gemm(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.transpose_a = nw_onnx_int(d, "transA", 0) != 0;
    d->attrs.transpose_b = nw_onnx_int(d, "transB", 0) != 0;
    d->attrs.weight_layout = d->attrs.transpose_b ? NW_WEIGHTS_OIHW : NW_WEIGHTS_IOHW;
    d->attrs.keep_dims = false;
    d->attrs.alpha = nw_onnx_float(d, "alpha", 1);
    d->attrs.beta = nw_onnx_float(d, "beta", 1);
    (void)nw_onnx_int(d, "broadcast", 0); /* said once that the bias may be a row */
    read_activation(d);
}

void nw_onnx_read_matmul(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.transpose_a = nw_onnx_int(d, "transA", 0) != 0;
    d->attrs.transpose_b = nw_onnx_int(d, "transB", 0) != 0;
    if (nw_onnx_int(d, "transBatchA", 0) || nw_onnx_int(d, "transBatchB", 0))
        d->op = NW_OP_OPAQUE;
    d->attrs.is_partial = nw_onnx_float(d, "alpha", 1) != 1;
}

/* ---- resizing ---- */

static void read_resize_mode(nw_onnx_draft *d)
{
    d->attrs.resize_mode =
        nw_onnx_is_text(d, "mode", "linear") || nw_onnx_is_text(d, "mode", "bilinear")
            ? NW_RESIZE_LINEAR
        : nw_onnx_is_text(d, "mode", "cubic") || nw_onnx_is_text(d, "mode", "bicubic")
            ? NW_RESIZE_CUBIC
            : NW_RESIZE_NEAREST;
}

void nw_onnx_read_upsample(nw_onnx_draft *d, int arg)
{
    int n;
    (void)arg;
    read_resize_mode(d);
    d->attrs.rounding =
        d->attrs.resize_mode == NW_RESIZE_NEAREST ? NW_ROUND_FLOOR : NW_ROUND_HALF_DOWN;
    d->attrs.resize_form = NW_RESIZE_SCALES;
    const float *scales = nw_onnx_floats(d, "scales", &n);
    if (scales)
        nw_onnx_set_floats(d, scales, n);
    if (nw_onnx_has(d, "height_scale") || nw_onnx_has(d, "width_scale")) {
        const float hw[4] = {1, 1, nw_onnx_float(d, "height_scale", 1),
                             nw_onnx_float(d, "width_scale", 1)};
        nw_onnx_set_floats(d, hw, 4);
    }
}

/* An optional tensor may be there and empty. */
static bool is_given(const nw_onnx_draft *d, nw_tensor_id id)
{
    if (id == NW_NONE)
        return false;
    const nw_tensor *tensor = &d->in->graph->tensors[id];
    return !tensor->is_stored || tensor->shape.rank < 0 || nw_shape_elements(&tensor->shape) > 0;
}

/* Since opset 18 the list may be for some axes only: height and width, or all of them in order. */
static void read_resize_axes(nw_onnx_draft *d)
{
    int n;
    const int64_t *axes = nw_onnx_ints(d, "axes", &n);
    if (!axes || !n)
        return;
    bool is_hw = n == 2 && ((axes[0] == 2 && axes[1] == 3) || (axes[0] == -2 && axes[1] == -1));
    bool is_all = axes[0] == 0;
    for (int i = 0; i < n; i++)
        is_all &= axes[i] == i;
    float scales[4] = {1, 1, 1, 1};
    double value;
    if (is_hw && d->attrs.resize_form == NW_RESIZE_SIZES) {
        d->attrs.resize_form = NW_RESIZE_SIZE_HW;
    } else if (is_hw && nw_onnx_value(d->in, d->inputs[1], 0, &value, NULL)) {
        scales[2] = (float)value;
        if (nw_onnx_value(d->in, d->inputs[1], 1, &value, NULL))
            scales[3] = (float)value;
        nw_onnx_set_floats(d, scales, 4);
        d->n_inputs = 1;
    } else if (!is_all) {
        d->op = NW_OP_OPAQUE;
    }
}

/* How the result's coordinates are turned into the input's, and which element is then taken. */
static void read_coordinates(nw_onnx_draft *d, bool is_first)
{
    static const char name[] = "coordinate_transformation_mode";
    nw_attrs *a = &d->attrs;
    bool is_torch = nw_onnx_is_text(d, name, "pytorch_half_pixel");
    bool is_old_half = nw_onnx_is_text(d, name, "tf_half_pixel_for_nn");
    a->align_corners = nw_onnx_is_text(d, name, "align_corners");
    a->half_pixel = !is_first && (!nw_onnx_has(d, name) || is_torch || is_old_half ||
                                  nw_onnx_is_text(d, name, "half_pixel"));
    a->one_from_zero = is_torch;
    a->rounding = is_first                                                  ? NW_ROUND_FLOOR
                  : nw_onnx_is_text(d, "nearest_mode", "floor")             ? NW_ROUND_FLOOR
                  : nw_onnx_is_text(d, "nearest_mode", "ceil")              ? NW_ROUND_CEIL
                  : nw_onnx_is_text(d, "nearest_mode", "round_prefer_ceil") ? NW_ROUND_HALF_UP
                                                                            : NW_ROUND_HALF_DOWN;
    a->is_partial = (is_old_half && a->rounding != NW_ROUND_FLOOR) ||
                    (!is_first && !a->align_corners && !a->half_pixel &&
                     !nw_onnx_is_text(d, name, "asymmetric"));
    if (is_old_half) /* which takes no half off again: the nearest, halves up, of what does */
        a->rounding = NW_ROUND_HALF_UP;
    if (a->resize_mode != NW_RESIZE_NEAREST)
        a->rounding = NW_ROUND_HALF_DOWN; /* nothing to round */
    float cubic = nw_onnx_float(d, "cubic_coeff_a", -0.75f);
    a->alpha = a->resize_mode == NW_RESIZE_CUBIC ? cubic : 0;
}

void nw_onnx_read_resize(nw_onnx_draft *d, int arg)
{
    (void)arg;
    read_resize_mode(d);
    bool is_first = d->in->opset < 11; /* x, scales; later x, roi, scales, sizes */
    nw_tensor_id scales = nw_onnx_input(d, is_first ? 1 : 2);
    nw_tensor_id sizes = is_first ? NW_NONE : nw_onnx_input(d, 3);
    bool by_size = is_given(d, sizes);
    if (!by_size && scales == NW_NONE) {
        nw_onnx_draft_fail(d, "has neither scales nor sizes");
        return;
    }
    d->attrs.resize_form = by_size ? NW_RESIZE_SIZES : NW_RESIZE_SCALES;
    d->inputs[1] = by_size ? sizes : scales;
    d->n_inputs = 2;
    read_coordinates(d, is_first);
    read_resize_axes(d);
    if (nw_onnx_has(d, "keep_aspect_ratio_policy") &&
        !nw_onnx_is_text(d, "keep_aspect_ratio_policy", "stretch"))
        d->op = NW_OP_OPAQUE;
}
