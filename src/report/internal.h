/* internal.h - between the pages.
 */
#ifndef NW_REPORT_INTERNAL_H
#define NW_REPORT_INTERNAL_H

#include "src/report/report.h"

/* In front of a time that is extrapolated. */
#define NW_OUTSIDE_MARK "~"

/* One network by regression and device: both have the same kernels in the same order. */
#define NW_N_VERDICT_WORST 10
typedef struct nw_verdict {
    const nw_estimate *regression, *device;
    double difference_pct;    /* of the totals, against the device; NAN: not known */
    bool is_inside;           /* the device's total is in the regression's band */
    int n_kernels, n_unknown; /* that both cost; that one of them does not */
    double mape;              /* over the kernels, percent of the device's */
    int n_within_5, n_within_10;
    int worst[NW_N_VERDICT_WORST], n_worst; /* kernels, by their distance in time */
} nw_verdict;
void nw_verdict_find(const nw_breakdown *breakdown, const nw_estimate *other, nw_verdict *out);

/* The first of names joined by a converter, printable, its middle cut out where it is too long. */
const char *nw_report_label(const nw_graph *graph, nw_node_id node, char *dst, size_t size);

/* A line cut at width columns (0: never) without splitting a character. */
void nw_report_line(const char *line, int width, nw_buf *out);

#endif
