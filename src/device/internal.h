/* internal.h - what the files of the device share.
 *
 * Cycles and bytes are doubles until a kernel is finished: whole numbers below 2^53 are exact in
 * them, larger ones lose digits but never overflow, and the operations used (+ - * / and floor,
 * ceil) give the same result with every compiler. They become integers once, in device.c.
 */
#ifndef NW_DEVICE_INTERNAL_H
#define NW_DEVICE_INTERNAL_H

#include <math.h>

#include "src/device/device.h"

#define NW_DEVICE_MAX ((int64_t)1 << 59) /* of every figure of one kernel */
#define NW_SIZE_MAX   ((int64_t)1 << 31) /* of one dimension; larger ones count as this */

typedef enum nw_work_kind {
    NW_WORK_DENSE,  /* convolution with a window */
    NW_WORK_VECTOR, /* product of matrices: fully connected, matmul */
    NW_WORK_DEPTHWISE,
    NW_WORK_POOL,
} nw_work_kind;

/* A part of a kernel as the loops that the array runs: sizes of one unit, at least 1. Grouped
 * convolutions run several groups side by side on the diagonal of a dot array: a unit is what
 * fits. Transposed convolutions run in their sub-pixel form: a dense convolution that makes
 * stride_h * stride_w output pixels as channels of one. */
typedef struct nw_work {
    nw_work_kind kind;
    int64_t out_h, out_w, out_c, in_h, in_w, in_c;
    int64_t kernel_h, kernel_w, stride_h, stride_w;
    int64_t extent_h, extent_w; /* of the window, dilation included */
    int64_t units;              /* groups, or products of a batch, one after another */
    bool is_first;              /* reads the network's input */
    bool has_weights;           /* stored ones, with a bias */
    double rate;                /* of multiply-accumulates against dense int8 */
    double out_rate;            /* elements a cycle behind the array */
    double element_bytes;       /* of activations */
    double weight_bytes;        /* stored, of all units */
    bool in_dram, out_dram;
} nw_work;

/* What the array does for one part. */
typedef struct nw_compute {
    double total;          /* array and output stage, command limit, bias */
    double array, output;  /* each alone */
    double decoder;        /* the decoding of weights alone */
    double command;        /* added by the command limit */
    double tail;           /* the last tile's shorter stage, hidden behind nothing */
    bool is_decoder_bound; /* the array waits for weights, and rules the total */
    bool is_part_kernel;   /* several taps a visit */
    nw_tile tile;          /* 0 on systolic arrays */
    double n_spatial;      /* times the weights pass: tiles of one depth */
    double n_depth;        /* times the input passes */
    double in_fetch;       /* input elements read over all tiles, re-reads and halos included */
    double lanes_out;      /* part of the output lanes that work, mean over the steps */
    double lanes_in;       /* the same of input lanes and taps */
    double lanes_pixels;   /* the same of pixels, edges of tiles included */
    double diagonal;       /* part of the array that a depthwise convolution can use */
} nw_compute;

static inline int64_t nw_ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static inline int64_t nw_round_up(int64_t a, int64_t step)
{
    return nw_ceil_div(a, step) * step;
}

static inline int64_t nw_min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t nw_max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The rules of Vela hold where the description has commands and a buffer beside the SRAM. */
static inline bool nw_has_command_rules(const nw_hw *hw)
{
    return hw->tile.command_limit && hw->tile.buffer_bytes > 0;
}

/* A buffer beside the SRAM takes maps straight from either memory. */
static inline bool nw_has_buffer(const nw_hw *hw)
{
    return hw->tile.buffer_bytes > 0;
}

/* --- work.c --- */
/* The loops of one part; false for kinds that the array does not run. */
bool nw_work_make(const nw_hw *hw, const nw_kernel_shape *shape, int part, nw_work *out);

/* --- dot.c, systolic.c --- */
void nw_dot_compute(const nw_hw *hw, const nw_work *work, nw_tile tile, nw_compute *out);
bool nw_dot_takes_taps(const nw_hw *hw, const nw_work *work); /* part-kernel order */
void nw_systolic_compute(const nw_hw *hw, const nw_work *work, nw_compute *out);

/* --- tile.c --- */
nw_tile nw_tile_search(const nw_hw *hw, const nw_work *work);
/* Rows or columns of input under `out` rows or columns of output. */
int64_t nw_tile_input(int64_t out, int64_t stride, int64_t extent);
/* Input channels of a tile of this depth: what one visit takes. */
int64_t nw_tile_input_depth(const nw_hw *hw, const nw_work *work, int64_t depth);
/* Contiguous bytes of a tile's part of a map, width and depth those of the part. */
double nw_run_bytes(const nw_hw *hw, const nw_work *work, bool is_input, int64_t width,
                    int64_t depth);

/* --- memory.c --- */
typedef struct nw_traffic {
    double sram_read, sram_write, dram_read, dram_write; /* bytes */
    double sram_cycles, dram_cycles; /* dram: everything on that bus, weights too */
    double weight_cycles;            /* their part of dram_cycles */
    double weight_bytes;             /* stored */
    double weight_passes;            /* times they cross the DRAM bus; 0: resident */
} nw_traffic;

void nw_traffic_find(const nw_hw *hw, const nw_kernel_shape *shape, const nw_work *works,
                     const nw_compute *computes, int n_works, nw_traffic *out);
double nw_map_bytes(const nw_hw *hw, int64_t h, int64_t w, int64_t c, int bits);

/* --- why.c --- */
void nw_device_explain(const nw_hw *hw, const nw_kernel_shape *shape, const nw_work *works,
                       const nw_compute *computes, int n_works, const nw_traffic *traffic,
                       nw_device_cost *cost);

#endif
