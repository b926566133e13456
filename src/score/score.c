#include "src/score/score.h"

#include <math.h>
#include <string.h>

static const char *const names[NW_SCORE_COUNT] = {
#define X(kind, name) name,
    NW_SCORES(X)
#undef X
};

const char *nw_score_name(nw_score_kind kind)
{
    return names[kind];
}

nw_score_kind nw_score_find(const char *name)
{
    int kind = 0;
    while (kind < NW_SCORE_COUNT && strcmp(names[kind], name) != 0)
        kind++;
    return (nw_score_kind)kind;
}

/* From the twin's to the network's own. */
static double between(int64_t unfused, int64_t own, double credit)
{
    return (double)unfused + credit * (double)(own - unfused);
}

double nw_score_default(const nw_score_parts *p, double fusion_credit)
{
    double params = between(p->unfused_params, p->params, fusion_credit);
    double macs = between(p->unfused_macs, p->macs, fusion_credit);
    double h = 1e-9 * between(p->unfused_h_nano, p->h_nano, fusion_credit);
    return params > 0 && macs > 0 ? log(params) + 0.5 * log(macs) + 0.02 * h : -INFINITY;
}
