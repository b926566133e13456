/* The sampling plan: random networks and their kernels, and neighbours of a kernel's shape. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/measure/measure.h"
#include "tests/support.h"
#include "tests/support_split.h"

static const char *const presets[] = {
    "dpu-b4096",     "ne16",          "ne32",    "ne64",    "systolic16-is", "systolic16-os",
    "systolic16-ws", "systolic32-ws", "u55-128", "u55-256", "u65-512",       "u85-1024"};

enum { N_PRESETS = sizeof presets / sizeof *presets };

static nw_sampling *make_plan(const nw_hw *hw, uint64_t seed, int n, const char *precision)
{
    nw_sampling *plan;
    nw_error err;
    nw_sampling_options options = {.seed = seed, .n_networks = n, .precision = precision};
    if (nw_sampling_make(hw, &options, &plan, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return plan;
}

static nw_hw *derive(const char *base, const char *patch)
{
    nw_error err;
    nw_hw *from = load_hw(base), *hw;
    if (nw_hw_derive(from, patch, "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_hw_free(from);
    return hw;
}

/* ---- what a shape must be, by hand ---- */

static int64_t weights_by_hand(const nw_kernel_part *p)
{
    int64_t taps = (int64_t)p->kernel_h * p->kernel_w;
    switch (p->kind) {
    case NW_KERNEL_CONV:
    case NW_KERNEL_CONV_TRANSPOSE:
        return taps * p->in_c * p->out_c / p->groups;
    case NW_KERNEL_DWCONV:
        return taps * p->out_c;
    case NW_KERNEL_FC:
        return p->in_c * p->out_c;
    default:
        return 0;
    }
}

/* Neither more outputs than windows that touch the map, nor fewer than windows inside it. */
static void check_axis(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation)
{
    int64_t reach = (kernel - 1) * dilation + 1;
    ck_assert_int_le((out - 1) * stride + 1, in + reach - 1);
    if (in >= reach)
        ck_assert_int_ge(out, (in - reach) / stride + 1);
}

static void check_part(const nw_kernel_part *p)
{
    bool slides =
        p->kind == NW_KERNEL_CONV || p->kind == NW_KERNEL_DWCONV || p->kind == NW_KERNEL_POOL;
    ck_assert(p->in_h > 0 && p->in_w > 0 && p->in_c > 0);
    ck_assert(p->out_h > 0 && p->out_w > 0 && p->out_c > 0);
    ck_assert(p->kernel_h > 0 && p->kernel_w > 0 && p->stride_h > 0 && p->stride_w > 0);
    ck_assert(p->groups > 0 && p->dilation_h > 0 && p->dilation_w > 0);
    if (slides) {
        check_axis(p->in_h, p->out_h, p->kernel_h, p->stride_h, p->dilation_h);
        check_axis(p->in_w, p->out_w, p->kernel_w, p->stride_w, p->dilation_w);
    }
    switch (p->kind) {
    case NW_KERNEL_CONV:
    case NW_KERNEL_CONV_TRANSPOSE:
        ck_assert_int_eq(p->in_c % p->groups, 0);
        ck_assert_int_eq(p->out_c % p->groups, 0);
        break;
    case NW_KERNEL_DWCONV:
        ck_assert_int_eq(p->groups, p->in_c);
        ck_assert_int_eq(p->out_c % p->in_c, 0);
        break;
    case NW_KERNEL_POOL:
        ck_assert_int_eq(p->in_c, p->out_c);
        break;
    case NW_KERNEL_FC:
    case NW_KERNEL_MATMUL:
        ck_assert_int_eq(p->in_h, p->out_h);
        ck_assert_int_eq(p->in_w, p->out_w);
        break;
    default:
        break;
    }
}

