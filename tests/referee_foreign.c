#include "tests/referee_foreign.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/map.h"
#include "src/base/rng.h"
#include "src/estimator/bands.h"
#include "src/estimator/fit.h"
#include "tests/support.h"

static nw_table *load(const char *relative)
{
    nw_table *table = NULL;
    nw_error err;
    const char *path = shared_path(relative);
    if (path && nw_table_load(path, &table, &err) != NW_OK)
        fprintf(stderr, "%s: %s\n", err.where, err.message);
    return table;
}

/* The rows of a table for which part[row] is which, and the named columns only, as a table. */
static nw_table *part_of(const nw_table *t, const int *part, int which, const char *columns)
{
    nw_buf text = {0};
    int chosen[NW_TABLE_MAX_COLUMNS], n = 0;
    for (const char *at = columns; *at; at += strspn(at, ",")) {
        char name[64];
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        chosen[n] = nw_table_find(t, name);
        if (chosen[n] >= 0)
            nw_buf_printf(&text, "%s%s", n++ ? "," : "", name);
        at += length;
    }
    nw_buf_puts(&text, "\n");
    for (int row = 0; row < t->n_rows; row++) {
        if (part[row] != which)
            continue;
        for (int c = 0; c < n; c++) {
            nw_buf_puts(&text, c ? "," : "");
            nw_table_write_cell(&text, nw_table_cell(t, row, chosen[c]));
        }
        nw_buf_puts(&text, "\n");
    }
    nw_table *out = NULL;
    nw_file *file = nw_file_from_bytes(t->path, nw_buf_text(&text), text.length);
    if (nw_table_read(file, &out, NULL) != NW_OK)
        out = NULL;
    nw_file_release(file);
    nw_buf_fini(&text);
    return out;
}

/* 1 for a fifth of the keys, drawn by seed, else 0; a row's key is its cells in the columns. */
static int *split_by(const nw_table *t, const char *columns, uint64_t seed)
{
    int *part = malloc(((size_t)t->n_rows + 1) * sizeof *part);
    for (int row = 0; row < t->n_rows; row++) {
        uint64_t hash = seed * 0x9e3779b97f4a7c15u;
        for (const char *at = columns; *at; at += strspn(at, ",")) {
            char name[64];
            size_t length = strcspn(at, ",");
            snprintf(name, sizeof name, "%.*s", (int)length, at);
            const char *cell = nw_table_cell(t, row, nw_table_find(t, name));
            hash = (hash ^ nw_hash(cell, strlen(cell))) * 0xff51afd7ed558ccdu;
            at += length;
        }
        part[row] = nw_rng_splitmix(&hash) % 5 == 0;
    }
    return part;
}

static double cell(const nw_table *t, int row, const char *column)
{
    double value = NAN;
    if (nw_table_number(t, row, nw_table_find(t, column), &value, NULL) != NW_OK)
        return NAN;
    return value;
}

static nw_regression *fit(const nw_table *table, const nw_fit_options *options)
{
    nw_regression *r = NULL;
    nw_error err;
    if (nw_fit(table, options, &r, &err) != NW_OK)
        fprintf(stderr, "%s: %s\n", err.where, err.message);
    return r;
}

static double percent_off(double predicted, double measured)
{
    return 100 * fabs(predicted / measured - 1);
}

/* ---- phones ---- */

typedef struct network_sums {
    nw_map index;
    char name[256][64];
    double measured[256], predicted[256], total[256], flops[256];
    int n;
} network_sums;

static int find_network(network_sums *s, const char *name)
{
    int32_t at = nw_map_get(&s->index, name);
    if (at != NW_MAP_NONE || s->n == 256)
        return at == NW_MAP_NONE ? 0 : at;
    snprintf(s->name[s->n], sizeof *s->name, "%s", name);
    nw_map_put(&s->index, s->name[s->n], s->n);
    return s->n++;
}

static void sum_networks(const nw_table *t, const nw_table *totals, const char *target,
                         const char *total, const double *predicted, network_sums *s)
{
    memset(s, 0, sizeof *s);
    for (int row = 0; row < t->n_rows; row++) {
        int k = find_network(s, nw_table_cell(t, row, nw_table_find(t, "model")));
        s->measured[k] += cell(t, row, target);
        s->predicted[k] += predicted ? predicted[row] : 0;
    }
    for (int row = 0; row < totals->n_rows; row++) {
        int32_t k =
            nw_map_get(&s->index, nw_table_cell(totals, row, nw_table_find(totals, "model")));
        if (k != NW_MAP_NONE) {
            s->total[k] = cell(totals, row, total);
            s->flops[k] = cell(totals, row, "flops");
        }
    }
    nw_map_fini(&s->index);
}

