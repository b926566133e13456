#include "src/measure/plan.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/measure/plan_family.h"

/* ---- networks ---- */

static const struct {
    const char *name;
    double share;
    void (*draw)(nw_draw *d);
} families[] = {
    {"separable", 7, nw_family_separable},
    {"ibn", 15, nw_family_ibn},
    {"fused", 9, nw_family_fused},
    {"resnet", 7, nw_family_resnet},
    {"vgg", 3, nw_family_vgg},
    {"fire", 3, nw_family_fire},
    {"shuffle", 4, nw_family_shuffle},
    {"branch", 3, nw_family_branch},
    {"tiny", 4, nw_family_tiny},
    {"ssd", 9, nw_family_ssd},
    {"face", 5, nw_family_face},
    {"blaze", 4, nw_family_blaze},
    {"yunet", 4, nw_family_yunet},
    {"yolo", 5, nw_family_yolo},
    {"lraspp", 5, nw_family_lraspp},
    {"deeplab", 5, nw_family_deeplab},
    {"unet", 4, nw_family_unet},
    {"selfie", 6, nw_family_selfie},
    {"pixels", 3, nw_family_pixels},
    {"attention", 4, nw_family_attention},
    {"mixed", 9, nw_family_mixed},
};

enum { N_FAMILIES = sizeof families / sizeof *families };

/* Families by the fractional parts of multiples of the golden ratio, which fill the interval
 * evenly: the first networks of a plan have their shares already. */
static int family_of(uint64_t seed, int index)
{
    nw_rng rng = nw_rng_make(seed, UINT64_MAX);
    double whole, sum = 0, at = modf(nw_rng_unit(&rng) + index * 0.6180339887498949, &whole);
    for (int i = 0; i < N_FAMILIES; i++)
        sum += families[i].share;
    for (int i = 0; i < N_FAMILIES - 1; i++) {
        if (at < families[i].share / sum)
            return i;
        at -= families[i].share / sum;
    }
    return N_FAMILIES - 1;
}

/* Mostly the file's own; else another that the hardware runs besides its default. */
static const char *draw_precision(const nw_hw *hw, nw_rng *rng)
{
    static const struct {
        const char *name;
        int bits;
        bool is_float;
    } others[] = {{"int4", 4, false},
                  {"int8", 8, false},
                  {"int16", 16, false},
                  {"float16", 16, true},
                  {"float32", 32, true}};
    const char *runs[8];
    int n = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        bool is_native =
            nw_hw_precision_rate(hw, others[i].bits, others[i].bits, others[i].is_float) > 0 ||
            nw_hw_precision_rate(hw, 8, others[i].bits, others[i].is_float) > 0;
        if (is_native && strcmp(others[i].name, hw->default_precision) != 0)
            runs[n++] = others[i].name;
    }
    bool is_file = !n || !nw_rng_chance(rng, 0.1);
    return is_file ? NULL : runs[nw_rng_range(rng, 0, n - 1)];
}

static void name_network(uint64_t seed, int index, char *dst, size_t size)
{
    snprintf(dst, size, "%s-%04d", families[family_of(seed, index)].name, index);
}

nw_graph *nw_sampling_network(const nw_hw *hw, uint64_t seed, int index, const char **precision)
{
    assert(index >= 0);
    char name[32];
    nw_draw d;
    nw_rng rng = nw_rng_make(seed, (uint64_t)index);
    const char *drawn = draw_precision(hw, &rng);
    if (precision)
        *precision = drawn;
    name_network(seed, index, name, sizeof name);
    nw_draw_begin(&d, hw, rng, name);
    families[family_of(seed, index)].draw(&d);
    return nw_draw_seal(&d);
}

/* ---- rows ---- */

typedef struct collector {
    nw_sampling *plan;
    size_t row_capacity;
    int32_t *slots; /* index of a first row + 1, by hash; 0: empty */
    size_t n_slots; /* a power of two, at least twice the distinct shapes */
} collector;

static int32_t *find_slot(const collector *c, const nw_kernel_shape *shape)
{
    size_t at = nw_hash(shape, sizeof *shape) & (c->n_slots - 1);
    while (c->slots[at] && memcmp(&c->plan->rows[c->slots[at] - 1].shape, shape, sizeof *shape))
        at = (at + 1) & (c->n_slots - 1);
    return &c->slots[at];
}

static void grow_slots(collector *c)
{
    free(c->slots);
    c->n_slots = c->n_slots ? c->n_slots * 2 : 1024;
    c->slots = nw_zalloc(c->n_slots * sizeof *c->slots);
    for (int i = 0; i < c->plan->n_rows; i++)
        if (c->plan->rows[i].first == i)
            *find_slot(c, &c->plan->rows[i].shape) = i + 1;
}

static void add_row(collector *c, const nw_kernel_shape *shape, int network)
{
    nw_sampling *plan = c->plan;
    if (2 * (size_t)(plan->n_distinct + 1) > c->n_slots)
        grow_slots(c);
    plan->rows = nw_grow(plan->rows, (size_t)plan->n_rows, &c->row_capacity, sizeof *plan->rows);
    int32_t *slot = find_slot(c, shape);
    if (!*slot) {
        *slot = plan->n_rows + 1;
        plan->n_distinct++;
    }
    plan->rows[plan->n_rows++] = (nw_sampling_row){*shape, network, *slot - 1};
}

static void add_network(collector *c, const nw_kernels *kernels, uint64_t seed, int index,
                        const char *precision)
{
    nw_sampling *plan = c->plan;
    nw_sampling_source *source = &plan->networks[plan->n_networks];
    *source =
        (nw_sampling_source){.index = index, .precision = precision, .first_row = plan->n_rows};
    name_network(seed, index, source->name, sizeof source->name);
    for (int i = 0; i < kernels->n_kernels; i++)
        if (kernels->kernels[i].shape.parts[0].kind != NW_KERNEL_VIEW)
            add_row(c, &kernels->kernels[i].shape, plan->n_networks);
    source->n_rows = plan->n_rows - source->first_row;
    plan->n_networks++;
}

nw_status nw_sampling_make(const nw_hw *hw, const nw_sampling_options *options, nw_sampling **out,
                           nw_error *err)
{
    nw_sampling_options o = options ? *options : (nw_sampling_options){0};
    int n = o.n_networks > 0 ? o.n_networks : NW_PLAN_NETWORKS;
    nw_sampling *plan = nw_zalloc(sizeof *plan);
    collector c = {.plan = plan};
    nw_status status = NW_OK;
    plan->networks = nw_zalloc((size_t)n * sizeof *plan->networks);
    for (int i = 0; i < n; i++) {
        const char *precision;
        nw_kernels *kernels;
        nw_graph *graph = nw_sampling_network(hw, o.seed, i, &precision);
        precision = o.precision ? o.precision : precision;
        nw_status refusal = nw_kernels_split(graph, hw, precision, &kernels, err);
        if (refusal == NW_OK) {
            add_network(&c, kernels, o.seed, i, precision);
            nw_kernels_free(kernels);
        } else {
            plan->n_refused++;
            status = refusal;
        }
        nw_graph_free(graph);
    }
    free(c.slots);
    if (!plan->n_networks) {
        nw_sampling_free(plan);
        return status;
    }
    *out = plan;
    return NW_OK;
}

void nw_sampling_free(nw_sampling *plan)
{
    if (!plan)
        return;
    free(plan->rows);
    free(plan->networks);
    free(plan);
}
