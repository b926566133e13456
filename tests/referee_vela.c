#include "tests/referee_vela.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int number(const csv *table, int row, const char *column)
{
    double value = csv_number(table, row, column);
    return isnan(value) ? 0 : (int)value;
}

vela_kind vela_kind_of(const csv *table, int row)
{
    static const struct {
        const char *block_type;
        vela_kind kind;
    } kinds[] = {{"ConvolutionMxN", VELA_CONV},
                 {"ConvolutionDepthWise", VELA_DW},
                 {"VectorProduct", VELA_FC},
                 {"Pooling", VELA_POOL},
                 {"ElementWise", VELA_EW}};
    const char *type = csv_text(table, row, "block_type");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].block_type) == 0)
            return kinds[i].kind;
    return VELA_OTHER;
}

static nw_kernel_kind kernel_kind(const csv *table, int row)
{
    const char *op = csv_text(table, row, "op");
    switch (vela_kind_of(table, row)) {
    case VELA_CONV:
        return NW_KERNEL_CONV;
    case VELA_DW:
        return NW_KERNEL_DWCONV;
    case VELA_FC:
        return NW_KERNEL_FC;
    case VELA_POOL:
        return NW_KERNEL_POOL;
    case VELA_EW:
        if (strcmp(op, "Mul") == 0)
            return NW_KERNEL_MUL;
        return strcmp(op, "Add") == 0 || strcmp(op, "Sub") == 0 ? NW_KERNEL_ADD
                                                                : NW_KERNEL_ELEMENTWISE;
    default:
        return strcmp(op, "ReduceSum") == 0 ? NW_KERNEL_REDUCE : NW_KERNEL_COPY;
    }
}

bool vela_shape(const csv *table, int row, nw_kernel_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    nw_kernel_part *part = &shape->parts[0];
    part->kind = kernel_kind(table, row);
    part->in_h = number(table, row, "ih");
    part->in_w = number(table, row, "iw");
    part->in_c = number(table, row, "ic");
    part->out_h = number(table, row, "oh");
    part->out_w = number(table, row, "ow");
    part->out_c = number(table, row, "oc");
    part->kernel_h = number(table, row, "kh");
    part->kernel_w = number(table, row, "kw");
    part->stride_h = number(table, row, "sh");
    part->stride_w = number(table, row, "sw");
    part->dilation_h = part->dilation_w = 1;
    part->groups = part->kind == NW_KERNEL_DWCONV ? (int32_t)part->in_c : 1;
    shape->n_parts = 1;
    shape->bits = shape->weight_bits = 8;
    shape->slow_op = -1;
    shape->n_maps = part->kind == NW_KERNEL_ADD || part->kind == NW_KERNEL_MUL ? 2 : 1;
    /* only what a network reads (or writes) is not in bricks of 16 channels */
    shape->is_first = strcmp(csv_text(table, row, "ifm_fmt"), "NHWC") == 0;
    const char *act = csv_text(table, row, "act");
    if (strncmp(act, "Relu", 4) == 0)
        shape->act = NW_KERNEL_ACT_CLAMP;
    else if (*act)
        shape->act = NW_KERNEL_ACT_LUT;
    shape->weight_elements = number(table, row, "weights_raw");
    if (shape->weight_elements > 0)
        shape->bias_elements = part->out_c;
    return part->out_h > 0 && part->out_w > 0 && part->out_c > 0;
}

bool vela_tile(const csv *table, int row, nw_tile *tile)
{
    int h, w, c;
    if (sscanf(csv_text(table, row, "ofm_blk"), "%dx%dx%d", &h, &w, &c) != 3)
        return false;
    *tile = (nw_tile){h, w, c};
    return true;
}

/* The figures of the Ethos-U55 are written out: a trivial answer must not share our code. */
double vela_trivial_cycles(const nw_hw *hw, const nw_kernel_shape *shape)
{
    const nw_kernel_part *p = &shape->parts[0];
    double pixels =
        ceil((double)p->out_h / hw->array.px_h) * ceil((double)p->out_w / hw->array.px_w);
    double taps = (double)p->kernel_h * p->kernel_w, in_c = (double)p->in_c;
    double visits;
    if (p->kind == NW_KERNEL_DWCONV) {
        visits = ceil(taps / 4);
    } else {
        double depth = in_c / (32 * ceil(in_c / 32));
        double part = in_c * taps / (8 * ceil(in_c / 8) * 4 * ceil(taps / 4));
        double octets = in_c <= 16 ? ceil(in_c / 8) : 2 * ceil(in_c / 16);
        bool by_taps = p->kind == NW_KERNEL_CONV && (in_c <= 8 || part > depth);
        visits = by_taps ? ceil(taps / 4) * octets : taps * ceil(in_c / 32);
    }
    double array = fmax(32, 4 * pixels) * visits * ceil((double)p->out_c / 8);
    double output =
        (double)p->out_h * (double)p->out_w * (double)p->out_c / hw->out_elements_per_cycle;
    return fmax(array, output);
}