static double affine_error(const double *x, const double *y, int n, double a, double b)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += percent_off(a * x[k] + b, y[k]) / n;
    return sum;
}

typedef struct phone_split {
    double op, macs, network, floor, flops;
    int n_rows, n_networks;
} phone_split;

static bool score_phone_split(const nw_table *ops, const nw_table *totals, const char *device,
                              uint64_t seed, phone_split *out)
{
    char target[32], total[48], columns[192];
    static network_sums train_sums, test_sums;
    snprintf(target, sizeof target, "%s_us", device);
    snprintf(total, sizeof total, "%s_gpu_float_us", device);
    snprintf(columns, sizeof columns,
             "model,op,in_hw,cin,out_hw,stride,kernel,filters,groups,fused_act,%s", target);
    int *part = split_by(ops, "model", seed);
    nw_table *train = part_of(ops, part, 0, columns), *test = part_of(ops, part, 1, columns);
    free(part);
    nw_fit_options o = {.target = target,
                        .group = "op",
                        .network = "model",
                        .totals = totals,
                        .total_target = total};
    nw_regression *r = fit(train, &o);
    double *predicted = malloc(((size_t)test->n_rows + 1) * sizeof *predicted);
    bool is_good = r && nw_regression_rows(r, test, predicted, NULL) == NW_OK;
    *out = (phone_split){.n_rows = test->n_rows};
    if (is_good) {
        double a, b;
        int n = 0;
        for (int row = 0; row < test->n_rows; row++)
            if (!isnan(predicted[row])) {
                out->op += percent_off(predicted[row], cell(test, row, target));
                n++;
            }
        out->op /= n;
        out->macs = nw_regression_group_report(r, 0)->macs.mape;
        sum_networks(train, totals, target, total, NULL, &train_sums);
        sum_networks(test, totals, target, total, predicted, &test_sums);
        const nw_fit_report *p = nw_regression_report(r);
        out->n_networks = test_sums.n;
        out->network = affine_error(test_sums.predicted, test_sums.total, test_sums.n, p->a, p->b);
        nw_affine_fit(train_sums.measured, train_sums.total, train_sums.n, &a, &b);
        out->floor = affine_error(test_sums.measured, test_sums.total, test_sums.n, a, b);
        nw_affine_fit(train_sums.flops, train_sums.total, train_sums.n, &a, &b);
        out->flops = affine_error(test_sums.flops, test_sums.total, test_sums.n, a, b);
    }
    free(predicted);
    nw_regression_release(r);
    nw_table_free(train);
    nw_table_free(test);
    return is_good;
}

static split_figure figure_of(const double *values, int n)
{
    double low = INFINITY, high = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
        sum += values[i];
    }
    return (split_figure){sum / n, high - low};
}

bool score_phone(const char *device, int n_splits, phone_score *out)
{
    enum { MOST = 10 };
    double op[MOST], macs[MOST], network[MOST], bottom[MOST], flops[MOST];
    nw_table *ops = load("data/mobile_gpu/ops.csv"), *totals = load("data/mobile_gpu/networks.csv");
    bool is_good = ops && totals;
    phone_split s = {0};
    for (int i = 0; i < n_splits && i < MOST && is_good; i++) {
        is_good = score_phone_split(ops, totals, device, (uint64_t)i + 1, &s);
        op[i] = s.op;
        macs[i] = s.macs;
        network[i] = s.network;
        bottom[i] = s.floor;
        flops[i] = s.flops;
    }
    nw_table_free(ops);
    nw_table_free(totals);
    if (!is_good)
        return false;
    *out = (phone_score){n_splits,
                         s.n_rows,
                         s.n_networks,
                         figure_of(op, n_splits),
                         figure_of(macs, n_splits),
                         figure_of(network, n_splits),
                         figure_of(bottom, n_splits),
                         figure_of(flops, n_splits)};
    return true;
}

/* ---- V100 ---- */

/* Everything but the output channels alike, the next larger number of them. */
typedef struct channel_row {
    uint64_t key;
    double channels, measured, predicted;
} channel_row;

static int compare_channels(const void *a, const void *b)
{
    const channel_row *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->channels > y->channels) - (x->channels < y->channels);
}

