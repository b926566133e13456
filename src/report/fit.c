/* How right a fitted estimator is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"

/* "12.3", "-" where nothing is known. */
static const char *figure(double value, int digits, char *dst, size_t size)
{
    if (isnan(value))
        snprintf(dst, size, "-");
    else
        snprintf(dst, size, "%.*f", digits, value);
    return dst;
}

static void write_row(const char *name, const nw_fit_group *g, nw_buf *out)
{
    char cells[9][24], clean[32];
    const nw_scores *s = &g->scores;
    double values[] = {s->mape,          s->rmspe,         s->within_5,
                       s->within_10,     s->spearman,      g->macs.mape,
                       g->macs.spearman, g->roofline.mape, g->roofline.spearman};
    for (int i = 0; i < 9; i++)
        figure(values[i], i == 4 || i == 6 || i == 8 ? 3 : 1, cells[i], sizeof cells[i]);
    nw_buf_printf(out, "  %-18s %7d %7d %7s %7s %6s %6s %7s  %9s %6s  %9s %6s",
                  nw_text_visible(*name ? name : "(all)", clean, sizeof clean), g->n_rows,
                  g->n_distinct, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5],
                  cells[6], cells[7], cells[8]);
    if (g->n_noisy)
        nw_buf_printf(out, "  %.1f on %d rows", g->noise_pct, g->n_noisy);
    nw_buf_puts(out, "\n");
}

static void write_worst(const nw_fit_group *g, nw_buf *out)
{
    char clean[32];
    nw_buf_printf(out, "  %s\n",
                  nw_text_visible(*g->name ? g->name : "(all)", clean, sizeof clean));
    for (int i = 0; i < g->n_worst; i++) {
        const nw_worst *w = &g->worst[i];
        nw_buf_printf(out, "    %+7.1f %%  measured %.6g, predicted %.6g  line %d: %s\n",
                      100 * (w->predicted / w->measured - 1), w->measured, w->predicted, w->line,
                      w->what);
    }
}

static void write_networks(const nw_fit_report *p, nw_buf *out)
{
    if (!p->has_networks)
        return;
    nw_buf_printf(out,
                  "networks: %d; total = %.6g x sum + %.6g; MAPE %.1f %%, RMSPE %.1f %%, Spearman "
                  "%.3f, out of fold\n",
                  p->n_networks, p->a, p->b, p->networks.mape, p->networks.rmspe,
                  p->networks.spearman);
    if (p->measured_sums.n)
        nw_buf_printf(out, "  the floor, sums of measured rows after the same step: MAPE %.1f %%\n",
                      p->measured_sums.mape);
}

static void write_band(const char *name, const nw_band *band, nw_buf *out)
{
    nw_buf_printf(out, "  90 %% band of %s: %+.2f to %+.2f units, from %d %s\n", name, band->low,
                  band->high, band->n,
                  band->is_from_networks ? "networks or pairs" : "draws of rows");
}

void nw_report_fit_text(const nw_regression *r, const char *path, nw_buf *out)
{
    const nw_fit_report *p = nw_regression_report(r);
    char clean[192];
    nw_buf_printf(out, "%s: predicts %s\n", nw_text_visible(path, clean, sizeof clean), p->target);
    nw_buf_printf(out, "  from %s: %d rows, %d without a target; device %s, source %s, date %s\n",
                  p->file, p->n_rows, p->n_skipped, *p->device ? p->device : "?",
                  *p->source ? p->source : "?", *p->date ? p->date : "?");
    nw_buf_printf(out,
                  "\nOut of fold (%d folds, no shape on both sides), errors in percent of what was "
                  "measured\n  %-18s %7s %7s %7s %7s %6s %6s %7s  %16s  %16s  %s\n  %-18s %7s %7s "
                  "%7s %7s %6s %6s %7s  %9s %6s  %9s %6s\n",
                  p->n_folds, "", "", "", "", "", "<= 5", "<= 10", "", "MACs alone", "roofline",
                  "noise floor", "type", "rows", "shapes", "MAPE", "RMSPE", "% of", "rows",
                  "Spearm.", "MAPE", "Spearm.", "MAPE", "Spearm.");
    for (int i = 0; i < nw_regression_n_groups(r); i++) {
        const nw_fit_group *g = nw_regression_group_report(r, i);
        write_row(g->name, g, out);
    }
    nw_buf_printf(out,
                  "all types: MAPE %.1f %%, RMSPE %.1f %%, within 5 %% %.1f, within 10 %% %.1f, "
                  "Spearman %.3f\n",
                  p->all.mape, p->all.rmspe, p->all.within_5, p->all.within_10, p->all.spearman);
    if (p->test.n)
        nw_buf_printf(out,
                      "test rows: %d; MAPE %.1f %%, RMSPE %.1f %%, within 5 %% %.1f, within 10 %% "
                      "%.1f, Spearman %.3f\n",
                      p->test.n, p->test.mape, p->test.rmspe, p->test.within_5, p->test.within_10,
                      p->test.spearman);
    write_networks(p, out);
    write_band("totals", &p->total, out);
    write_band("differences", &p->difference, out);
    nw_buf_puts(out, "\nWorst rows\n");
    for (int i = 0; i < nw_regression_n_groups(r); i++)
        write_worst(nw_regression_group_report(r, i), out);
}

