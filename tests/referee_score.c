#include "tests/referee_score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_edge.h"

/* ---- rows ---- */

static void begin(score_rows *rows, int most)
{
    size_t n = (size_t)most + 1;
    *rows = (score_rows){.scores = calloc(n, sizeof *rows->scores)};
    double **columns[] = {&rows->accuracy, &rows->params, &rows->macs, &rows->first, &rows->second};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        *columns[i] = malloc(n * sizeof **columns[i]);
        for (size_t k = 0; k < n; k++)
            (*columns[i])[k] = NAN;
    }
}

void score_rows_fini(score_rows *rows)
{
    free(rows->scores);
    free(rows->accuracy);
    free(rows->params);
    free(rows->macs);
    free(rows->first);
    free(rows->second);
}

/* Takes graph. */
static void add_graph(score_rows *rows, nw_graph *graph, double accuracy)
{
    const nw_arch *arch = nw_arch_lift(graph);
    nw_score_of(arch, &rows->scores[rows->n]);
    nw_arch_release(arch);
    rows->accuracy[rows->n++] = accuracy;
}

static nw_graph *graph_of_text(const char *text, int size, int64_t n_classes)
{
    nw_graph *graph;
    nw_error err;
    nw_input_size input = {.name = "", .shape = {4, {1, 3, size, size}}};
    if (nw_model_load(text, &input, 1, &graph, &err) != NW_OK) {
        fprintf(stderr, "%s: %s: %s\n", text, err.where, err.message);
        abort();
    }
    return classify(graph, n_classes);
}

/* ---- Accel-NASBench ---- */

enum { N_ACCEL_BLOCKS = 7 };

static int cell(const csv *table, int row, int block, const char *what)
{
    char name[16];
    snprintf(name, sizeof name, "b%d_%s", block, what);
    return (int)csv_number(table, row, name);
}

static void write_accel(const csv *table, int row, nw_buf *out)
{
    static const int c_out[N_ACCEL_BLOCKS] = {16, 24, 40, 80, 112, 192, 320};
    static const int stride[N_ACCEL_BLOCKS] = {1, 2, 2, 2, 1, 2, 1};
    nw_buf_puts(out, "cn_r1_k3_s2_c32");
    for (int b = 0; b < N_ACCEL_BLOCKS; b++) {
        int e = cell(table, row, b, "e");
        nw_buf_printf(out, " ; %s_r%d_k%d_s%d_e%d_c%d%s", e > 1 ? "ir" : "ds",
                      cell(table, row, b, "l"), cell(table, row, b, "k"), stride[b], e, c_out[b],
                      cell(table, row, b, "se") ? "_se0.25" : "");
    }
    nw_buf_puts(out, " ; cn_r1_k1_s1_c1280");
}

bool score_rows_accel(int every, score_rows *out)
{
    const char *path = shared_path("data/accel_nasbench/networks.csv");
    csv table;
    if (!path || !csv_load(&table, path))
        return false;
    begin(out, table.n_rows);
    for (int row = 0; row < table.n_rows; row += every) {
        nw_buf text = {0};
        write_accel(&table, row, &text);
        out->params[out->n] = 1e6 * csv_number(&table, row, "params_m");
        out->macs[out->n] = 1e6 * csv_number(&table, row, "macs_m");
        add_graph(out, graph_of_text(nw_buf_text(&text), 224, 1000),
                  csv_number(&table, row, "top1_pct"));
        nw_buf_fini(&text);
    }
    csv_free(&table);
    return true;
}

/* ---- NAS-Bench-Macro ---- */

static void write_macro(const char *code, nw_buf *out)
{
    static const int layers[] = {2, 3, 3};
    nw_buf_puts(out, "cn_r1_k3_s1_c32");
    for (int stage = 0; stage < 3; stage++)
        for (int i = 0; i < layers[stage]; i++, code++) {
            int stride = i ? 1 : 2, c = 64 << stage;
            if (*code == '0' && i)
                continue;
            nw_buf_puts(out, stride > 1 ? " ; " : " ");
            if (*code == '0')
                nw_buf_printf(out, "cn_r1_k1_s2_c%d", c);
            else
                nw_buf_printf(out, "ir_r1_k%d_s%d_e%d_c%d", *code == '1' ? 3 : 5, stride,
                              *code == '1' ? 3 : 6, c);
        }
    nw_buf_puts(out, " ; cn_r1_k1_s1_c1280");
}

bool score_rows_macro(int every, score_rows *out)
{
    const char *path = shared_path("data/nas_bench_macro/networks.csv");
    csv table;
    if (!path || !csv_load(&table, path))
        return false;
    begin(out, table.n_rows);
    for (int row = 0; row < table.n_rows; row += every) {
        nw_buf text = {0};
        write_macro(csv_text(&table, row, "arch"), &text);
        out->params[out->n] = csv_number(&table, row, "params");
        out->macs[out->n] = csv_number(&table, row, "flops");
        out->first[out->n] = csv_number(&table, row, "acc1");
        out->second[out->n] = csv_number(&table, row, "acc2");
        add_graph(out, graph_of_text(nw_buf_text(&text), 32, 10),
                  csv_number(&table, row, "mean_acc"));
        nw_buf_fini(&text);
    }
    csv_free(&table);
    return true;
}

