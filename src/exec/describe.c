/* describe.c - one part of a kernel as a oneDNN primitive. All that version 3 of the library took
 * away is called here: descriptors filled by *_desc_init, output scales, scales by argument.
 *
 * Maps are fixed to N,H,W,C: a convolution whose input is fixed and whose output is left open
 * silently gets a reference kernel. Only weights are left open.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/exec/onednn.h"

#define MAX_BYTES ((int64_t)512 << 20) /* of one tensor */
#define MAX_WORK  1e11                 /* taps and products of one kernel: some seconds */
#define MAX_REACH 65536                /* rows or columns that a window spans */

/* On the way from a shape to a chosen primitive. */
typedef struct draft {
    const nw_kernel_shape *shape;
    const nw_kernel_part *part;
    dnnl_memory_desc_t *memories; /* the plan's */
    dnnl_memory_desc_t plain_weights;
    dnnl_data_type_t type, weight_type, bias_type;
    union {
        dnnl_convolution_desc_t conv;
        dnnl_deconvolution_desc_t deconv;
        dnnl_inner_product_desc_t product;
        dnnl_matmul_desc_t matmul;
        dnnl_pooling_v2_desc_t pool;
        dnnl_binary_desc_t binary;
        dnnl_eltwise_desc_t eltwise;
        dnnl_resampling_desc_t resampling;
        dnnl_softmax_v2_desc_t softmax;
    } desc;
    bool is_reorder;
    bool has_act, has_residual;
    dnnl_primitive_attr_t attr;
} draft;

/* ---- what may be tried ---- */

static bool is_within(double a, double b, double c, double element_bytes)
{
    return a > 0 && b > 0 && c > 0 && a * b * c * element_bytes <= (double)MAX_BYTES;
}

static const char *check_part(const nw_kernel_part *p, double element_bytes)
{
    const double in_c = (double)p->in_c, out_c = (double)p->out_c;
    if (p->groups < 1 || p->kernel_h < 1 || p->kernel_w < 1 || p->stride_h < 1 || p->stride_w < 1 ||
        p->dilation_h < 1 || p->dilation_w < 1)
        return "sizes of windows and groups are at least 1";
    if (!is_within((double)p->in_h, (double)p->in_w, in_c, element_bytes) ||
        !is_within((double)p->out_h, (double)p->out_w, out_c, element_bytes))
        return "a map is empty or of more than 512 MiB";
    if (p->in_c % p->groups != 0 || p->out_c % p->groups != 0)
        return "groups divide the channels";
    bool is_pool = p->kind == NW_KERNEL_POOL;
    double taps = (double)p->kernel_h * p->kernel_w;
    double factors = p->kind == NW_KERNEL_MATMUL ? (double)p->in_h * in_c : in_c / p->groups * taps;
    if (!is_pool && !is_within(factors, out_c, 1, element_bytes))
        return "weights of more than 512 MiB";
    if (is_pool && (double)p->out_h * (double)p->out_w * out_c * taps > MAX_WORK)
        return "too much work to be timed";
    return NULL;
}

const char *nw_exec_check_shape(const nw_kernel_shape *s)
{
    bool is_float32 = s->is_float && s->bits == 32 && s->weight_bits == 32;
    bool is_int8 = !s->is_float && s->bits == 8 && s->weight_bits == 8;
    if (!is_float32 && !is_int8)
        return "float32 and int8 are run";
    if (s->n_parts < 1 || s->n_parts > NW_KERNEL_PARTS)
        return "no such kernel";
    for (int i = 0; i < s->n_parts; i++) {
        const char *why = check_part(&s->parts[i], is_float32 ? sizeof(float) : 1);
        if (why)
            return why;
    }
    const nw_kernel_part *a = &s->parts[0], *b = &s->parts[1];
    if (s->n_parts > 1 && (a->out_h != b->in_h || a->out_w != b->in_w || a->out_c != b->in_c))
        return "the second part reads what the first one writes";
    bool has_operand =
        a->kind == NW_KERNEL_MATMUL || a->kind == NW_KERNEL_ADD || a->kind == NW_KERNEL_MUL;
    if (has_operand && s->residual)
        return "one map beside the input is read, not two";
    return (double)nw_kernel_shape_macs(s) > MAX_WORK ? "too much work to be timed" : NULL;
}