static bool load(csv *table, const char *prefix, const char *chip)
{
    char name[128];
    snprintf(name, sizeof name, "data/vela310/%s_%s_hi.csv", prefix, chip);
    const char *path = shared_path(name);
    return path && csv_load(table, path);
}

static double compute_cycles(const nw_hw *hw, const nw_kernel_shape *shape, const nw_tile *tile)
{
    nw_device_cost cost;
    if (tile)
        nw_device_estimate_tiled(hw, shape, *tile, &cost);
    else
        nw_device_estimate(hw, shape, &cost);
    return (double)cost.cycles[NW_BOUND_COMPUTE];
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct series {
    double *truth, *given, *own, *trivial, *ratio;
    int n;
} series;

static void series_init(series *s, int capacity)
{
    double **columns[] = {&s->truth, &s->given, &s->own, &s->trivial, &s->ratio};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        *columns[i] = malloc((size_t)(capacity + 1) * sizeof **columns[i]);
    s->n = 0;
}

static void series_fini(series *s)
{
    free(s->truth);
    free(s->given);
    free(s->own);
    free(s->trivial);
    free(s->ratio);
}

static void collect(const nw_hw *hw, const csv *table, vela_kind kind, series *s)
{
    for (int row = 0; row < table->n_rows; row++) {
        nw_kernel_shape shape;
        nw_tile tile;
        double truth = csv_number(table, row, "cyc_compute");
        if (vela_kind_of(table, row) != kind || !(truth > 0) || !vela_shape(table, row, &shape) ||
            !vela_tile(table, row, &tile))
            continue;
        s->truth[s->n] = truth;
        s->given[s->n] = compute_cycles(hw, &shape, &tile);
        s->own[s->n] = compute_cycles(hw, &shape, NULL);
        s->trivial[s->n] = vela_trivial_cycles(hw, &shape);
        s->ratio[s->n] = s->own[s->n] / s->given[s->n];
        s->n++;
    }
}

bool vela_score_kind(const nw_hw *hw, const char *chip, vela_kind kind, vela_score *out)
{
    csv ops, blocks;
    if (!load(&ops, "ops", chip))
        return false;
    if (!load(&blocks, "blocks", chip)) {
        csv_free(&ops);
        return false;
    }
    series s;
    series_init(&s, ops.n_rows + blocks.n_rows);
    collect(hw, &ops, kind, &s);
    collect(hw, &blocks, kind, &s);
    out->n = s.n;
    out->given_tile = mape(s.given, s.truth, s.n);
    out->own_tile = mape(s.own, s.truth, s.n);
    out->trivial = mape(s.trivial, s.truth, s.n);
    qsort(s.ratio, (size_t)s.n, sizeof *s.ratio, compare_doubles);
    out->tile_median = s.n ? s.ratio[s.n / 2] : NAN;
    out->tile_p95 = s.n ? s.ratio[(int)(0.95 * (s.n - 1))] : NAN;
    series_fini(&s);
    csv_free(&ops);
    csv_free(&blocks);
    return true;
}

/* Rows of a sweep follow one another in the file, one step apart. */
static bool same_sweep(const csv *table, int row)
{
    static const char *const sweeps[] = {"pw_cout_h28_cin64", "pw_cin_h28_cout64", "conv3_cc_h28",
                                         "dw3_c_h28",         "pw_hw_c48_96",      "dw3_hw_c64"};
    const char *name = csv_text(table, row, "sweep");
    if (strcmp(name, csv_text(table, row + 1, "sweep")) != 0)
        return false;
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++)
        if (strcmp(name, sweeps[i]) == 0)
            return true;
    return false;
}

static bool moves_alike(double from, double to, double vela_from, double vela_to)
{
    return (to - from) * (vela_to - vela_from) > 0;
}