static void score_steps(const nw_table *t, const char *target, const double *predicted,
                        v100_score *out)
{
    static const char *const same[] = {"type",   "batch",  "cin",      "in_hw",
                                       "kernel", "stride", "fused_add"};
    channel_row *rows = malloc(((size_t)t->n_rows + 1) * sizeof *rows);
    int n = 0, n_right = 0, n_said = 0, n_found = 0;
    for (int row = 0; row < t->n_rows; row++) {
        uint64_t key = 1;
        for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
            const char *text = nw_table_cell(t, row, nw_table_find(t, same[i]));
            key = (key ^ nw_hash(text, strlen(text))) * 0xff51afd7ed558ccdu;
        }
        double measured = cell(t, row, target);
        if (!isnan(measured))
            rows[n++] = (channel_row){key, cell(t, row, "cout"), measured, predicted[row]};
    }
    qsort(rows, (size_t)n, sizeof *rows, compare_channels);
    for (int i = 1; i < n; i++) {
        if (rows[i].key != rows[i - 1].key)
            continue;
        double real = rows[i].measured / rows[i - 1].measured - 1;
        double said = rows[i].predicted / rows[i - 1].predicted - 1;
        bool is_step = fabs(real) > 0.05, is_said = fabs(said) > 0.05;
        out->n_steps += is_step;
        n_found += is_step && (real > 0) == (said > 0);
        n_said += is_said;
        n_right += is_said && (real > 0) == (said > 0);
    }
    out->recall = out->n_steps ? 100.0 * n_found / out->n_steps : NAN;
    out->precision = n_said ? 100.0 * n_right / n_said : NAN;
    free(rows);
}

bool score_v100(const char *target, v100_score *out)
{
    nw_table *all = load("data/v100_conv/ops.csv");
    if (!all)
        return false;
    char columns[128];
    snprintf(columns, sizeof columns, "type,batch,cin,in_hw,cout,kernel,stride,fused_add,%s",
             target);
    int *part = split_by(all, "type,cin,in_hw,cout,kernel,stride", 1);
    nw_table *train = part_of(all, part, 0, columns), *test = part_of(all, part, 1, columns);
    free(part);
    nw_fit_options o = {.target = target, .group = "type", .n_folds = 2};
    nw_regression *r = fit(train, &o);
    double *predicted = malloc(((size_t)test->n_rows + 1) * sizeof *predicted);
    bool is_good = r && nw_regression_rows(r, test, predicted, NULL) == NW_OK;
    *out = (v100_score){.n_train = train->n_rows};
    if (is_good) {
        for (int row = 0; row < test->n_rows; row++) {
            double measured = cell(test, row, target);
            if (isnan(measured) || isnan(predicted[row]))
                continue;
            out->mape += percent_off(predicted[row], measured);
            out->n_test++;
        }
        out->mape /= out->n_test;
        out->macs_mape = nw_regression_group_report(r, 0)->macs.mape;
        score_steps(test, target, predicted, out);
    }
    free(predicted);
    nw_regression_release(r);
    nw_table_free(train);
    nw_table_free(test);
    nw_table_free(all);
    return is_good;
}

/* ---- Vela ---- */

/* Rows of a table of Vela's as a table for fit: roles by their own names, the kind of work as
 * `unit`, whether the input is the network's (its format says so), where the maps live, what it
 * costs. Rows that cost
 * nothing (chained into others) are left out. */