/* ---- published networks ---- */

static bool has_fused(const edge_facts *facts, int first, int end)
{
    for (int row = first; row < end; row++)
        if (edge_is(facts, row, "fused"))
            return true;
    return false;
}

/* Whether a row of models.csv says what an earlier one does not: the accuracy of another network or
 * input size (an int8 one follows the float one). */
static bool is_new(const csv *models, int row)
{
    if (strcmp(csv_text(models, row, "metric"), "top1_pct") != 0)
        return false;
    for (int i = 0; i < row; i++)
        if (strcmp(csv_text(models, i, "model"), csv_text(models, row, "model")) == 0 &&
            strcmp(csv_text(models, i, "input"), csv_text(models, row, "input")) == 0 &&
            strcmp(csv_text(models, i, "metric"), "top1_pct") == 0)
            return false;
    return true;
}

static void add_edge(const edge_facts *facts, int row, int first, int end, score_rows *out)
{
    const csv *models = &facts->models;
    int64_t weights;
    int size = (int)csv_number(models, row, "input");
    nw_graph *graph = edge_build(facts, first, end, size, &weights);
    int64_t c = nw_tensor_hwc(graph, graph->outputs[0]).c;
    out->macs[out->n] = 1e6 * csv_number(models, row, "macs_m");
    add_graph(out, classify(graph, weights / c), csv_number(models, row, "metric_value"));
}

bool score_rows_edge(bool is_fused, score_rows *out)
{
    edge_facts facts;
    if (!edge_load(&facts))
        return false;
    const csv *models = &facts.models;
    begin(out, models->n_rows);
    for (int row = 0; row < models->n_rows; row++) {
        int first, end;
        for (int i = 0; is_new(models, row) && edge_find(&facts, i, &first, &end); i++)
            if (strcmp(csv_text(&facts.layers, first, "model"), csv_text(models, row, "model")) ==
                    0 &&
                (!is_fused || has_fused(&facts, first, end)))
                add_edge(&facts, row, first, end, out);
    }
    edge_fini(&facts);
    return true;
}

/* ---- figures ---- */

double *score_column(const score_rows *rows, nw_score_kind kind)
{
    double *column = malloc(((size_t)rows->n + 1) * sizeof *column);
    for (int i = 0; i < rows->n; i++)
        column[i] = rows->scores[i].values[kind];
    return column;
}

double *score_column_credit(const score_rows *rows, double fusion_credit)
{
    double *column = malloc(((size_t)rows->n + 1) * sizeof *column);
    for (int i = 0; i < rows->n; i++)
        column[i] = nw_score_default(&rows->scores[i].parts, fusion_credit);
    return column;
}

typedef struct keyed {
    double key, score, accuracy;
} keyed;

static int by_key(const void *a, const void *b)
{
    double x = ((const keyed *)a)->key, y = ((const keyed *)b)->key;
    return (x > y) - (x < y);
}

static double spearman_of(const keyed *list, int n)
{
    double *a = malloc(((size_t)n + 1) * sizeof *a), *b = malloc(((size_t)n + 1) * sizeof *b);
    for (int i = 0; i < n; i++) {
        a[i] = list[i].score;
        b[i] = list[i].accuracy;
    }
    double rho = spearman(a, b, n);
    free(a);
    free(b);
    return rho;
}

score_rank score_rank_of(const score_rows *rows, const double *column, const double *accuracy)
{
    int n = rows->n, n_bands = n >= 100 ? 10 : 1;
    keyed *list = malloc(((size_t)n + 1) * sizeof *list);
    score_rank rank = {.spearman = spearman(column, accuracy, n),
                       .kendall = kendall(column, accuracy, n),
                       .worst_band = INFINITY};
    for (int i = 0; i < n; i++)
        list[i] = (keyed){accuracy[i], column[i], accuracy[i]};
    qsort(list, (size_t)n, sizeof *list, by_key);
    rank.top = spearman_of(list + n - n / 10, n / 10);
    for (int i = 0; i < n; i++)
        list[i] = (keyed){(double)rows->scores[i].parts.macs, column[i], accuracy[i]};
    qsort(list, (size_t)n, sizeof *list, by_key);
    for (int i = 0; i < n_bands; i++) {
        int first = n * i / n_bands, end = n * (i + 1) / n_bands;
        double rho = spearman_of(list + first, end - first);
        rank.bands += rho / n_bands;
        rank.worst_band = fmin(rank.worst_band, rho);
    }
    free(list);
    return rank;
}