static void check_shape(const nw_kernel_shape *s)
{
    int64_t weights = 0, channels = 0;
    nw_kernel_kind kind = s->parts[0].kind;
    if (kind == NW_KERNEL_HOST) {
        ck_assert(s->host_elements > 0 && s->host_bytes > 0);
        ck_assert_int_ge(s->host_elements, s->parts[0].out_c);
        return;
    }
    for (int i = 0; i < s->n_parts; i++) {
        const nw_kernel_part *p = &s->parts[i];
        check_part(p);
        weights += weights_by_hand(p);
        /* a product of two maps takes in a constant behind it */
        channels += weights_by_hand(p) || p->kind == NW_KERNEL_MATMUL ? p->out_c : 0;
        if (i > 0)
            ck_assert(p->in_h == p[-1].out_h && p->in_w == p[-1].out_w && p->in_c == p[-1].out_c);
    }
    ck_assert_int_eq(s->weight_elements, weights);
    ck_assert_int_le(s->bias_elements, channels);
    if (s->n_parts == 1 && s->bias_elements)
        ck_assert_int_eq(s->bias_elements, s->parts[0].out_c);
    if (weights || kind == NW_KERNEL_MATMUL)
        ck_assert_int_gt(nw_kernel_shape_macs(s), 0);
    bool reads_second = s->residual || kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL ||
                        kind == NW_KERNEL_ELEMENTWISE || kind == NW_KERNEL_MATMUL;
    if (!reads_second)
        ck_assert_int_eq(s->residual_place, NW_PLACE_SRAM);
}

/* ---- networks ---- */

START_TEST(a_network_is_a_function_of_seed_and_index_alone)
{
    nw_hw *hw = load_hw("ne32");
    nw_sampling *few = make_plan(hw, 3, 12, NULL), *more = make_plan(hw, 3, 40, NULL);
    nw_sampling *other = make_plan(hw, 4, 12, NULL);
    ck_assert_int_eq(few->n_networks, 12);
    ck_assert_int_gt(more->n_rows, few->n_rows);
    for (int i = 0; i < few->n_rows; i++)
        ck_assert_mem_eq(&few->rows[i], &more->rows[i], sizeof few->rows[i]);
    for (int i = 0; i < few->n_networks; i++)
        ck_assert_str_eq(few->networks[i].name, more->networks[i].name);
    ck_assert(other->n_rows != few->n_rows ||
              memcmp(other->rows, few->rows, (size_t)few->n_rows * sizeof *few->rows) != 0);
    nw_sampling_free(few);
    nw_sampling_free(more);
    nw_sampling_free(other);
    nw_hw_free(hw);
}
END_TEST