bool vela_score_steps(const nw_hw *hw, const char *chip, vela_steps *out)
{
    csv ops;
    if (!load(&ops, "ops", chip))
        return false;
    int alike = 0, trivially = 0;
    out->n = 0;
    for (int row = 0; row + 1 < ops.n_rows; row++) {
        nw_kernel_shape a, b;
        double from = csv_number(&ops, row, "cyc_compute");
        double to = csv_number(&ops, row + 1, "cyc_compute");
        if (!same_sweep(&ops, row) || fabs(to - from) <= 0.05 * from ||
            !vela_shape(&ops, row, &a) || !vela_shape(&ops, row + 1, &b))
            continue;
        out->n++;
        alike += moves_alike(compute_cycles(hw, &a, NULL), compute_cycles(hw, &b, NULL), from, to);
        trivially +=
            moves_alike(vela_trivial_cycles(hw, &a), vela_trivial_cycles(hw, &b), from, to);
    }
    out->same_way = out->n ? 100.0 * alike / out->n : NAN;
    out->trivial = out->n ? 100.0 * trivially / out->n : NAN;
    csv_free(&ops);
    return true;
}

/* Percent, after the factor that makes the median ratio 1. */
static double scaled_mape(const double *ours, const double *truth, int n, double *factor)
{
    double *ratio = malloc((size_t)(n + 1) * sizeof *ratio),
           *scaled = malloc((size_t)(n + 1) * sizeof *scaled);
    for (int i = 0; i < n; i++)
        ratio[i] = truth[i] / ours[i];
    qsort(ratio, (size_t)n, sizeof *ratio, compare_doubles);
    *factor = n == 0 ? NAN : n % 2 ? ratio[n / 2] : (ratio[n / 2 - 1] + ratio[n / 2]) / 2;
    for (int i = 0; i < n; i++)
        scaled[i] = ours[i] * *factor;
    double result = mape(scaled, truth, n);
    free(ratio);
    free(scaled);
    return result;
}

/* The chip with weights that compress as a row's do: bytes stored, less 10 a channel of scales. */
static nw_hw with_encoding(const nw_hw *hw, const csv *rows, int row, const nw_kernel_shape *shape)
{
    nw_hw copy = *hw;
    double stored = number(rows, row, "weights_enc") - 10.0 * (double)shape->bias_elements;
    if (shape->weight_elements > 0 && stored > 0)
        copy.weights.compression = stored / (double)shape->weight_elements;
    return copy;
}

typedef struct network_sum {
    double total, encoded, macs; /* cycles, cycles, multiply-accumulates */
} network_sum;

/* Sums the rows of one network; false if there are none. */
static bool sum_network(const nw_hw *hw, const csv *rows, const char *network, const char *chip,
                        network_sum *sum)
{
    bool found = false;
    memset(sum, 0, sizeof *sum);
    for (int row = 0; row < rows->n_rows; row++) {
        nw_kernel_shape shape;
        nw_device_cost cost;
        if (strcmp(csv_text(rows, row, "network"), network) != 0 ||
            strcmp(csv_text(rows, row, "hw"), chip) != 0 || !vela_shape(rows, row, &shape))
            continue;
        nw_device_estimate(hw, &shape, &cost);
        sum->total += (double)cost.total_cycles;
        sum->macs += (double)cost.macs;
        nw_hw encoded = with_encoding(hw, rows, row, &shape);
        nw_device_estimate(&encoded, &shape, &cost);
        sum->encoded += (double)cost.total_cycles;
        found = true;
    }
    return found;
}

bool vela_score_totals(const nw_hw *hw, const char *chip, vela_totals *out)
{
    csv rows, summary;
    char name[64];
    snprintf(name, sizeof name, "%s_hi", chip);
    const char *path = shared_path("data/vela310/networks.csv");
    if (!path || !csv_load(&rows, path))
        return false;
    path = shared_path("data/vela310/networks_summary.csv");
    if (!path || !csv_load(&summary, path)) {
        csv_free(&rows);
        return false;
    }
    series s;
    series_init(&s, summary.n_rows);
    for (int row = 0; row < summary.n_rows; row++) {
        network_sum sum;
        if (strcmp(csv_text(&summary, row, "hw"), name) != 0 ||
            !sum_network(hw, &rows, csv_text(&summary, row, "network"), name, &sum))
            continue;
        s.own[s.n] = sum.total;
        s.given[s.n] = sum.encoded;
        s.trivial[s.n] = sum.macs;
        s.truth[s.n] = csv_number(&summary, row, "total_cycles");
        s.n++;
    }
    out->n = s.n;
    out->spearman = spearman(s.own, s.truth, s.n);
    out->mape = scaled_mape(s.own, s.truth, s.n, &out->factor);
    out->macs_spearman = spearman(s.trivial, s.truth, s.n);
    double factor;
    out->encoded_spearman = spearman(s.given, s.truth, s.n);
    out->encoded_mape = scaled_mape(s.given, s.truth, s.n, &factor);
    out->macs_mape = scaled_mape(s.trivial, s.truth, s.n, &factor);
    series_fini(&s);
    csv_free(&rows);
    csv_free(&summary);
    return true;
}