static void write_vela(const nw_table *t, const int *part, int which, bool has_encoded, nw_buf *out)
{
    static const char *const sizes[] = {"ih", "iw", "ic", "oh", "ow", "oc", "kh", "kw", "sh", "sw"};
    if (!out->length)
        nw_buf_printf(
            out, "net,unit,ih,iw,ic,oh,ow,oc,kh,kw,sh,sw,first,in_dram,out_dram,act%s,cyc_total\n",
            has_encoded ? ",weights_enc" : "");
    const char *net = nw_table_find(t, "network") >= 0 ? "network" : "case";
    for (int row = 0; row < t->n_rows; row++) {
        double cycles = cell(t, row, "cyc_total");
        if ((part && part[row] != which) || !(cycles > 0))
            continue;
        const char *op = nw_table_cell(t, row, nw_table_find(t, "op"));
        const char *unit = nw_table_cell(t, row, nw_table_find(t, "block_type"));
        nw_table_write_cell(out, nw_table_cell(t, row, nw_table_find(t, net)));
        nw_buf_printf(out, ",%s", strcmp(unit, "ElementWise") == 0 ? op : unit);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            nw_buf_printf(out, ",%s", nw_table_cell(t, row, nw_table_find(t, sizes[i])));
        const char *format = nw_table_cell(t, row, nw_table_find(t, "ifm_fmt"));
        const char *in = nw_table_cell(t, row, nw_table_find(t, "ifm_mem"));
        const char *to = nw_table_cell(t, row, nw_table_find(t, "ofm_mem"));
        nw_buf_printf(out, ",%d,%d,%d,%s", strcmp(format, "NHWC") == 0, strcmp(in, "Dram") == 0,
                      strcmp(to, "Dram") == 0, nw_table_cell(t, row, nw_table_find(t, "act")));
        if (has_encoded)
            nw_buf_printf(out, ",%s", nw_table_cell(t, row, nw_table_find(t, "weights_enc")));
        nw_buf_printf(out, ",%.17g\n", cycles);
    }
}

static nw_table *as_table(nw_buf *text)
{
    nw_table *table = NULL;
    nw_file *file = nw_file_from_bytes("rows", nw_buf_text(text), text->length);
    if (nw_table_read(file, &table, NULL) != NW_OK)
        table = NULL;
    nw_file_release(file);
    nw_buf_fini(text);
    return table;
}

static nw_table *load_chip(const char *prefix, const char *chip)
{
    char name[128];
    snprintf(name, sizeof name, "data/vela310/%s_%s.csv", prefix, chip);
    return load(name);
}

/* The preset that describes a chip's array, for features; NULL: none does. */
static nw_hw *preset_of(const char *chip)
{
    static const char *const presets[][2] = {{"u55-128_hi", "u55-128"},
                                             {"u55-256_hi", "u55-256"},
                                             {"u65-512_cs", "u65-512"},
                                             {"u85-1024_high", "u85-1024"}};
    nw_hw *hw = NULL;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(presets[i][0], chip) == 0 && nw_hw_load(presets[i][1], "hw", &hw, NULL) != NW_OK)
            hw = NULL;
    return hw;
}

static double score_ops(nw_table *train, nw_table *test, const nw_hw *hw, const char *group,
                        int *n_test, double *macs)
{
    nw_fit_options o = {.target = "cyc_total", .group = group, .hw = hw, .n_folds = 2};
    nw_regression *r = train && test ? fit(train, &o) : NULL;
    double sum = 0, *predicted = malloc(((size_t)(test ? test->n_rows : 0) + 1) * sizeof(double));
    *n_test = 0;
    if (r && nw_regression_rows(r, test, predicted, NULL) == NW_OK)
        for (int row = 0; row < test->n_rows; row++) {
            if (isnan(predicted[row]))
                continue;
            sum += percent_off(predicted[row], cell(test, row, "cyc_total"));
            (*n_test)++;
        }
    if (r)
        *macs = nw_regression_group_report(r, 0)->macs.mape;
    free(predicted);
    nw_regression_release(r);
    nw_table_free(train);
    nw_table_free(test);
    return *n_test ? sum / *n_test : NAN;
}

