/* score.c - the zero-cost scores of networks, a row or an object each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/report/internal.h"

#define NAME_BYTES 41

static const char *figure(double value, int digits, char *dst, size_t size)
{
    if (isnan(value))
        snprintf(dst, size, "-");
    else
        snprintf(dst, size, "%.*f", digits, value);
    return dst;
}

static void add_row(const nw_scored *network, int name_width, int width, nw_buf *out)
{
    const nw_score *s = &network->score;
    char name[NAME_BYTES], cells[5][32], macs[32], params[32];
    char *clean = nw_printable(network->name);
    nw_buf line = {0};
    nw_text_fit(clean, name, sizeof name);
    free(clean);
    nw_buf_printf(&line, "%-*s %8s %8s %8s %8s %8s %8s  %8s%s", name_width, name,
                  figure(s->values[NW_SCORE_DEFAULT], 3, cells[0], sizeof cells[0]),
                  figure(s->values[NW_SCORE_ENTROPY], 2, cells[1], sizeof cells[1]),
                  figure(s->values[NW_SCORE_MAE_DET], 1, cells[2], sizeof cells[2]),
                  figure(s->values[NW_SCORE_DEEPMAD], 0, cells[3], sizeof cells[3]),
                  s->parts.macs ? nw_format_count(s->parts.macs, macs, sizeof macs) : "-",
                  s->parts.params ? nw_format_count(s->parts.params, params, sizeof params) : "-",
                  figure(s->effectiveness, 2, cells[4], sizeof cells[4]),
                  s->is_capped ? " above" : "");
    nw_report_line(nw_buf_text(&line), width, out);
    nw_buf_fini(&line);
}

void nw_score_text(const nw_scored *networks, int n, int width, nw_buf *out)
{
    char line[160];
    int name_width = 5;
    for (int i = 0; i < n; i++) {
        char name[NAME_BYTES], *clean = nw_printable(networks[i].name);
        int length = snprintf(NULL, 0, "%s", nw_text_fit(clean, name, sizeof name));
        name_width = length > name_width ? length : name_width;
        free(clean);
    }
    snprintf(line, sizeof line, "%-*s %8s %8s %8s %8s %8s %8s  depth/width, cap %.1f", name_width,
             "model", "default", "h", "mae_det", "deepmad", "MACs", "params", NW_DEEPMAD_CAP);
    nw_report_line(line, width, out);
    for (int i = 0; i < n; i++)
        add_row(&networks[i], name_width, width, out);
    nw_report_line(
        "Zero-cost scores, closed forms of the blocks: nothing was trained, and none is an "
        "accuracy.",
        width, out);
}

static void add_number(nw_buf *out, const char *name, double value, const char *separator)
{
    nw_buf_printf(out, "\"%s\": ", name);
    if (isfinite(value))
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, "null");
    nw_buf_puts(out, separator);
}

void nw_score_json(const nw_scored *networks, int n, nw_buf *out)
{
    nw_buf_puts(out, "[");
    for (int i = 0; i < n; i++) {
        const nw_score *s = &networks[i].score;
        const nw_score_parts *p = &s->parts;
        char *clean = nw_printable(networks[i].name);
        nw_buf_printf(out, "%s\n{\"schema\": \"nasw.score/1\", \"model\": ", i ? "," : "");
        nw_buf_json_string(out, clean);
        free(clean);
        nw_buf_puts(out, ", \"scores\": {");
        for (int kind = 0; kind < NW_SCORE_COUNT; kind++)
            add_number(out, nw_score_name((nw_score_kind)kind), s->values[kind],
                       kind + 1 < NW_SCORE_COUNT ? ", " : "}, ");
        nw_buf_printf(out,
                      "\"macs\": %lld, \"params\": %lld, \"unfused_macs\": %lld, "
                      "\"unfused_params\": %lld, ",
                      (long long)p->macs, (long long)p->params, (long long)p->unfused_macs,
                      (long long)p->unfused_params);
        add_number(out, "unfused_h", 1e-9 * (double)p->unfused_h_nano, ", ");
        add_number(out, "effectiveness", s->effectiveness, ", ");
        add_number(out, "effectiveness_cap", NW_DEEPMAD_CAP, ", ");
        nw_buf_printf(out, "\"capped\": %s, ", s->is_capped ? "true" : "false");
        add_number(out, "recognised", networks[i].recognised, "}");
    }
    nw_buf_puts(out, "\n]\n");
}