/* ---- maps and weights ---- */

static void describe(draft *d, int arg, int n_dims, const dnnl_dim_t *sizes, dnnl_data_type_t type,
                     dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = {0};
    memcpy(dims, sizes, (size_t)n_dims * sizeof *sizes);
    dnnl_memory_desc_init_by_tag(&d->memories[arg], n_dims, dims, type, tag);
}

static void describe_map(draft *d, int arg, int64_t h, int64_t w, int64_t c, dnnl_data_type_t type)
{
    describe(d, arg, 4, (dnnl_dim_t[]){1, c, h, w}, type, dnnl_nhwc);
}

static void describe_maps(draft *d)
{
    const nw_kernel_part *p = d->part;
    describe_map(d, NW_ARG_IN, p->in_h, p->in_w, p->in_c, d->type);
    describe_map(d, NW_ARG_OUT, p->out_h, p->out_w, p->out_c, d->type);
}

/* As the caller has them, and open for the library to choose. */
static void describe_weights(draft *d, int n_dims, const dnnl_dim_t *sizes, dnnl_format_tag_t plain)
{
    describe(d, NW_ARG_WEIGHTS, n_dims, sizes, d->weight_type, plain);
    d->plain_weights = d->memories[NW_ARG_WEIGHTS];
    describe(d, NW_ARG_WEIGHTS, n_dims, sizes, d->weight_type, dnnl_format_tag_any);
    describe(d, NW_ARG_BIAS, 1, (dnnl_dim_t[]){d->part->out_c}, d->bias_type, dnnl_x);
}

/* Rows, then columns. pad: what the windows reach beyond the input, the smaller half in front. */
typedef struct window {
    dnnl_dims_t kernel, stride, dilation, pad_begin, pad_end;
} window;

/* A transposed convolution's window runs over its output. */
static const char *find_window(const nw_kernel_part *p, window *out)
{
    const int64_t in[2] = {p->in_h, p->in_w}, result[2] = {p->out_h, p->out_w};
    const int64_t kernel[2] = {p->kernel_h, p->kernel_w}, stride[2] = {p->stride_h, p->stride_w};
    const int64_t dilation[2] = {p->dilation_h, p->dilation_w};
    bool is_transposed = p->kind == NW_KERNEL_CONV_TRANSPOSE;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < 2; i++) {
        int64_t reach = (kernel[i] - 1) * dilation[i] + 1;
        int64_t from = is_transposed ? result[i] : in[i], to = is_transposed ? in[i] : result[i];
        if (reach > MAX_REACH)
            return "a window spans more than 65536 rows or columns";
        int64_t pad = (to - 1) * stride[i] + reach - from;
        pad = pad > 0 ? pad : 0;
        /* What is joined makes the library's code fail in such windows. */
        if (pad > 2 * (reach - 1) || (kernel[i] > 1 && dilation[i] > from))
            return "a window sees nothing but padding";
        out->kernel[i] = kernel[i];
        out->stride[i] = stride[i];
        out->dilation[i] = dilation[i] - 1;
        out->pad_begin[i] = pad / 2;
        out->pad_end[i] = pad - pad / 2;
        if (from + pad < reach || (from + pad - reach) / stride[i] + 1 != to)
            return "the sizes leave rows or columns that no window sees";
    }
    return NULL;
}

static const char *verdict(dnnl_status_t status)
{
    return status == dnnl_success ? NULL : "oneDNN takes no such sizes";
}

/* ---- kinds ---- */

static const char *describe_conv(draft *d)
{
    const nw_kernel_part *p = d->part;
    const dnnl_memory_desc_t *m = d->memories;
    window w;
    const char *why = find_window(p, &w);
    if (why)
        return why;
    bool is_grouped = p->groups > 1;
    const dnnl_dim_t sizes[5] = {p->groups, p->out_c / p->groups, p->in_c / p->groups, p->kernel_h,
                                 p->kernel_w};
    describe_maps(d);
    describe_weights(d, 4 + is_grouped, sizes + !is_grouped, is_grouped ? dnnl_goihw : dnnl_oihw);
    if (p->kind == NW_KERNEL_CONV_TRANSPOSE)
        return verdict(dnnl_dilated_deconvolution_forward_desc_init(
            &d->desc.deconv, dnnl_forward_inference, dnnl_deconvolution_direct, &m[NW_ARG_IN],
            &m[NW_ARG_WEIGHTS], &m[NW_ARG_BIAS], &m[NW_ARG_OUT], w.stride, w.dilation, w.pad_begin,
            w.pad_end));
    return verdict(dnnl_dilated_convolution_forward_desc_init(
        &d->desc.conv, dnnl_forward_inference, dnnl_convolution_direct, &m[NW_ARG_IN],
        &m[NW_ARG_WEIGHTS], &m[NW_ARG_BIAS], &m[NW_ARG_OUT], w.stride, w.dilation, w.pad_begin,
        w.pad_end));
}