/* Sums of networks against the compiler's totals. */
static void score_vela_networks(const char *chip, const nw_hw *hw, bool has_encoded,
                                vela_fit_score *out, double *error)
{
    nw_table *ops = load_chip("ops", chip), *blocks = load_chip("blocks", chip);
    nw_table *nets = load("data/vela310/networks.csv");
    nw_table *totals = load("data/vela310/networks_summary.csv");
    nw_buf text = {0}, rows = {0};
    *error = NAN;
    if (!ops || !blocks || !nets || !totals)
        return;
    int *part = malloc(((size_t)nets->n_rows + 1) * sizeof *part);
    for (int row = 0; row < nets->n_rows; row++)
        part[row] = strcmp(nw_table_cell(nets, row, nw_table_find(nets, "hw")), chip) == 0;
    write_vela(ops, NULL, 0, has_encoded, &text);
    write_vela(blocks, NULL, 0, has_encoded, &text);
    write_vela(nets, part, 1, has_encoded, &rows);
    free(part);
    nw_table *train = as_table(&text), *test = as_table(&rows);
    nw_fit_options o = {.target = "cyc_total", .group = "unit", .hw = hw, .n_folds = 2};
    nw_regression *r = fit(train, &o);
    double *predicted = malloc(((size_t)test->n_rows + 1) * sizeof *predicted);
    double sums[64] = {0}, truth[64] = {0};
    char names[64][64];
    int n = 0;
    if (r && nw_regression_rows(r, test, predicted, NULL) == NW_OK)
        for (int row = 0; row < test->n_rows; row++) {
            const char *name = nw_table_cell(test, row, 0);
            if (!n || strcmp(names[n - 1], name) != 0) {
                if (n == 64)
                    break;
                snprintf(names[n++], sizeof *names, "%s", name);
            }
            /* what single operators and blocks do not hold (a softmax's steps) counts as it is */
            sums[n - 1] += isnan(predicted[row]) ? cell(test, row, "cyc_total") : predicted[row];
        }
    for (int k = 0; k < n; k++)
        for (int row = 0; row < totals->n_rows; row++)
            if (strcmp(nw_table_cell(totals, row, nw_table_find(totals, "network")), names[k]) ==
                    0 &&
                strcmp(nw_table_cell(totals, row, nw_table_find(totals, "hw")), chip) == 0)
                truth[k] = cell(totals, row, "total_cycles");
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += percent_off(sums[k], truth[k]) / n;
    out->n_networks = n;
    *error = n ? sum : NAN;
    free(predicted);
    nw_regression_release(r);
    nw_table_free(train);
    nw_table_free(test);
    nw_table_free(ops);
    nw_table_free(blocks);
    nw_table_free(nets);
    nw_table_free(totals);
}

static bool score_vela310(const char *chip, vela_fit_score *out)
{
    nw_table *ops = load_chip("ops", chip);
    nw_buf train = {0}, test = {0};
    if (!ops)
        return false;
    nw_hw *hw = preset_of(chip);
    int *part = split_by(ops, "case", 1);
    write_vela(ops, part, 0, false, &train);
    write_vela(ops, part, 1, false, &test);
    free(part);
    out->ops =
        score_ops(as_table(&train), as_table(&test), hw, "unit", &out->n_ops, &out->ops_macs);
    score_vela_networks(chip, hw, false, out, &out->networks);
    score_vela_networks(chip, hw, true, out, &out->encoded);
    nw_hw_free(hw);
    nw_table_free(ops);
    return true;
}

/* Version 5.1 gives the case's sizes, not the operator's, so only single operators are rows. */
static bool score_vela510(const char *chip, vela_fit_score *out)
{
    char name[128];
    nw_buf texts[2] = {{0}, {0}};
    snprintf(name, sizeof name, "data/vela510/ops_%s.csv", chip);
    nw_table *ops = load(name);
    if (!ops)
        return false;
    nw_hw *hw = preset_of(chip);
    int *part = split_by(ops, "case", 1);
    for (int i = 0; i < 2; i++)
        nw_buf_puts(&texts[i], "op,ih,iw,ic,oc,k,stride,cyc_total\n");
    for (int row = 0; row < ops->n_rows; row++) {
        if (!(cell(ops, row, "cyc_total") > 0))
            continue;
        static const char *const columns[] = {"op", "ih", "iw", "ic", "oc", "k", "stride"};
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            nw_buf_printf(&texts[part[row]], "%s,",
                          nw_table_cell(ops, row, nw_table_find(ops, columns[i])));
        nw_buf_printf(&texts[part[row]], "%.17g\n", cell(ops, row, "cyc_total"));
    }
    free(part);
    out->ops =
        score_ops(as_table(&texts[0]), as_table(&texts[1]), hw, "op", &out->n_ops, &out->ops_macs);
    out->networks = out->encoded = NAN;
    nw_hw_free(hw);
    nw_table_free(ops);
    return true;
}

bool score_vela_fit(const char *version, const char *chip, vela_fit_score *out)
{
    *out = (vela_fit_score){0};
    return strcmp(version, "vela310") == 0 ? score_vela310(chip, out) : score_vela510(chip, out);
}

/* ---- granularity ---- */

typedef struct block_row {
    const char *sweep;
    bool is_fused;
    double h, c_in, c_out, expansion, kernel, stride;
    double total, sum; /* of the whole case, as compiled; of predicted operators */
    int is_test;
} block_row;

