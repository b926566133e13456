/* report.h - pages and tables for people and programs, put together from everything below.
 *
 * All text from files is made printable on the way. Units are in the names.
 */
#ifndef NW_REPORT_H
#define NW_REPORT_H

#include "src/advise/advise.h"
#include "src/arch/arch.h"
#include "src/base/text.h"
#include "src/base/units.h"
#include "src/curate/curate.h"
#include "src/estimator/estimator.h"
#include "src/estimator/fit.h"
#include "src/landscape/landscape.h"
#include "src/score/score.h"

typedef struct nw_breakdown {
    const char *model; /* as the user named it */
    const nw_graph *graph;
    const nw_hw *hw;
    const nw_estimate *estimate;
} nw_breakdown;

/* Totals, then kernels sorted by time. width: columns of the screen, 0 for no cutting. */
void nw_breakdown_text(const nw_breakdown *breakdown, int width, nw_buf *out);

/* Schema "nasw.estimate/1": see DESIGN.md section 4. Kernels in schedule order. */
void nw_breakdown_json(const nw_breakdown *breakdown, nw_buf *out);

/* One row a kernel in schedule order, a header line first. */
void nw_breakdown_csv(const nw_breakdown *breakdown, nw_buf *out);

/* The same network by the other of regression and device, on the same hardware and precision:
 * totals, and the kernels that differ most; as a page behind the breakdown, and as the breakdown's
 * JSON with a member `verify`. */
void nw_verify_text(const nw_breakdown *breakdown, const nw_estimate *other, int width,
                    nw_buf *out);
void nw_verify_json(const nw_breakdown *breakdown, const nw_estimate *other, nw_buf *out);

/* ---- several networks beside each other (compare.c, compare_text.c, compare_data.c) ---- */

/* A network as edited or imported; borrowed. */
typedef struct nw_compared {
    const char *name; /* as the user named it */
    const nw_arch *arch;
    const nw_estimate *estimate; /* of the arch's graph */
} nw_compared;

/* One network in one row. */
typedef struct nw_compare_cell {
    bool is_there; /* false: this network has no such stage or block; the rest is empty */
    bool is_known; /* its latency: nothing in it is without a cost */
    bool has_other_text, has_other_time; /* than the baseline's cell; one of them is not there:
                                          * both */
    int block;                           /* index in nw_arch_blocks; -1: a stage, the rest */
    int n_blocks;                        /* of a stage */
    nw_block_cost cost;                  /* slowest: of the stage */
    const char *text;                    /* "ibn k3 s2 e6 16->24, 2 x ibn k3 s1 e6 24->24" */
} nw_compare_cell;

typedef struct nw_compare_row {
    char label[24];         /* "2", "2.1"; "rest": kernels of no block and the fixed cost */
    nw_compare_cell *cells; /* one a network */
} nw_compare_row;

typedef struct nw_compare_total {
    nw_counts counts;
    nw_effect effect;    /* against the baseline; of the baseline itself all differences are 0 */
    int64_t spill_bytes; /* what is live beyond the SRAM at the peak; 0: all fits */
    double recognised;   /* nw_arch_recognised */
    bool has_cost;       /* some kernel has one, or there is none */
} nw_compare_total;

typedef struct nw_comparison {
    const nw_hw *hw;
    const nw_compared *networks; /* a copy; [0] is the baseline */
    nw_compare_total *totals;
    int n;
    nw_compare_row *stages, *blocks; /* the last row is "rest" */
    int n_stages, n_blocks;          /* rows */
    struct nw_comparison_store *store;
} nw_comparison;

/* Puts networks (2 or more) on one hardware beside each other. Stages stand beside each other by
 * number; blocks by the map they make where one network is an edit of another, else along the
 * common subsequence that agrees most in kind, map, channels, kernel and stride. NW_INVALID:
 * estimates by different estimators, which say nothing beside each other. The networks must outlive
 * it; release with nw_comparison_free. */
NW_CHECKED nw_status nw_comparison_new(const nw_hw *hw, const nw_compared *networks, int n,
                                       nw_comparison **out, nw_error *err);
void nw_comparison_free(nw_comparison *comparison); /* NULL is fine */

/* width: columns of the screen, 0: no cutting. */
void nw_compare_text(const nw_comparison *comparison, int width, nw_buf *out);
/* Schema "nasw.compare/1": see DESIGN.md section 4. */
void nw_compare_json(const nw_comparison *comparison, nw_buf *out);
/* One row a network and total, stage or block: section, row, network, latency_us, ... */
void nw_compare_csv(const nw_comparison *comparison, nw_buf *out);
/* Tables of GitHub's Markdown. */
void nw_compare_md(const nw_comparison *comparison, nw_buf *out);

/* A table of the descriptions in the folders of search_path (colon-separated), a row each; a
 * description that cannot be read is listed with its error. NW_IO: none found. */
NW_CHECKED nw_status nw_report_hw_list(const char *search_path, nw_buf *out, nw_error *err);

/* How right a fitted estimator is, out of fold: a page, and schema "nasw.fit/1" with the same
 * figures. path: where it was saved. */
void nw_report_fit_text(const nw_regression *regression, const char *path, nw_buf *out);
void nw_report_fit_json(const nw_regression *regression, const char *path, nw_buf *out);