static const char *describe_product(draft *d)
{
    const nw_kernel_part *p = d->part;
    const dnnl_memory_desc_t *m = d->memories;
    int64_t rows = p->in_h * p->in_w;
    if (p->out_h * p->out_w != rows)
        return "a fully connected kernel keeps its rows";
    describe(d, NW_ARG_IN, 2, (dnnl_dim_t[]){rows, p->in_c}, d->type, dnnl_nc);
    describe(d, NW_ARG_OUT, 2, (dnnl_dim_t[]){rows, p->out_c}, d->type, dnnl_nc);
    describe_weights(d, 2, (dnnl_dim_t[]){p->out_c, p->in_c}, dnnl_oi);
    return verdict(dnnl_inner_product_forward_desc_init(&d->desc.product, dnnl_forward_inference,
                                                        &m[NW_ARG_IN], &m[NW_ARG_WEIGHTS],
                                                        &m[NW_ARG_BIAS], &m[NW_ARG_OUT]));
}

static const char *describe_matmul(draft *d)
{
    const nw_kernel_part *p = d->part;
    const dnnl_memory_desc_t *m = d->memories;
    describe(d, NW_ARG_IN, 3, (dnnl_dim_t[]){p->in_h, p->in_w, p->in_c}, d->type, dnnl_abc);
    describe(d, NW_ARG_SECOND, 3, (dnnl_dim_t[]){p->in_h, p->in_c, p->out_c}, d->weight_type,
             dnnl_abc);
    describe(d, NW_ARG_OUT, 3, (dnnl_dim_t[]){p->in_h, p->in_w, p->out_c}, d->type, dnnl_abc);
    return verdict(dnnl_matmul_desc_init(&d->desc.matmul, &m[NW_ARG_IN], &m[NW_ARG_SECOND], NULL,
                                         &m[NW_ARG_OUT]));
}

static const char *describe_pool(draft *d)
{
    window w;
    const char *why = find_window(d->part, &w);
    if (why)
        return why;
    describe_maps(d);
    return verdict(dnnl_pooling_v2_forward_desc_init(
        &d->desc.pool, dnnl_forward_inference, dnnl_pooling_avg_exclude_padding,
        &d->memories[NW_ARG_IN], &d->memories[NW_ARG_OUT], w.stride, w.kernel, w.dilation,
        w.pad_begin, w.pad_end));
}

static bool keeps_size(const nw_kernel_part *p)
{
    return p->in_h == p->out_h && p->in_w == p->out_w && p->in_c == p->out_c;
}

static const char *describe_binary(draft *d)
{
    const nw_kernel_part *p = d->part;
    dnnl_alg_kind_t kind = p->kind == NW_KERNEL_ADD ? dnnl_binary_add : dnnl_binary_mul;
    bool is_full = d->shape->n_maps > 1;
    if (!keeps_size(p) || d->shape->n_maps > 2)
        return "two maps of one size, or one and a value a channel, are run";
    describe_maps(d);
    describe_map(d, NW_ARG_SECOND, is_full ? p->in_h : 1, is_full ? p->in_w : 1, p->in_c, d->type);
    return verdict(dnnl_binary_desc_init(&d->desc.binary, kind, &d->memories[NW_ARG_IN],
                                         &d->memories[NW_ARG_SECOND], &d->memories[NW_ARG_OUT]));
}

typedef struct activation {
    dnnl_alg_kind_t kind;
    float alpha, beta;
} activation;

static activation activation_of(const draft *d)
{
    if (d->shape->act == NW_KERNEL_ACT_LUT)
        return (activation){dnnl_eltwise_hardswish, 0, 0};
    return (activation){dnnl_eltwise_clip, 0, d->type == dnnl_f32 ? 6 : UINT8_MAX};
}

