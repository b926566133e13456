/* sweep.h - one figure of a hardware description moved by factors of two, and what a network's
 * latency makes of it.
 *
 * By the simulated device: a regression serves only the figures that it was trained for.
 */
#ifndef NW_SWEEP_H
#define NW_SWEEP_H

#include "src/session/session.h"

typedef enum nw_sweep_figure {
    NW_SWEEP_PARALLELISM, /* both sides of the array; what feeds it grows with it */
    NW_SWEEP_SRAM,        /* bytes */
    NW_SWEEP_DRAM,        /* bytes a second */
    NW_SWEEP_CLOCK,       /* DRAM keeps its bytes a second */
    NW_SWEEP_COUNT
} nw_sweep_figure;

enum { NW_SWEEP_ROWS = 6, NW_SWEEP_NOW = 2 /* the row of the description as it is */ };

/* Row i: 2^(i - NW_SWEEP_NOW) times what the description says. */
typedef struct nw_sweep_row {
    char value[32];     /* "64 x 64", "2.000 MiB", "8 GB/s" */
    int64_t latency_ps; /* 0: none, and why */
    char why[120];
} nw_sweep_row;

typedef struct nw_sweep {
    nw_sweep_figure figure;
    nw_sweep_row rows[NW_SWEEP_ROWS];
    int knee;      /* row, or -1 */
    int n_unknown; /* kernels without a cost, left out of every latency */
} nw_sweep;

const char *nw_sweep_name(nw_sweep_figure figure); /* "parallelism", "SRAM", ... */
/* What moves along, in words; "": nothing. */
const char *nw_sweep_note(nw_sweep_figure figure);

/* The figures that a row puts in the description's place, for nw_hw_derive; caller frees. NULL: a
 * side of the array cannot be divided by so much. */
char *nw_sweep_patch(const nw_hw *hw, nw_sweep_figure figure, int row);

/* Graph and hardware are borrowed, on any thread. A value that the description refuses, or on which
 * the network does not fit or leaves other kernels without a cost, is a row without a latency.
 * Errors: the description as it is cannot be estimated. cancel may be NULL; set, rows are missing.
 */
NW_CHECKED nw_status nw_sweep_run(const nw_graph *graph, const nw_hw *hw, const char *search_path,
                                  const char *precision, nw_sweep_figure figure,
                                  const nw_cancel *cancel, nw_sweep *out, nw_error *err);

/* The smallest of n values, each twice the one before, from which on every doubling saves less
 * than a tenth of the latency; -1: the last one still does. Latencies of 0 are not known: the knee
 * is not below one, and what is not known at the upper end does not count. */
int nw_sweep_knee(const int64_t *latencies_ps, int n);

/* The knee and the rule, or that there is none, in a line of at most 56 columns. */
const char *nw_sweep_verdict(const nw_sweep *sweep, char *dst, size_t size);

/* ---- in a session ---- */

/* From now on it is computed in the background for what is open, or the space's network, on the
 * hardware chosen. NW_SWEEP_COUNT: no more. */
void nw_session_follow_sweep(nw_session *session, nw_sweep_figure figure);
/* NULL: not computed yet, or nobody follows, or why says (never NULL, else "") why not. Valid until
 * the session changes or polls. */
const nw_sweep *nw_session_sweep(const nw_session *session, const char **why);

#endif