START_TEST(rows_are_the_kernels_of_the_networks_in_order)
{
    nw_hw *hw = load_hw("dpu-b4096");
    nw_sampling *plan = make_plan(hw, 8, 60, NULL);
    int at = 0;
    for (int i = 0; i < plan->n_networks; i++) {
        const nw_sampling_source *source = &plan->networks[i];
        const char *precision;
        char tail[16];
        nw_graph *graph = nw_sampling_network(hw, 8, source->index, &precision);
        nw_kernels *kernels = split_on(graph, hw, precision);
        snprintf(tail, sizeof tail, "-%04d", source->index);
        ck_assert_str_eq(source->name, graph->name);
        ck_assert_ptr_nonnull(strstr(source->name, tail));
        ck_assert_int_eq(source->first_row, at);
        for (int k = 0; k < kernels->n_kernels; k++) {
            if (kernels->kernels[k].shape.parts[0].kind == NW_KERNEL_VIEW)
                continue;
            ck_assert_mem_eq(&plan->rows[at].shape, &kernels->kernels[k].shape,
                             sizeof(nw_kernel_shape));
            ck_assert_int_eq(plan->rows[at++].network, i);
        }
        ck_assert_int_eq(source->n_rows, at - source->first_row);
        nw_kernels_free(kernels);
        nw_graph_free(graph);
    }
    ck_assert_int_eq(plan->n_rows, at);
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

START_TEST(equal_shapes_name_their_first_row)
{
    nw_hw *hw = load_hw("ne16");
    nw_sampling *plan = make_plan(hw, 2, 20, NULL);
    int n_distinct = 0;
    for (int i = 0; i < plan->n_rows; i++) {
        int first = 0;
        while (memcmp(&plan->rows[first].shape, &plan->rows[i].shape, sizeof(nw_kernel_shape)) != 0)
            first++;
        ck_assert_int_eq(plan->rows[i].first, first);
        n_distinct += first == i;
    }
    ck_assert_int_eq(plan->n_distinct, n_distinct);
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

/* Every file style, type and family, on every preset: sealing one that does not fit together ends
 * the program. */
START_TEST(every_network_seals_and_its_kernels_are_consistent)
{
    nw_hw *hw = load_hw(presets[_i]);
    nw_sampling *plan = make_plan(hw, 100 + (uint64_t)_i, 600, NULL);
    ck_assert_int_eq(plan->n_networks, 600);
    ck_assert_int_eq(plan->n_refused, 0);
    for (int i = 0; i < plan->n_rows; i++) {
        ck_assert_int_ne(plan->rows[i].shape.parts[0].kind, NW_KERNEL_OPAQUE);
        check_shape(&plan->rows[i].shape);
    }
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

START_TEST(channels_are_round_and_odd)
{
    nw_hw *hw = load_hw("ne32");
    nw_sampling *plan = make_plan(hw, 1, 0, NULL);
    int n = 0, n_eights = 0, n_odd = 0;
    for (int i = 0; i < plan->n_rows; i++) {
        const nw_kernel_part *p = &plan->rows[i].shape.parts[0];
        if (p->kind != NW_KERNEL_CONV)
            continue;
        n++;
        n_eights += p->out_c % 8 == 0;
        n_odd += p->out_c % 2;
    }
    ck_assert_int_eq(plan->n_networks, NW_PLAN_NETWORKS);
    ck_assert_int_gt(n_eights, n * 3 / 10);
    ck_assert_int_gt(n_odd, n / 10);
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

START_TEST(a_precision_is_kept_to)
{
    nw_hw *hw = load_hw("u55-128");
    nw_sampling *plan = make_plan(hw, 1, 30, "int16");
    int n_wide = 0;
    for (int i = 0; i < plan->n_rows; i++) {
        const nw_kernel_shape *s = &plan->rows[i].shape;
        if (s->parts[0].kind == NW_KERNEL_HOST || s->is_float)
            continue;
        n_wide += s->bits == 16;
        if (s->weight_elements)
            ck_assert_int_eq(s->weight_bits, 8); /* this hardware's only pair for 16 bits */
    }
    ck_assert_int_gt(n_wide, plan->n_rows / 2);
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

START_TEST(a_precision_that_the_hardware_lacks_is_refused)
{
    nw_hw *hw = load_hw("dpu-b4096");
    nw_sampling *plan = NULL;
    nw_error err;
    nw_sampling_options options = {.n_networks = 5, .precision = "int16"};
    ck_assert_int_eq(nw_sampling_make(hw, &options, &plan, &err), NW_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "int16"));
    options.precision = "seven";
    ck_assert_int_eq(nw_sampling_make(hw, &options, &plan, &err), NW_INVALID);
    ck_assert_ptr_null(plan);
    nw_hw_free(hw);
}
END_TEST

START_TEST(float_hardware_gets_float_kernels)
{
    nw_hw *hw = derive("ne32", "{\"name\": \"f\", \"precisions\": [{\"weight_bits\": 32, "
                               "\"activation_bits\": 32, \"float\": true, \"rate\": 1}], "
                               "\"default_precision\": \"float32\"}");
    nw_sampling *plan = make_plan(hw, 1, 40, NULL);
    for (int i = 0; i < plan->n_rows; i++)
        if (plan->rows[i].shape.weight_elements)
            ck_assert(plan->rows[i].shape.is_float && plan->rows[i].shape.weight_bits == 32);
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

/* ---- against real networks ---- */

/* What makes a kernel another kind of thing. */
typedef struct group {
    int32_t kinds[2], n_parts, act, residual, is_first, n_maps, slow_op;
    int32_t places[3], bits, weight_bits, is_float;
} group;

static group group_of(const nw_kernel_shape *s)
{
    group g;
    memset(&g, 0, sizeof g);
    for (int i = 0; i < s->n_parts; i++)
        g.kinds[i] = (int32_t)s->parts[i].kind;
    g.n_parts = s->n_parts;
    g.act = (int32_t)s->act;
    g.residual = s->residual;
    g.is_first = s->is_first;
    g.n_maps = s->n_maps;
    g.slow_op = s->slow_op;
    g.places[0] = (int32_t)s->in_place;
    g.places[1] = (int32_t)s->residual_place;
    g.places[2] = (int32_t)s->out_place;
    g.bits = s->bits;
    g.weight_bits = s->weight_bits;
    g.is_float = s->is_float;
    return g;
}

static bool has_group(const nw_sampling *plan, const group *wanted, bool anywhere)
{
    for (int i = 0; i < plan->n_rows; i++) {
        if (plan->rows[i].first != i)
            continue;
        group g = group_of(&plan->rows[i].shape);
        if (anywhere)
            memcpy(g.places, wanted->places, sizeof g.places);
        if (memcmp(&g, wanted, sizeof g) == 0)
            return true;
    }
    return false;
}

enum { N_SIZES = 30 };

static void list_sizes(const nw_kernel_shape *s, int64_t sizes[N_SIZES])
{
    int n = 0;
    for (int i = 0; i < NW_KERNEL_PARTS; i++) {
        const nw_kernel_part *p = &s->parts[i];
        const int64_t part[] = {p->in_h,       p->in_w,       p->in_c,     p->out_h,    p->out_w,
                                p->out_c,      p->kernel_h,   p->kernel_w, p->stride_h, p->stride_w,
                                p->dilation_h, p->dilation_w, p->groups};
        memcpy(sizes + n, part, sizeof part);
        n += (int)(sizeof part / sizeof *part);
    }
    sizes[n++] = s->weight_elements;
    sizes[n++] = s->bias_elements;
    sizes[n++] = s->host_elements;
    sizes[n++] = s->host_bytes;
    ck_assert_int_eq(n, N_SIZES);
}

/* The ranges of the rows whose first parts are of a kind and whose types are the same. */
typedef struct range {
    int32_t kind, bits, is_float;
    int64_t low[N_SIZES], high[N_SIZES];
} range;

static range *find_range(range *ranges, int *n, const nw_kernel_shape *s, bool may_add)
{
    int32_t kind = (int32_t)s->parts[0].kind;
    for (int i = 0; i < *n; i++)
        if (ranges[i].kind == kind && ranges[i].bits == s->bits &&
            ranges[i].is_float == s->is_float)
            return &ranges[i];
    if (!may_add)
        return NULL;
    ck_assert_int_lt(*n, 128);
    range *r = &ranges[(*n)++];
    r->kind = kind;
    r->bits = s->bits;
    r->is_float = s->is_float;
    list_sizes(s, r->low);
    list_sizes(s, r->high);
    return r;
}

static int make_ranges(const nw_sampling *plan, range *ranges)
{
    int n = 0;
    for (int i = 0; i < plan->n_rows; i++) {
        int64_t sizes[N_SIZES];
        range *r = find_range(ranges, &n, &plan->rows[i].shape, true);
        list_sizes(&plan->rows[i].shape, sizes);
        for (int k = 0; k < N_SIZES; k++) {
            r->low[k] = sizes[k] < r->low[k] ? sizes[k] : r->low[k];
            r->high[k] = sizes[k] > r->high[k] ? sizes[k] : r->high[k];
        }
    }
    return n;
}

typedef struct coverage {
    int n_kernels;
    int n_missing, n_unplaced; /* no row of the group at all; none in these places */
    int n_sizes, n_outside;
} coverage;

static void cover(const nw_sampling *plan, range *ranges, int n_ranges, const nw_kernels *kernels,
                  const char *model, coverage *c)
{
    for (int i = 0; i < kernels->n_kernels; i++) {
        const nw_kernel_shape *s = &kernels->kernels[i].shape;
        int64_t sizes[N_SIZES];
        if (s->parts[0].kind == NW_KERNEL_VIEW || s->parts[0].kind == NW_KERNEL_OPAQUE)
            continue;
        group g = group_of(s);
        range *r = find_range(ranges, &n_ranges, s, false);
        c->n_kernels++;
        if (!has_group(plan, &g, false)) {
            char name[64];
            printf("  %s: no kernel like a %s, places %d%d%d, %d bits\n", model,
                   nw_kernel_shape_name(s, name, sizeof name), g.places[0], g.places[1],
                   g.places[2], g.bits);
            c->n_unplaced++;
            c->n_missing += !has_group(plan, &g, true);
        }
        list_sizes(s, sizes);
        for (int k = 0; k < N_SIZES; k++) {
            c->n_sizes++;
            c->n_outside += !r || sizes[k] < r->low[k] || sizes[k] > r->high[k];
        }
    }
}

START_TEST(real_networks_have_no_kernel_that_the_plan_lacks)
{
    static range ranges[128];
    nw_hw *hw = load_hw(presets[_i]);
    nw_sampling *plan;
    nw_error err;
    coverage c = {0};
    ck_assert_int_eq(nw_sampling_make(hw, NULL, &plan, &err), NW_OK);
    int n_ranges = make_ranges(plan, ranges);
    for (int i = 0; model_files[i]; i++) {
        nw_graph *graph = load_model(model_files[i]);
        if (!graph)
            break;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        cover(plan, ranges, n_ranges, kernels, model_files[i], &c);
        nw_kernels_free(kernels);
        nw_graph_free(graph);
    }
    if (c.n_kernels) {
        printf("  %s: %d of %d kernels have their like, %.3f %% of sizes in range\n", presets[_i],
               c.n_kernels - c.n_unplaced, c.n_kernels, 100 - 100.0 * c.n_outside / c.n_sizes);
        ck_assert_int_eq(c.n_missing, 0);
        ck_assert_int_le(c.n_unplaced * 1000, c.n_kernels);
        ck_assert_int_le(c.n_outside * 100, c.n_sizes * 3);
    }
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

/* ---- neighbours ---- */

static double dense_bytes(const nw_kernel_part *p, int bits, bool is_out)
{
    return is_out ? (double)p->out_h * (double)p->out_w * (double)p->out_c * bits / 8
                  : (double)p->in_h * (double)p->in_w * (double)p->in_c * bits / 8;
}

static void check_neighbour(const nw_kernel_shape *from, const nw_kernel_shape *to, const nw_hw *hw)
{
    check_shape(to);
    ck_assert_mem_ne(from, to, sizeof *from);
    ck_assert_int_eq(to->n_parts, from->n_parts);
    ck_assert_int_eq(to->bits, from->bits);
    ck_assert_int_eq(to->weight_bits, from->weight_bits);
    for (int i = 0; i < to->n_parts; i++)
        ck_assert_int_eq(to->parts[i].kind, from->parts[i].kind);
    const nw_kernel_part *first = &to->parts[0], *last = &to->parts[to->n_parts - 1];
    nw_kernel_kind kind = first->kind;
    bool is_conv = kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV;
    if (is_conv && dense_bytes(first, to->bits, false) + dense_bytes(last, to->bits, true) >
                       (double)hw->sram.bytes)
        ck_assert(to->in_place == NW_PLACE_DRAM && to->out_place == NW_PLACE_DRAM);
    if (!hw->fusion.conv_add)
        ck_assert_int_eq(to->residual, from->residual);
    if (is_conv && !hw->fusion.conv_act)
        ck_assert(to->act != NW_KERNEL_ACT_LUT || from->act == NW_KERNEL_ACT_LUT);
    if (is_conv && hw->limits.max_kernel)
        ck_assert(first->kernel_h <= hw->limits.max_kernel || from->parts[0].kernel_h > 16);
    if (is_conv && from->parts[0].groups == 1)
        ck_assert_int_eq(first->groups, kind == NW_KERNEL_DWCONV ? first->in_c : 1);
}

START_TEST(neighbours_are_consistent)
{
    nw_hw *hw = load_hw(presets[_i]);
    nw_sampling *plan = make_plan(hw, 7, 150, NULL);
    nw_rng rng = nw_rng_make(1, (uint64_t)_i), again = nw_rng_make(1, (uint64_t)_i);
    int n_varied = 0, n = 0;
    for (int i = 0; i < plan->n_rows; i++) {
        if (plan->rows[i].first != i)
            continue;
        nw_kernel_shape shape = plan->rows[i].shape, next, same;
        for (int k = 0; k < 4; k++) { /* a walk, so that mistakes would add up */
            bool has_moved = nw_sampling_vary(&shape, hw, &rng, &next);
            ck_assert(nw_sampling_vary(&shape, hw, &again, &same) == has_moved);
            ck_assert_mem_eq(&next, &same, sizeof next);
            n++;
            n_varied += has_moved;
            if (!has_moved)
                break;
            check_neighbour(&shape, &next, hw);
            shape = next;
        }
    }
    ck_assert_int_ge(n_varied * 1000, n * 999);
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

START_TEST(joined_parts_follow_each_other)
{
    nw_hw *hw = derive("ne32", "{\"name\": \"joins\", \"fusion\": [\"conv+act\", \"conv+add\", "
                               "\"dw+pw\", \"pool\"]}");
    nw_sampling *plan = make_plan(hw, 1, 100, NULL);
    nw_rng rng = nw_rng_make(9, 0);
    int n_pairs[2] = {0};
    for (int i = 0; i < plan->n_rows; i++) {
        nw_kernel_shape next;
        check_shape(&plan->rows[i].shape);
        if (plan->rows[i].shape.n_parts < 2)
            continue;
        n_pairs[plan->rows[i].shape.parts[1].kind == NW_KERNEL_POOL]++;
        for (int k = 0; k < 5; k++)
            if (nw_sampling_vary(&plan->rows[i].shape, hw, &rng, &next))
                check_neighbour(&plan->rows[i].shape, &next, hw);
    }
    ck_assert_int_gt(n_pairs[0], 100);
    ck_assert_int_gt(n_pairs[1], 20);
    nw_sampling_free(plan);
    nw_hw_free(hw);
}
END_TEST

/* A 3x3 convolution of 16 to 24 channels on 20x20. */
static nw_kernel_shape sample_conv(void)
{
    nw_kernel_shape s;
    memset(&s, 0, sizeof s);
    s.parts[0] = (nw_kernel_part){.in_h = 20,
                                  .in_w = 20,
                                  .in_c = 16,
                                  .out_h = 20,
                                  .out_w = 20,
                                  .out_c = 24,
                                  .kind = NW_KERNEL_CONV,
                                  .kernel_h = 3,
                                  .kernel_w = 3,
                                  .stride_h = 1,
                                  .stride_w = 1,
                                  .dilation_h = 1,
                                  .dilation_w = 1,
                                  .groups = 1};
    s.n_parts = 1;
    s.bits = s.weight_bits = 8;
    s.n_maps = 1;
    s.slow_op = -1;
    s.weight_elements = 9 * 16 * 24;
    s.bias_elements = 24;
    return s;
}

START_TEST(every_side_of_a_convolution_is_varied)
{
    nw_hw *hw = load_hw("ne32");
    nw_kernel_shape s = sample_conv(), t;
    nw_rng rng = nw_rng_make(3, 0);
    int in_c = 0, out_c = 0, map = 0, kernel = 0, stride = 0, residual = 0, lut = 0, place = 0;
    int steps[33] = {0}; /* channel counts one to 32 above: each lane of the array */
    for (int i = 0; i < 20000; i++) {
        ck_assert(nw_sampling_vary(&s, hw, &rng, &t));
        const nw_kernel_part *p = &t.parts[0];
        in_c += p->in_c != 16;
        out_c += p->out_c != 24;
        map += p->in_h != 20;
        kernel += p->kernel_h != 3;
        stride += p->stride_h != 1;
        residual += t.residual;
        lut += t.act == NW_KERNEL_ACT_LUT;
        place += t.in_place == NW_PLACE_DRAM;
        if (p->out_c > 24 && p->out_c <= 24 + 32)
            steps[p->out_c - 24]++;
        if (p->stride_h == 2 && p->in_h == 20)
            ck_assert_int_eq(p->out_h, 10); /* SAME stays SAME */
    }
    ck_assert(in_c > 500 && out_c > 500 && map > 500 && kernel > 500 && stride > 200);
    ck_assert(residual > 200 && lut > 100 && place > 200);
    for (int i = 1; i <= 32; i++)
        ck_assert_int_gt(steps[i], 0);
    nw_hw_free(hw);
}
END_TEST

START_TEST(nothing_is_joined_that_the_hardware_keeps_apart)
{
    nw_hw *hw = derive("ne32", "{\"name\": \"apart\", \"fusion\": []}");
    nw_kernel_shape s = sample_conv(), t;
    nw_rng rng = nw_rng_make(5, 0);
    for (int i = 0; i < 5000; i++) {
        ck_assert(nw_sampling_vary(&s, hw, &rng, &t));
        check_neighbour(&s, &t, hw);
        ck_assert_int_eq(t.residual, 0);
        ck_assert_int_ne(t.act, NW_KERNEL_ACT_LUT);
    }
    nw_hw_free(hw);
}
END_TEST

START_TEST(what_costs_nothing_has_no_neighbour)
{
    nw_hw *hw = load_hw("ne32");
    nw_kernel_shape s = sample_conv(), t;
    nw_rng rng = nw_rng_make(4, 0);
    s.parts[0].kind = NW_KERNEL_VIEW;
    ck_assert(!nw_sampling_vary(&s, hw, &rng, &t));
    ck_assert_mem_eq(&s, &t, sizeof s);
    s.parts[0].kind = NW_KERNEL_OPAQUE;
    ck_assert(!nw_sampling_vary(&s, hw, &rng, &t));
    nw_hw_free(hw);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sampling");
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_network_is_a_function_of_seed_and_index_alone);
    tcase_add_test(tests, rows_are_the_kernels_of_the_networks_in_order);
    tcase_add_test(tests, equal_shapes_name_their_first_row);
    tcase_add_loop_test(tests, every_network_seals_and_its_kernels_are_consistent, 0, N_PRESETS);
    tcase_add_test(tests, channels_are_round_and_odd);
    tcase_add_test(tests, a_precision_is_kept_to);
    tcase_add_test(tests, a_precision_that_the_hardware_lacks_is_refused);
    tcase_add_test(tests, float_hardware_gets_float_kernels);
    tcase_add_loop_test(tests, real_networks_have_no_kernel_that_the_plan_lacks, 0, N_PRESETS);
    tcase_add_loop_test(tests, neighbours_are_consistent, 0, N_PRESETS);
    tcase_add_test(tests, joined_parts_follow_each_other);
    tcase_add_test(tests, every_side_of_a_convolution_is_varied);
    tcase_add_test(tests, nothing_is_joined_that_the_hardware_keeps_apart);
    tcase_add_test(tests, what_costs_nothing_has_no_neighbour);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