static const char *describe_act(draft *d)
{
    activation act = activation_of(d);
    if (!keeps_size(d->part))
        return "an activation keeps its size";
    if (d->type != dnnl_f32 && d->shape->act == NW_KERNEL_ACT_LUT)
        return "oneDNN has no such activation of integers";
    if (d->type != dnnl_f32)
        act = (activation){dnnl_eltwise_relu, 0, 0}; /* the only clamp it has for them */
    describe_maps(d);
    return verdict(dnnl_eltwise_forward_desc_init(&d->desc.eltwise, dnnl_forward_inference,
                                                  act.kind, &d->memories[NW_ARG_IN], act.alpha,
                                                  act.beta));
}

static const char *describe_resize(draft *d)
{
    const nw_kernel_part *p = d->part;
    const float factors[2] = {(float)p->out_h / (float)p->in_h, (float)p->out_w / (float)p->in_w};
    if (p->in_c != p->out_c)
        return "a resize keeps its channels";
    describe_maps(d);
    return verdict(dnnl_resampling_forward_desc_init(
        &d->desc.resampling, dnnl_forward_inference, dnnl_resampling_linear, factors,
        &d->memories[NW_ARG_IN], &d->memories[NW_ARG_OUT]));
}

static const char *describe_softmax(draft *d)
{
    if (!keeps_size(d->part))
        return "a softmax keeps its size";
    describe_maps(d);
    return verdict(dnnl_softmax_v2_forward_desc_init(&d->desc.softmax, dnnl_forward_inference,
                                                     dnnl_softmax_accurate, &d->memories[NW_ARG_IN],
                                                     &d->memories[NW_ARG_OUT], 1));
}

/* Moves bytes as one plain copy, or turns floats to bytes. */
static const char *describe_reorder(draft *d)
{
    const nw_kernel_part *p = d->part;
    dnnl_data_type_t out = p->kind == NW_KERNEL_QUANTIZE ? dnnl_u8 : d->type;
    if (p->in_h * p->in_w * p->in_c != p->out_h * p->out_w * p->out_c)
        return "copies of as many elements as they read are run";
    describe_map(d, NW_ARG_IN, p->out_h, p->out_w, p->out_c, d->type);
    describe_map(d, NW_ARG_OUT, p->out_h, p->out_w, p->out_c, out);
    d->is_reorder = true;
    return NULL;
}

static const char *describe_part(draft *d)
{
    switch (d->part->kind) {
    case NW_KERNEL_CONV:
    case NW_KERNEL_DWCONV:
    case NW_KERNEL_CONV_TRANSPOSE:
        return describe_conv(d);
    case NW_KERNEL_FC:
        return describe_product(d);
    case NW_KERNEL_MATMUL:
        return describe_matmul(d);
    case NW_KERNEL_POOL:
        return describe_pool(d);
    case NW_KERNEL_ADD:
    case NW_KERNEL_MUL:
        return describe_binary(d);
    case NW_KERNEL_ACT:
        return describe_act(d);
    case NW_KERNEL_RESIZE:
        return describe_resize(d);
    case NW_KERNEL_SOFTMAX:
        return describe_softmax(d);
    case NW_KERNEL_COPY:
    case NW_KERNEL_QUANTIZE:
        return describe_reorder(d);
    case NW_KERNEL_HOST:
    case NW_KERNEL_VIEW:
    case NW_KERNEL_OPAQUE:
        return "no kernel that runs here";
    default:
        return "the shape does not say what this kind of kernel computes";
    }
}

/* ---- scales and what is joined ---- */

/* Sums of n products of random bytes have a standard deviation of some 10^4 sqrt(n). */
static float random_scale(const draft *d)
{
    const nw_kernel_part *p = d->part;
    double n = (double)p->in_c / p->groups * p->kernel_h * p->kernel_w;
    return (float)(1 / (128 * sqrt(n)));
}

static bool set_scale(draft *d, float scale)
{
    return dnnl_primitive_attr_set_output_scales(d->attr, 1, 0, &scale) == dnnl_success;
}

