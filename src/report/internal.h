/* internal.h - between the pages.
 */
#ifndef NW_REPORT_INTERNAL_H
#define NW_REPORT_INTERNAL_H

#include "src/report/report.h"

/* In front of a time that is extrapolated. */
#define NW_OUTSIDE_MARK "~"

/* One network by regression and device: both have the same kernels in the same order. */
#define NW_N_VERIFIED_WORST 10
typedef struct nw_verified {
    const nw_estimate *regression, *device;
    double difference_pct;    /* of the totals, against the device; NAN: not known */
    bool is_inside;           /* the device's total is in the regression's band */
    int n_kernels, n_unknown; /* that both cost; that one of them does not */
    double mape;              /* over the kernels, percent of the device's */
    int n_within_5, n_within_10;
    int worst[NW_N_VERIFIED_WORST], n_worst; /* kernels, by their distance in time */
} nw_verified;
void nw_verified_find(const nw_breakdown *breakdown, const nw_estimate *other, nw_verified *out);

/* The first of names joined by a converter, printable, its middle cut out where it is too long. */
const char *nw_report_label(const nw_graph *graph, nw_node_id node, char *dst, size_t size);

/* ---- landscapes (landscape_data.c) ---- */

/* Where values stand among those of a panel: A has a scale of its own, the others share B's. */
typedef struct nw_scale {
    double *sorted;
    int64_t n;
} nw_scale;
nw_scale nw_scale_make(const nw_landscape_page *page, nw_pane_id id);
void nw_scale_fini(nw_scale *scale);
double nw_scale_rank(const nw_scale *scale, double value);  /* 0 lowest to 1; NAN: no value */
double nw_scale_value(const nw_scale *scale, double share); /* back */

/* Columns and rows of a panel, and its value there, as the metric has it; NAN: none, or not known
 * yet. */
void nw_landscape_size(const nw_landscape_page *page, nw_pane_id id, int *width, int *height);
double nw_landscape_at(const nw_landscape_page *page, nw_pane_id id, int x, int y);
/* "c3=192 c4=16"; x, y on the slice; dst is returned. */
const char *nw_landscape_point(const nw_landscape_page *page, int x, int y, char *dst, size_t size);
/* "A MACs, steps of 1", "C objective, curated"; dst is returned. */
const char *nw_landscape_title(const nw_landscape_page *page, nw_pane_id id, char *dst,
                               size_t size);
/* "c3: channels of stage 3"; dst is returned. */
const char *nw_landscape_axis(const nw_dim *dim, char *dst, size_t size);
/* In the metric's unit, for people: "1.25 ms", "0.957"; dst is returned. */
const char *nw_format_metric(nw_metric metric, double value, char *dst, size_t size);
/* Of a route: "c3 32 -> 64", "start"; dst is returned. */
const char *nw_landscape_step(const nw_landscape_page *page, int step, char *dst, size_t size);
/* "+0.120 ms"; empty: not known; dst is returned. */
const char *nw_landscape_change(const nw_landscape_page *page, double change, char *dst,
                                size_t size);
/* Both of a step, each with room for size; behind the change whether it does not fit. */
void nw_landscape_step_value(const nw_landscape_page *page, int step, char *value, char *change,
                             size_t size);
/* "latency_us 6.44 ms to 6.7 ms, +0.26 ms (+4.0 %)"; dst is returned. */
const char *nw_landscape_ends(const nw_landscape_page *page, char *dst, size_t size);
/* What stands below the chart, and the member `path`. */
void nw_landscape_route_text(const nw_landscape_page *page, nw_buf *out);
void nw_landscape_route_json(const nw_landscape_page *page, nw_buf *out);
/* "latency / 6.44 ms x exp(-0.22 x (score - 28.6))"; dst is returned. */
const char *nw_landscape_formula(const nw_landscape_page *page, char *dst, size_t size);

/* Grey values or colours of a picture as a PNG in base64: one byte a pixel, an index in a palette
 * of n_colours (at most 256) RGB triples. */
void nw_png_base64(const uint8_t *pixels, int width, int height, const uint8_t *palette,
                   int n_colours, nw_buf *out);

/* A line cut at width columns (0: never) without splitting a character. */
void nw_report_line(const char *line, int width, nw_buf *out);

#endif
