/* stages.c - the scores that weigh the resolutions of a network. */
#include <math.h>

#include "src/score/internal.h"

/* How often the map was halved, by its pixels: of 1000 x 750, 63 x 47 is halved four times. */
static int level_of(double pixels, const nw_block *block)
{
    double ratio = pixels / ((double)block->out_h * (double)block->out_w);
    return ratio > 0 ? (int)lround(0.5 * log2(ratio)) : 0;
}

int nw_score_find_stages(const nw_arch *arch, nw_score_stage stages[NW_SCORE_STAGES])
{
    const nw_graph *graph = nw_arch_graph(arch);
    int n, n_convs = 0, last = -1;
    int64_t h = 0;
    double pixels = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < NW_SCORE_STAGES; i++)
        stages[i] = (nw_score_stage){0};
    for (int i = 0; i < n; i++) {
        int more;
        int64_t own = nw_score_block_h(graph, &blocks[i], &more);
        if (!more)
            continue;
        if (last < 0)
            pixels = (double)blocks[i].in_h * (double)blocks[i].in_w;
        int level = level_of(pixels, &blocks[i]);
        if (level < (last < 0 ? 0 : last))
            continue;
        if (level >= NW_SCORE_STAGES)
            break;
        h += own;
        n_convs += more;
        last = level;
        stages[level] =
            (nw_score_stage){h, blocks[i].out_c, blocks[i].out_h * blocks[i].out_w, n_convs};
    }
    return last;
}

static double depth_over_width(const nw_score_stage *stage)
{
    double depth = stage->n_convs, h = 1e-9 * (double)stage->h_nano;
    return depth / exp(2 * h / depth);
}

static void weigh_stages(const nw_arch *arch, nw_score *out)
{
    static const double mae_det[] = {0, 0, 1, 1, 6}, deepmad[] = {1, 1, 1, 1, 8};
    nw_score_stage stages[NW_SCORE_STAGES];
    int last = nw_score_find_stages(arch, stages);
    out->values[NW_SCORE_MAE_DET] = out->values[NW_SCORE_DEEPMAD] = last < 0 ? NAN : 0;
    out->values[NW_SCORE_ENTROPY] = last < 0 ? NAN : 1e-9 * (double)out->parts.h_nano;
    out->effectiveness = NAN;
    for (int i = 0; i <= last; i++) {
        const nw_score_stage *stage = &stages[i];
        int rank = i + 4 - last; /* of the weight */
        if (stage->channels < 1)
            continue;
        out->effectiveness = fmax(out->effectiveness, depth_over_width(stage));
        if (rank < 0)
            continue;
        double h = 1e-9 * (double)stage->h_nano, channels = (double)stage->channels;
        out->values[NW_SCORE_MAE_DET] += mae_det[rank] * (h + log(channels));
        out->values[NW_SCORE_DEEPMAD] += deepmad[rank] * h * log(channels * (double)stage->pixels);
    }
    out->is_capped = out->effectiveness > NW_DEEPMAD_CAP;
}

static double log_or_none(int64_t n)
{
    return n > 0 ? log((double)n) : NAN;
}

void nw_score_of(const nw_arch *arch, nw_score *out)
{
    nw_score_find_parts(arch, &out->parts, NULL);
    double value = nw_score_default(&out->parts, 0);
    out->values[NW_SCORE_DEFAULT] = isinf(value) ? NAN : value;
    out->values[NW_SCORE_MACS] = log_or_none(out->parts.macs);
    out->values[NW_SCORE_PARAMS] = log_or_none(out->parts.params);
    weigh_stages(arch, out);
}