static bool set_scales(draft *d, const float *given)
{
    const float half = 0.5f;
    nw_kernel_kind kind = d->part->kind;
    bool has_product = d->plain_weights.ndims > 0 || kind == NW_KERNEL_MATMUL;
    if (kind == NW_KERNEL_QUANTIZE && d->type == dnnl_f32)
        return set_scale(d, given ? *given : 32);
    if (d->type == dnnl_f32)
        return true;
    if (has_product)
        return set_scale(d, given ? *given : random_scale(d));
    if (kind != NW_KERNEL_ADD && kind != NW_KERNEL_MUL)
        return true;
    const float *scale = given ? given : &half;
    return dnnl_primitive_attr_set_scales(d->attr, DNNL_ARG_SRC_0, 1, 0, scale) == dnnl_success &&
           dnnl_primitive_attr_set_scales(d->attr, DNNL_ARG_SRC_1, 1, 0, scale) == dnnl_success;
}

static bool join(draft *d)
{
    dnnl_post_ops_t ops;
    activation act = activation_of(d);
    if (dnnl_post_ops_create(&ops) != dnnl_success)
        return false;
    bool is_good = !d->has_residual || dnnl_post_ops_append_sum(ops, 1) == dnnl_success;
    if (is_good && d->has_act)
        is_good =
            dnnl_post_ops_append_eltwise(ops, 1, act.kind, act.alpha, act.beta) == dnnl_success;
    is_good = is_good && dnnl_primitive_attr_set_post_ops(d->attr, ops) == dnnl_success;
    dnnl_post_ops_destroy(ops);
    return is_good;
}

/* ---- choosing ---- */

static dnnl_status_t choose(const draft *d, dnnl_engine_t engine, dnnl_primitive_desc_t *out)
{
    if (d->is_reorder)
        return dnnl_reorder_primitive_desc_create(out, &d->memories[NW_ARG_IN], engine,
                                                  &d->memories[NW_ARG_OUT], engine, d->attr);
    return dnnl_primitive_desc_create(out, &d->desc, d->attr, engine, NULL);
}

static const char *name_of(dnnl_primitive_desc_t chosen)
{
    const char *name = NULL;
    dnnl_primitive_desc_query(chosen, dnnl_query_impl_info_str, 0, &name);
    return name ? name : "?";
}

static draft draft_of(nw_exec_plan *plan, const nw_kernel_shape *shape, int part)
{
    bool is_float = shape->is_float;
    return (draft){.shape = shape,
                   .part = plan->part,
                   .memories = plan->memories,
                   .type = is_float ? dnnl_f32 : dnnl_u8,
                   .weight_type = is_float ? dnnl_f32 : dnnl_s8,
                   .bias_type = is_float ? dnnl_f32 : dnnl_s32,
                   .has_act = shape->act != NW_KERNEL_ACT_NONE && part == 0 &&
                              plan->part->kind != NW_KERNEL_ACT,
                   .has_residual = shape->residual && part == shape->n_parts - 1};
}

const char *nw_exec_plan_init(nw_exec_plan *plan, dnnl_engine_t engine,
                              const nw_kernel_shape *shape, int part, const float *scale,
                              char *impl)
{
    *plan = (nw_exec_plan){.part = &shape->parts[part]};
    draft d = draft_of(plan, shape, part);
    const char *why = describe_part(&d);
    if (why)
        return why;
    if (dnnl_primitive_attr_create(&d.attr) != dnnl_success)
        return "oneDNN ran out of memory";
    if (!join(&d) || !set_scales(&d, scale))
        why = "oneDNN does not join these";
    else if (choose(&d, engine, &plan->chosen) != dnnl_success)
        why = "oneDNN has no implementation";
    dnnl_primitive_attr_destroy(d.attr);
    if (why)
        return why;
    plan->plain_weights = d.plain_weights;
    if (d.plain_weights.ndims)
        plan->memories[NW_ARG_WEIGHTS] =
            *dnnl_primitive_desc_query_md(plan->chosen, dnnl_query_weights_md, 0);
    size_t used = strlen(impl);
    const char *name = name_of(plan->chosen);
    snprintf(impl + used, NW_EXEC_TEXT - used, "%s%s", used ? " + " : "", name);
    return strstr(name, "ref") ? "reference kernel" : NULL;
}

void nw_exec_plan_fini(nw_exec_plan *plan)
{
    dnnl_primitive_desc_destroy(plan->chosen);
}
