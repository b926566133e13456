#include "src/estimator/features_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct value_def {
    const char *name, *unit, *formula;
} value_def;

static const value_def values[NW_VALUE_COUNT] = {
#define X(id, name, aliases, what) [NW_ROLE_##id] = {name, "1", what},
    NW_ROLES(X)
#undef X
#define X(id, name, unit, formula) [(int)NW_ROLE_COUNT + NW_FEATURE_##id] = {name, unit, formula},
        NW_FEATURES_PLAIN(X) NW_FEATURES_HW(X)
#undef X
};

const char *nw_role_name(nw_role role)
{
    return values[role].name;
}

const char *nw_role_help(nw_role role)
{
    return values[role].formula;
}

const char *nw_value_name(int index)
{
    return values[index].name;
}

const char *nw_value_unit(int index)
{
    return values[index].unit;
}

const char *nw_value_formula(int index)
{
    return values[index].formula;
}

int nw_value_find(const char *name)
{
    for (int i = 0; i < NW_VALUE_COUNT; i++)
        if (strcmp(values[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- kinds ---- */

/* Pieces of the words that others use, longest matches first where one holds another. */
static const struct {
    const char *piece;
    nw_kernel_kind kind;
} kind_words[] = {
    {"depthwise", NW_KERNEL_DWCONV},
    {"dwconv", NW_KERNEL_DWCONV},
    {"dw_conv", NW_KERNEL_DWCONV},
    {"transpose", NW_KERNEL_CONV_TRANSPOSE},
    {"deconv", NW_KERNEL_CONV_TRANSPOSE},
    {"conv", NW_KERNEL_CONV},
    {"fully", NW_KERNEL_FC},
    {"vectorproduct", NW_KERNEL_FC},
    {"dense", NW_KERNEL_FC},
    {"linear", NW_KERNEL_FC},
    {"gemm", NW_KERNEL_FC},
    {"matmul", NW_KERNEL_MATMUL},
    {"pool", NW_KERNEL_POOL},
    {"mean", NW_KERNEL_REDUCE},
    {"reduce", NW_KERNEL_REDUCE},
    {"concat", NW_KERNEL_COPY},
    {"elementwise", NW_KERNEL_ELEMENTWISE},
    {"add", NW_KERNEL_ADD},
    {"mul", NW_KERNEL_MUL},
    {"resize", NW_KERNEL_RESIZE},
    {"softmax", NW_KERNEL_SOFTMAX},
};

nw_kernel_kind nw_row_kind(const char *word)
{
    char lower[96];
    size_t n = 0;
    for (; word[n] && word[n] != '+' && n + 1 < sizeof lower; n++)
        lower[n] = (char)tolower((unsigned char)word[n]);
    lower[n] = '\0';
    nw_kernel_kind kind = nw_kernel_kind_find(lower);
    if (kind != NW_KERNEL_COUNT)
        return kind;
    if (strcmp(lower, "d") == 0 || strcmp(lower, "dw") == 0)
        return NW_KERNEL_DWCONV;
    if (strcmp(lower, "r") == 0)
        return NW_KERNEL_CONV;
    for (size_t i = 0; i < sizeof kind_words / sizeof *kind_words; i++)
        if (strstr(lower, kind_words[i].piece))
            return kind_words[i].kind;
    return NW_KERNEL_COUNT;
}

static bool has_weights(nw_kernel_kind kind)
{
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_FC ||
           kind == NW_KERNEL_CONV_TRANSPOSE || kind == NW_KERNEL_COUNT;
}

static bool has_products(nw_kernel_kind kind)
{
    return has_weights(kind) || kind == NW_KERNEL_MATMUL;
}

const char *nw_row_group(const nw_kernel_shape *shape, char *dst, size_t size)
{
    bool has_second = shape->n_parts > 1;
    snprintf(dst, size, "%s%s%s", nw_kernel_kind_name(shape->parts[0].kind), has_second ? "+" : "",
             has_second ? nw_kernel_kind_name(shape->parts[1].kind) : "");
    return dst;
}

void nw_row_from_shape(const nw_kernel_shape *s, const nw_hw *hw, nw_row *out)
{
    const nw_kernel_part *first = &s->parts[0], *last = &s->parts[s->n_parts > 1 ? 1 : 0];
    double *r = out->role;
    out->kind = first->kind;
    out->second = s->n_parts > 1 ? last->kind : NW_KERNEL_COUNT;
    r[NW_ROLE_IN_H] = (double)first->in_h;
    r[NW_ROLE_IN_W] = (double)first->in_w;
    r[NW_ROLE_IN_C] = (double)first->in_c;
    r[NW_ROLE_OUT_H] = (double)last->out_h;
    r[NW_ROLE_OUT_W] = (double)last->out_w;
    r[NW_ROLE_OUT_C] = (double)last->out_c;
    r[NW_ROLE_KERNEL_H] = first->kernel_h;
    r[NW_ROLE_KERNEL_W] = first->kernel_w;
    r[NW_ROLE_STRIDE_H] = first->stride_h;
    r[NW_ROLE_STRIDE_W] = first->stride_w;
    r[NW_ROLE_DILATION] = first->dilation_h;
    r[NW_ROLE_GROUPS] = first->groups;
    r[NW_ROLE_BATCH] = 1;
    r[NW_ROLE_EXPAND] = NAN;
    r[NW_ROLE_BITS] = s->bits;
    r[NW_ROLE_WEIGHT_BITS] = s->weight_bits;
    r[NW_ROLE_WEIGHT_BYTES] = NAN; /* the description's ratio */
    r[NW_ROLE_IS_FLOAT] = s->is_float;
    r[NW_ROLE_ACT] = (int)s->act;
    r[NW_ROLE_RESIDUAL] = s->residual;
    r[NW_ROLE_IS_FIRST] = s->is_first;
    r[NW_ROLE_MAPS] = s->n_maps;
    r[NW_ROLE_IN_DRAM] = s->in_place == NW_PLACE_DRAM;
    r[NW_ROLE_SECOND_DRAM] = s->residual_place == NW_PLACE_DRAM;
    r[NW_ROLE_OUT_DRAM] = s->out_place == NW_PLACE_DRAM;
    r[NW_ROLE_SLOW_RATE] = s->slow_op >= 0 && hw ? hw->ops[s->slow_op].rate : NAN;
    r[NW_ROLE_HOST_ELEMENTS] = (double)s->host_elements;
    r[NW_ROLE_HOST_BYTES] = (double)s->host_bytes;
}

/* ---- features ---- */

static double ceil_div(double a, double b)
{
    return ceil(a / b);
}

static double fill(double n, double step)
{
    return n / (step * ceil(n / step));
}

static double or_else(double value, double fallback)
{
    return isnan(value) ? fallback : value;
}

static nw_sizes find_sizes(const nw_row *row)
{
    const double *r = row->role;
    nw_sizes s = {.batch = or_else(r[NW_ROLE_BATCH], 1),
                  .in_pixels = r[NW_ROLE_IN_H] * r[NW_ROLE_IN_W],
                  .out_pixels = r[NW_ROLE_OUT_H] * r[NW_ROLE_OUT_W],
                  .in_c = r[NW_ROLE_IN_C],
                  .out_c = r[NW_ROLE_OUT_C],
                  .taps = or_else(r[NW_ROLE_KERNEL_H] * r[NW_ROLE_KERNEL_W], 1),
                  .groups = fmax(or_else(r[NW_ROLE_GROUPS], 1), 1),
                  .element_bytes = or_else(r[NW_ROLE_BITS], 8) / 8};
    double products = or_else(r[NW_ROLE_WEIGHT_BITS], or_else(r[NW_ROLE_BITS], 8)) / 8;
    s.mid_c = row->second == NW_KERNEL_CONV ? s.in_c : s.out_c;
    s.mid_pixels = row->second == NW_KERNEL_COUNT
                       ? s.out_pixels
                       : ceil_div(r[NW_ROLE_IN_H], or_else(r[NW_ROLE_STRIDE_H], 1)) *
                             ceil_div(r[NW_ROLE_IN_W], or_else(r[NW_ROLE_STRIDE_W], 1));
    if (row->kind == NW_KERNEL_DWCONV)
        s.groups = s.in_c;
    s.depth = s.taps * s.in_c / s.groups;
    if (has_products(row->kind)) {
        double pixels = row->kind == NW_KERNEL_CONV_TRANSPOSE ? s.in_pixels : s.mid_pixels;
        s.weights = s.depth * s.mid_c;
        s.macs = s.batch * pixels * s.weights;
        if (row->second == NW_KERNEL_CONV) {
            s.weights += s.in_c * s.out_c;
            s.macs += s.batch * s.out_pixels * s.in_c * s.out_c;
        }
    }
    if (!has_weights(row->kind))
        s.weights = 0;
    s.weight_bytes = or_else(r[NW_ROLE_WEIGHT_BYTES], s.weights * products);
    return s;
}

static void fill_plain(const nw_row *row, const nw_sizes *s, double *f)
{
    double per_group = s->in_c / s->groups, pixels = s->batch * s->out_pixels;
    double second = or_else(row->role[NW_ROLE_RESIDUAL], 0) > 0 ? s->out_pixels * s->out_c : 0;
    if (!has_products(row->kind) && row->role[NW_ROLE_MAPS] > 1)
        second = s->in_pixels * s->in_c * (row->role[NW_ROLE_MAPS] - 1);
    f[NW_FEATURE_MACS] = s->macs;
    f[NW_FEATURE_WINDOW_OPS] = pixels * s->out_c * s->taps;
    f[NW_FEATURE_IN_ELEMENTS] = s->batch * s->in_pixels * s->in_c;
    f[NW_FEATURE_OUT_ELEMENTS] = pixels * s->out_c;
    f[NW_FEATURE_WEIGHT_ELEMENTS] = s->weights;
    f[NW_FEATURE_MOVED_BYTES] = s->weight_bytes + (f[NW_FEATURE_IN_ELEMENTS] +
                                                   f[NW_FEATURE_OUT_ELEMENTS] + s->batch * second) *
                                                      s->element_bytes;
    f[NW_FEATURE_INTENSITY] =
        (s->macs > 0 ? s->macs : f[NW_FEATURE_WINDOW_OPS]) / f[NW_FEATURE_MOVED_BYTES];
    f[NW_FEATURE_TAPS] = s->taps;
    f[NW_FEATURE_OUT_PIXELS] = pixels;
    f[NW_FEATURE_DEPTH] = s->depth;
    f[NW_FEATURE_WEIGHTS_PER_PIXEL] = s->weights / pixels;
    f[NW_FEATURE_OUT_IN_RATIO] = f[NW_FEATURE_OUT_ELEMENTS] / f[NW_FEATURE_IN_ELEMENTS];
    for (int i = 0; i < 5; i++)
        f[NW_FEATURE_IN_FILL_4 + i] = fill(per_group, 4 << i);
    for (int i = 0; i < 6; i++)
        f[NW_FEATURE_OUT_FILL_4 + i] = fill(s->out_c, 4 << i);
    f[NW_FEATURE_DRAM_ELEMENTS] =
        (row->role[NW_ROLE_IN_DRAM] > 0 ? f[NW_FEATURE_IN_ELEMENTS] : 0) +
        (row->role[NW_ROLE_SECOND_DRAM] > 0 ? s->batch * second : 0) +
        (row->role[NW_ROLE_OUT_DRAM] > 0 ? f[NW_FEATURE_OUT_ELEMENTS] : 0);
    for (int i = 0; i < 3; i++)
        f[NW_FEATURE_TILES_32 + i] = ceil_div(pixels, 32 << i) * ceil_div(s->out_c, 32 << i);
}

void nw_row_values(const nw_row *row, const nw_hw *hw, double *out)
{
    double *f = out + NW_ROLE_COUNT;
    for (int i = 0; i < NW_ROLE_COUNT; i++)
        out[i] = row->role[i];
    for (int i = 0; i < NW_FEATURE_COUNT; i++)
        f[i] = NAN;
    nw_sizes s = find_sizes(row);
    fill_plain(row, &s, f);
    if (hw)
        nw_fill_hw_features(row, hw, &s, f);
}
