#include "tests/referee_fused.h"

#include <stdlib.h>
#include <string.h>

#include "src/estimator/estimator.h"
#include "tests/support.h"
#include "tests/support_net.h"

typedef struct block {
    char sweep[64];
    int size, c_in, c_out, expansion, kernel, stride;
    double vela_total[2], vela_compute[2]; /* [1]: fused; cycles */
    double total[2], compute[2];
} block;

static bool estimate_block(const nw_hw *hw, block *b, bool is_fused)
{
    net n = net_begin(b->size, b->size, b->c_in, NW_DTYPE_INT8);
    if (is_fused)
        net_fused_bottleneck(&n, b->c_out, b->expansion, b->kernel, b->stride);
    else
        net_inverted_bottleneck(&n, b->c_out, b->expansion, b->kernel, b->stride, 0);
    nw_graph *graph = net_end(&n);
    nw_estimate e;
    bool is_done = nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &e, NULL) == NW_OK;
    if (is_done) {
        b->total[is_fused] = (double)e.latency_ps;
        b->compute[is_fused] = 0;
        for (int i = 0; i < e.kernels->n_kernels; i++)
            b->compute[is_fused] += (double)e.costs[i].cycles[NW_BOUND_COMPUTE];
        nw_estimate_fini(&e);
    }
    nw_graph_free(graph);
    return is_done;
}

/* Rows of one network follow one another; its first row names it, the last one has its output. */
static int read_blocks(const csv *rows, block *list)
{
    bool is_510 = csv_column(rows, "kind") >= 0;
    int n = 0;
    for (int row = 0; row < rows->n_rows; row++) {
        const char *sweep = csv_text(rows, row, "sweep");
        bool is_fused = strcmp(csv_text(rows, row, is_510 ? "kind" : "block"), "fused") == 0;
        if (!n || strcmp(list[n - 1].sweep, sweep) != 0) {
            block *b = &list[n++];
            memset(b, 0, sizeof *b);
            snprintf(b->sweep, sizeof b->sweep, "%s", sweep);
            if (sscanf(sweep, "ibn_h%d_c%d_e%d_k%d_s%d", &b->size, &b->c_in, &b->expansion,
                       &b->kernel, &b->stride) != 5)
                return 0;
        }
        block *b = &list[n - 1];
        b->c_out = (int)csv_number(rows, row, "oc");
        b->vela_compute[is_fused] += csv_number(rows, row, is_510 ? "cyc_npu" : "cyc_compute");
        b->vela_total[is_fused] =
            csv_number(rows, row, is_510 ? "net_cycles_total" : "net_total_cycles");
    }
    return n;
}

typedef struct tally {
    int n[2], right[2]; /* by Vela's answer; [1]: fused */
    double chosen, best;
} tally;

static void count(tally *t, const double *truth, bool says_fused)
{
    bool is_fused = truth[1] < truth[0];
    t->n[is_fused]++;
    t->right[is_fused] += says_fused == is_fused;
    t->chosen += truth[says_fused];
    t->best += truth[is_fused];
}

static fused_choice summarise(const tally *t)
{
    double of_ibn = t->n[0] ? 100.0 * t->right[0] / t->n[0] : 100;
    double of_fused = t->n[1] ? 100.0 * t->right[1] / t->n[1] : 100;
    return (fused_choice){.balanced = (of_ibn + of_fused) / 2,
                          .plain = 100.0 * (t->right[0] + t->right[1]) / (t->n[0] + t->n[1]),
                          .lost = 100 * (t->chosen / t->best - 1)};
}

bool fused_score_chip(const nw_hw *hw, const char *chip, fused_score *out)
{
    static const char *const files[][2] = {
        {"u55-256", "data/vela310/blocks_u55-256_hi.csv"},
        {"u65-512", "data/vela310/blocks_u65-512_cs.csv"},
        {"u85-1024", "data/vela510/blocks_u85-1024_high.csv"},
    };
    const char *path = NULL;
    csv rows;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i][0], chip) == 0)
            path = shared_path(files[i][1]);
    if (!path || !csv_load(&rows, path))
        return false;
    block *list = calloc((size_t)rows.n_rows + 1, sizeof *list);
    int n = read_blocks(&rows, list);
    nw_hw own = *hw;
    if (own.dram.weights_only) /* Vela puts no limit on the SRAM in this mode */
        own.sram.bytes = (int64_t)1 << 40;
    tally total = {0}, compute = {0}, never = {0}, never_computed = {0};
    for (int i = 0; i < n; i++) {
        block *b = &list[i];
        if (!estimate_block(&own, b, false) || !estimate_block(&own, b, true))
            continue;
        count(&total, b->vela_total, b->total[1] < b->total[0]);
        count(&compute, b->vela_compute, b->compute[1] < b->compute[0]);
        count(&never, b->vela_total, false);
        count(&never_computed, b->vela_compute, false);
    }
    *out = (fused_score){.n = total.n[0] + total.n[1],
                         .n_fused = total.n[1],
                         .total = summarise(&total),
                         .compute = summarise(&compute),
                         .never = summarise(&never),
                         .never_computed = summarise(&never_computed)};
    free(list);
    csv_free(&rows);
    return out->n > 0;
}