/* "ibn_h112_c8_e2_k3_s1" */
static bool parse_block(const nw_table *t, int row, block_row *out)
{
    int h, c, e, k, s;
    out->sweep = nw_table_cell(t, row, nw_table_find(t, "sweep"));
    if (sscanf(out->sweep, "ibn_h%d_c%d_e%d_k%d_s%d", &h, &c, &e, &k, &s) != 5)
        return false;
    out->is_fused = strcmp(nw_table_cell(t, row, nw_table_find(t, "block")), "fused") == 0;
    out->h = h;
    out->c_in = c;
    out->expansion = e;
    out->kernel = k;
    out->stride = s;
    out->total = cell(t, row, "net_total_cycles");
    return true;
}

static void add_sums(const nw_table *blocks, const nw_table *train, const nw_hw *hw,
                     block_row *list, int n, const int *case_of, const int *part)
{
    nw_buf text = {0};
    write_vela(blocks, part, 1, false, &text);
    nw_table *test = as_table(&text);
    nw_fit_options o = {.target = "cyc_total", .group = "unit", .hw = hw, .n_folds = 2};
    nw_regression *r = fit(train, &o);
    double *predicted = malloc(((size_t)test->n_rows + 1) * sizeof *predicted);
    for (int i = 0; i < n; i++)
        list[i].sum = 0;
    if (r && nw_regression_rows(r, test, predicted, NULL) == NW_OK) {
        int at = 0;
        for (int row = 0; row < blocks->n_rows; row++)
            if (part[row] == 1 && cell(blocks, row, "cyc_total") > 0)
                list[case_of[row]].sum += predicted[at++];
    }
    free(predicted);
    nw_regression_release(r);
    nw_table_free(test);
}

static double error_of_sums(const block_row *list, int n)
{
    double *x = malloc(((size_t)n + 1) * sizeof *x), *y = malloc(((size_t)n + 1) * sizeof *y);
    double error = 0;
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (list[i].is_test && !isnan(list[i].sum)) {
            x[kept] = list[i].sum;
            y[kept++] = list[i].total;
        }
    for (int i = 0; i < kept; i++)
        error += percent_off(x[i], y[i]) / kept;
    free(x);
    free(y);
    return kept ? error : NAN;
}

/* Whole blocks as rows: their parameters and what they compute. */
static double score_whole(const block_row *list, int n, double *macs)
{
    nw_buf texts[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++)
        nw_buf_puts(&texts[i], "block,in_hw,cin,expand,k,stride,cyc_total\n");
    for (int i = 0; i < n; i++)
        nw_buf_printf(&texts[list[i].is_test], "%s,%g,%g,%g,%g,%g,%.17g\n",
                      list[i].is_fused ? "conv_fused" : "conv_ibn", list[i].h, list[i].c_in,
                      list[i].expansion, list[i].kernel, list[i].stride, list[i].total);
    int n_test;
    return score_ops(as_table(&texts[0]), as_table(&texts[1]), NULL, "block", &n_test, macs);
}

bool score_granularity(const char *chip, granularity_score *out)
{
    nw_table *ops = load_chip("ops", chip), *blocks = load_chip("blocks", chip);
    *out = (granularity_score){0};
    if (!ops || !blocks)
        return false;
    nw_hw *hw = preset_of(chip);
    int *part = split_by(blocks, "sweep", 1);
    int *case_of = malloc(((size_t)blocks->n_rows + 1) * sizeof *case_of), n = 0;
    block_row *list = malloc(((size_t)blocks->n_rows + 1) * sizeof *list);
    for (int row = 0; row < blocks->n_rows; row++) {
        bool is_new = row == 0 || cell(blocks, row, "case") != cell(blocks, row - 1, "case");
        if (is_new && parse_block(blocks, row, &list[n]))
            list[n++].is_test = part[row];
        case_of[row] = n - 1;
    }
    for (int i = 0; i < n; i++)
        *(list[i].is_test ? &out->n_test : &out->n_train) += 1;
    nw_buf alone = {0}, in_place = {0};
    write_vela(ops, NULL, 0, false, &alone);
    write_vela(blocks, part, 0, false, &in_place);
    nw_table *table = as_table(&alone);
    add_sums(blocks, table, hw, list, n, case_of, part);
    out->alone = error_of_sums(list, n);
    nw_table_free(table);
    table = as_table(&in_place);
    add_sums(blocks, table, hw, list, n, case_of, part);
    out->in_place = error_of_sums(list, n);
    nw_table_free(table);
    out->whole = score_whole(list, n, &out->macs);
    free(part);
    free(case_of);
    free(list);
    nw_hw_free(hw);
    nw_table_free(ops);
    nw_table_free(blocks);
    return true;
}
