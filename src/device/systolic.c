/* A systolic array of rows x cols: the closed forms of SCALE-Sim v3 without stalls. A convolution
 * is the product of an M x K by a K x N matrix (M pixels, N filters, K = taps x input channels),
 * cut into folds; the 1 taken off the end is the simulator's: it reports the last cycle's index.
 */
#include "src/device/internal.h"

#include <string.h>

typedef struct product {
    double m, n, k;
    double count; /* products one after another */
} product;

static product product_of(const nw_work *work)
{
    product p = {.m = (double)work->out_h * (double)work->out_w,
                 .n = (double)work->out_c,
                 .k = (double)work->kernel_h * (double)work->kernel_w * (double)work->in_c,
                 .count = (double)work->units};
    return p;
}

/* Channels of a depthwise convolution side by side on the diagonal, as many as rows and columns
 * take. */
static double packed_channels(const nw_hw *hw, const nw_work *work)
{
    double taps = (double)work->kernel_h * (double)work->kernel_w;
    if (hw->depthwise.kind != NW_DEPTHWISE_DIAGONAL || hw->array.dataflow != NW_DATAFLOW_WS)
        return 1;
    return fmax(1, fmin(hw->array.cols, floor(hw->array.rows / taps)));
}

/* Depthwise: one single-column product a channel, unless a description says otherwise. */
static product depthwise_product(const nw_hw *hw, const nw_work *work)
{
    double taps = (double)work->kernel_h * (double)work->kernel_w;
    product p = {.m = (double)work->out_h * (double)work->out_w, .n = 1, .k = taps};
    p.count = ceil((double)work->out_c / packed_channels(hw, work));
    if (hw->depthwise.kind == NW_DEPTHWISE_ONE_FILTER) {
        p.k = taps * (double)work->out_c; /* right multiply-accumulates, one column */
        p.count = 1;
    }
    return p;
}

typedef struct folds {
    double outer, inner; /* folds of the two sides held in the array */
    double stream;       /* steps streamed through in a fold */
    double fill;         /* cycles to fill and drain one fold */
} folds;

static folds fold(const nw_hw *hw, const product *p)
{
    double rows = hw->array.rows, cols = hw->array.cols;
    switch (hw->array.dataflow) {
    case NW_DATAFLOW_OS:
        return (folds){ceil(p->m / rows), ceil(p->n / cols), p->k, rows + cols - 2};
    case NW_DATAFLOW_IS:
        return (folds){ceil(p->k / rows), ceil(p->m / cols), p->n, 2 * rows + cols - 2};
    default:
        return (folds){ceil(p->k / rows), ceil(p->n / cols), p->m, 2 * rows + cols - 2};
    }
}

static double cycles_of(const nw_hw *hw, const folds *f, double count)
{
    double n = f->outer * f->inner * count;
    /* Hidden fills: the next fold's operands are loaded beside the stream, a row a cycle. */
    if (hw->array.overlap_fold)
        return n * fmax(f->stream, hw->array.rows) + f->fill - 1;
    return n * (f->stream + f->fill) - 1;
}

static void note_passes(const nw_hw *hw, const nw_work *work, const product *p, nw_compute *out)
{
    double rows = hw->array.rows, cols = hw->array.cols;
    double inputs =
        (double)work->in_h * (double)work->in_w * (double)work->in_c * (double)work->units;
    bool depthwise = work->kind == NW_WORK_DEPTHWISE;
    double n_folds = depthwise ? 1 : ceil(p->n / cols);
    double taps = (double)work->kernel_h * (double)work->kernel_w;
    out->n_spatial = 1;
    out->n_depth = n_folds;
    if (hw->array.dataflow == NW_DATAFLOW_OS)
        out->n_spatial = ceil(p->m / rows);
    if (hw->array.dataflow == NW_DATAFLOW_IS) {
        out->n_spatial = ceil(p->m / cols);
        out->n_depth = 1;
    }
    /* the input streams in as columns of the product: each tap reads it again */
    double pixels = (double)work->out_h * (double)work->out_w;
    out->in_fetch =
        fmax(inputs, pixels * taps * (double)work->in_c * (double)work->units) * out->n_depth;
}

static double filled(double n, double lanes)
{
    return n / (ceil(n / lanes) * lanes);
}

/* Which sides of the product lie along rows and columns depends on what stays in the array. */
static void note_lanes(const nw_hw *hw, const nw_work *work, const product *p, const folds *f,
                       nw_compute *out)
{
    double rows = hw->array.rows, cols = hw->array.cols;
    nw_dataflow flow = hw->array.dataflow;
    out->diagonal = 1; /* with inputs in the array, its columns are pixels */
    if (work->kind == NW_WORK_DEPTHWISE && flow != NW_DATAFLOW_IS)
        out->diagonal = packed_channels(hw, work) / cols;
    out->lanes_out =
        work->kind == NW_WORK_DEPTHWISE || flow == NW_DATAFLOW_IS ? 1 : filled(p->n, cols);
    out->lanes_in = flow == NW_DATAFLOW_OS ? 1 : filled(p->k, rows);
    out->lanes_pixels = f->stream / (f->stream + (hw->array.overlap_fold ? 0 : f->fill));
    if (flow != NW_DATAFLOW_WS)
        out->lanes_pixels *= filled(p->m, flow == NW_DATAFLOW_OS ? rows : cols);
}

void nw_systolic_compute(const nw_hw *hw, const nw_work *work, nw_compute *out)
{
    memset(out, 0, sizeof *out);
    product p = work->kind == NW_WORK_DEPTHWISE ? depthwise_product(hw, work) : product_of(work);
    note_passes(hw, work, &p, out);
    double cores = (double)nw_max64(hw->cores, 1);
    product share = p;
    if (hw->core_split == NW_SPLIT_ROWS)
        share.m = ceil(p.m / cores);
    else if (work->kind == NW_WORK_DEPTHWISE && p.count > 1)
        share.count = ceil(p.count / cores);
    else
        share.n = ceil(p.n / cores);
    folds f = fold(hw, &share);
    out->array = fmax(1, floor(cycles_of(hw, &f, share.count) / work->rate));
    out->output = floor((double)work->out_h * (double)work->out_w * (double)work->out_c *
                        (double)work->units / work->out_rate);
    out->total = out->array; /* the simulator's figure has no output stage */
    note_lanes(hw, work, &p, &f, out);
}