/* ---- for programs ---- */

static void key(nw_buf *out, const char *name)
{
    char last = out->length ? out->text[out->length - 1] : '{';
    nw_buf_printf(out, "%s\"%s\":", last == '{' || last == '[' ? "" : ",", name);
}

static void number(nw_buf *out, const char *name, double value)
{
    key(out, name);
    if (isfinite(value))
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, "null");
}

static void text(nw_buf *out, const char *name, const char *value)
{
    key(out, name);
    nw_buf_json_string(out, value);
}

static void scores(nw_buf *out, const char *name, const nw_scores *s)
{
    key(out, name);
    nw_buf_puts(out, "{");
    number(out, "n", s->n);
    number(out, "mape_pct", s->mape);
    number(out, "rmspe_pct", s->rmspe);
    number(out, "within_5_pct", s->within_5);
    number(out, "within_10_pct", s->within_10);
    number(out, "spearman", s->spearman);
    nw_buf_puts(out, "}");
}

static void write_group_json(const nw_fit_group *g, nw_buf *out)
{
    nw_buf_puts(out, "{");
    text(out, "name", g->name);
    number(out, "rows", g->n_rows);
    number(out, "shapes", g->n_distinct);
    number(out, "trees", g->n_trees);
    scores(out, "out_of_fold", &g->scores);
    scores(out, "macs_alone", &g->macs);
    scores(out, "roofline", &g->roofline);
    number(out, "noise_pct", g->n_noisy ? g->noise_pct : NAN);
    number(out, "noisy_rows", g->n_noisy);
    key(out, "worst");
    nw_buf_puts(out, "[");
    for (int i = 0; i < g->n_worst; i++) {
        nw_buf_puts(out, i ? ",{" : "{");
        number(out, "line", g->worst[i].line);
        number(out, "measured", g->worst[i].measured);
        number(out, "predicted", g->worst[i].predicted);
        text(out, "what", g->worst[i].what);
        nw_buf_puts(out, "}");
    }
    nw_buf_puts(out, "]}");
}

void nw_report_fit_json(const nw_regression *r, const char *path, nw_buf *out)
{
    const nw_fit_report *p = nw_regression_report(r);
    char *name = nw_printable(path);
    nw_buf_puts(out, "{\"schema\":\"nasw.fit/1\"");
    text(out, "model", name);
    text(out, "target", p->target);
    text(out, "file", p->file);
    text(out, "device", p->device);
    number(out, "rows", p->n_rows);
    number(out, "skipped", p->n_skipped);
    number(out, "folds", p->n_folds);
    number(out, "seed", p->seed);
    scores(out, "out_of_fold", &p->all);
    if (p->test.n)
        scores(out, "test", &p->test);
    if (p->has_networks) {
        key(out, "networks");
        nw_buf_puts(out, "{");
        number(out, "n", p->n_networks);
        number(out, "a", p->a);
        number(out, "b", p->b);
        scores(out, "out_of_fold", &p->networks);
        if (p->measured_sums.n)
            scores(out, "measured_sums", &p->measured_sums);
        nw_buf_puts(out, "}");
    }
    key(out, "groups");
    nw_buf_puts(out, "[");
    for (int i = 0; i < nw_regression_n_groups(r); i++) {
        nw_buf_puts(out, i ? "," : "");
        write_group_json(nw_regression_group_report(r, i), out);
    }
    nw_buf_puts(out, "]}\n");
    free(name);
}