/* ---- zero-cost scores (score.c) ---- */

typedef struct nw_scored {
    const char *name; /* as the user named it */
    nw_score score;
    double recognised; /* nw_arch_recognised */
} nw_scored;

/* A row a network. width: columns of the screen, 0: no cutting. */
void nw_score_text(const nw_scored *networks, int n, int width, nw_buf *out);
/* A list, an object of schema "nasw.score/1" a network: see DESIGN.md section 4. */
void nw_score_json(const nw_scored *networks, int n, nw_buf *out);

/* ---- a space (space.c, space_json.c) ---- */

/* How many of some random networks keep a space's limits: all of them, and each alone. */
#define NW_MAX_KEPT_LIMITS 16
typedef struct nw_limits_kept {
    int n_networks, n_within;
    int n_keep[NW_MAX_KEPT_LIMITS];     /* the first limits of the space */
    double closest[NW_MAX_KEPT_LIMITS]; /* the best value that any of them has */
} nw_limits_kept;
/* Of n random networks (seed 1) that keep the space's conditions, and of the base. */
void nw_limits_try(nw_plan *plan, int n, nw_limits_kept *out);

typedef struct nw_space_page {
    const nw_space *space;
    const char *path; /* as the user named it */
    const nw_hw *hw;  /* NULL: nothing is curated; what follows is NULL then */
    const nw_estimator *estimator;
    const char *precision;       /* NULL: the file's */
    const nw_totals *base;       /* of the base genome */
    const nw_limits_kept *kept;  /* for the text; NULL: not tried */
    const nw_curation *curation; /* NULL: not wanted */
    const nw_space *curated;     /* of the curation; NULL: there is none */
} nw_space_page;

/* Dimensions with their options, base and line; with a curation what it keeps, and the reasons.
 * width: columns of the screen, 0: no cutting. */
void nw_space_text(const nw_space_page *page, int width, nw_buf *out);
/* Schema "nasw.space/1": see DESIGN.md section 4. */
void nw_space_json(const nw_space_page *page, nw_buf *out);

/* ---- a landscape (landscape.c, landscape_json.c, landscape_svg.c) ---- */

typedef struct nw_landscape_page {
    const char *space; /* as the user named it */
    const nw_hw *hw;
    const nw_estimator *estimator;
    const char *precision; /* NULL: the file's */
    const nw_dim *x, *y;   /* axes of the slice; y NULL: a line; both NULL: a route */
    const nw_slice *slice;
    int n_limits;          /* of the space, which a slice does not look at; for the text */
    const nw_arch *base;   /* of the space: for the types in the text's head; the other pages do not
                            * need it */
    const nw_panes *panes; /* NULL: stopped before all points were known, or a route */
    const nw_route *route; /* the line between two genomes, whose slice this is; else NULL */
    nw_objective objective;
    nw_pane_id shown[3]; /* panels, left to right */
    int n_shown;
} nw_landscape_page;

/* Panels in shades of ASCII, from low to high " .:-=+*#" by rank: the hardware's panels share a
 * scale. Then the table, figures, controls; of a route its steps. width: columns of the screen, 0:
 * 80. */
void nw_landscape_text(const nw_landscape_page *page, int width, nw_buf *out);
/* Schema "nasw.landscape/1": see DESIGN.md section 4. */
void nw_landscape_json(const nw_landscape_page *page, nw_buf *out);
/* The same as a picture, complete in itself. */
void nw_landscape_svg(const nw_landscape_page *page, nw_buf *out);

/* ---- who estimated ---- */

/* "int8 (assumed): not the file's own type", "float32": in what a network is run; precision as in
 * nw_kernels_split. */
const char *nw_format_types(const nw_graph *graph, const nw_hw *hw, const char *precision,
                            char *dst, size_t size);

/* "device", "regression on pixel4, measured": printable; where a regression's rows are from. */
const char *nw_format_estimator(const nw_estimator *estimator, char *dst, size_t size);
/* The rows of the simulated device, not of a chip. */
bool nw_report_is_simulated(const nw_estimator *estimator);
/* Whether whole networks that were measured on a chip have corrected the total, and that in words:
 * "not calibrated against a chip", "calibrated, residual 3.1 %: ...". */
bool nw_report_is_calibrated(const nw_estimate *estimate, const nw_hw *hw);
const char *nw_format_calibration(const nw_estimate *estimate, const nw_hw *hw, char *dst,
                                  size_t size);
/* Why kernel i takes its time, or why nobody knows. */
const char *nw_report_why(const nw_estimate *estimate, int kernel);
/* "6.1 to 6.8", in the unit and around the value of nw_format_time, as fine as the width asks. */
const char *nw_format_band(int64_t value_ps, int64_t low_ps, int64_t high_ps, char *dst,
                           size_t size);
/* The part of the total spent in kernels that are extrapolated, 0 to 1. */
double nw_report_outside_share(const nw_estimate *estimate);

/* A name from a file, printable and whole; the caller frees it. */
char *nw_printable(const char *name);

/* "160x160x96" of the kernel's main output, H x W x C. */
const char *nw_format_map(const nw_graph *graph, const nw_kernel *kernel, char *dst, size_t size);

#endif
