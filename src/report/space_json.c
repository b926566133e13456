/* space_json.c - a search space for programs: schema "nasw.space/1". */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "src/report/internal.h"

static void key(nw_buf *out, const char *name)
{
    char last = out->length ? out->text[out->length - 1] : '{';
    nw_buf_printf(out, "%s\"%s\": ", last == '{' ? "" : ", ", name);
}

static void add_text(nw_buf *out, const char *name, const char *text)
{
    char *clean = nw_printable(text);
    key(out, name);
    nw_buf_json_string(out, clean);
    free(clean);
}

static void add_int(nw_buf *out, const char *name, int64_t value)
{
    key(out, name);
    nw_buf_printf(out, "%" PRId64, value);
}

static void add_number(nw_buf *out, const char *name, double value)
{
    key(out, name);
    if (isfinite(value))
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, "null");
}

static void add_size(nw_buf *out, const char *name, const char *approx, const nw_space *space)
{
    nw_buf size = {0};
    if (space)
        nw_space_size(space, &size);
    key(out, name);
    if (space)
        nw_buf_json_string(out, nw_buf_text(&size));
    else
        nw_buf_puts(out, "null");
    add_number(out, approx, space ? nw_space_size_approx(space) : NAN);
    nw_buf_fini(&size);
}

/* ---- dimensions ---- */

/* Numbers as numbers, what has a name by its name. */
static void add_option(nw_buf *out, const nw_dim *dim, int i)
{
    const nw_option *option = &dim->options[i];
    char text[64];
    switch (dim->kind) {
    case NW_DIM_CHANNELS:
    case NW_DIM_EXPANDED:
    case NW_DIM_KERNEL:
    case NW_DIM_DEPTH:
        nw_buf_printf(out, "%" PRId64, option->n);
        break;
    case NW_DIM_EXPANSION:
    case NW_DIM_SQUEEZE:
        nw_buf_double(out, option->number);
        break;
    default:
        nw_buf_json_string(out, nw_option_text(dim->kind, option, text, sizeof text));
    }
}

static void add_blocks(nw_buf *out, const nw_space *space, const nw_dim *dim)
{
    int n;
    char label[32];
    const nw_block *blocks = nw_arch_blocks(nw_space_base(space), &n);
    key(out, "blocks");
    nw_buf_puts(out, "[");
    for (int i = 0; i < dim->n_blocks; i++) {
        nw_buf_puts(out, i ? ", " : "");
        nw_buf_json_string(out, nw_block_label(&blocks[dim->blocks[i]], label, sizeof label));
    }
    nw_buf_puts(out, "]");
}

static void add_reasons(nw_buf *out, const nw_curation *curation, const nw_dim *dim, int d)
{
    const nw_option_verdict *verdicts = nw_curation_verdicts(curation, d);
    key(out, "reasons");
    nw_buf_puts(out, "[");
    for (int i = 0; i < dim->n_options; i++) {
        nw_buf_printf(out, "%s\n      {\"option\": ", i ? "," : "");
        add_option(out, dim, i);
        add_text(out, "verdict", nw_verdict_name(verdicts[i].verdict));
        key(out, "by");
        if (verdicts[i].by >= 0)
            add_option(out, dim, verdicts[i].by);
        else
            nw_buf_puts(out, "null");
        add_number(out, "share", verdicts[i].share);
        add_number(out, "latency_us", verdicts[i].latency_us);
        add_number(out, "step_us", verdicts[i].step_us);
        add_text(out, "why", verdicts[i].why);
        nw_buf_puts(out, "}");
    }
    nw_buf_puts(out, "]");
}

static void add_list(nw_buf *out, const char *name, const nw_dim *dim, const nw_curation *kept_by,
                     int d)
{
    bool is_first = true;
    key(out, name);
    nw_buf_puts(out, "[");
    for (int i = 0; i < dim->n_options; i++) {
        if (kept_by && !nw_curation_has(kept_by, d, i))
            continue;
        nw_buf_puts(out, is_first ? "" : ", ");
        is_first = false;
        add_option(out, dim, i);
    }
    nw_buf_puts(out, "]");
}

static void add_dim(nw_buf *out, const nw_space_page *page, int d)
{
    int n;
    const nw_dim *dim = &nw_space_dims(page->space, &n)[d];
    nw_buf_printf(out, "%s\n    {", d ? "," : "");
    add_text(out, "name", dim->name);
    add_text(out, "kind", nw_dim_kind_name(dim->kind));
    add_text(out, "where", dim->where);
    add_blocks(out, page->space, dim);
    add_list(out, "options", dim, NULL, d);
    key(out, "base");
    if (dim->base >= 0)
        add_option(out, dim, dim->base);
    else
        nw_buf_puts(out, "null");
    add_text(out, "file", dim->file);
    add_int(out, "line", dim->line);
    if (page->curation) {
        add_list(out, "curated", dim, page->curation, d);
        add_int(out, "step", nw_curation_step(page->curation, d));
        add_reasons(out, page->curation, dim, d);
    }
    nw_buf_puts(out, "}");
}

/* ---- the rest ---- */

static void add_conditions(nw_buf *out, const nw_space *space)
{
    key(out, "requirements");
    nw_buf_puts(out, "[");
    for (int i = 0; i < nw_space_n_conditions(space); i++) {
        nw_condition condition = nw_space_condition(space, i);
        nw_buf_puts(out, i ? ", {" : "{");
        add_text(out, "text", condition.text);
        key(out, "in_lua");
        nw_buf_puts(out, condition.is_predicate ? "true" : "false");
        add_text(out, "file", condition.file);
        add_int(out, "line", condition.line);
        nw_buf_puts(out, "}");
    }
    nw_buf_puts(out, "]");
    int n;
    const nw_limit *limits = nw_space_limits(space, &n);
    key(out, "limits");
    nw_buf_puts(out, "[");
    for (int i = 0; i < n; i++) {
        nw_buf_puts(out, i ? ", {" : "{");
        add_text(out, "metric", nw_metric_name(limits[i].metric));
        add_number(out, limits[i].is_least ? "min" : "max", limits[i].limit);
        add_text(out, "file", limits[i].file);
        add_int(out, "line", limits[i].line);
        nw_buf_puts(out, "}");
    }
    nw_buf_puts(out, "]");
}

static void add_base(nw_buf *out, const nw_totals *base)
{
    key(out, "base");
    nw_buf_puts(out, "{");
    for (int m = 0; m < NW_METRIC_OBJECTIVE; m++)
        add_number(out, nw_metric_name((nw_metric)m), nw_totals_metric(base, (nw_metric)m, NULL));
    key(out, "fits");
    nw_buf_puts(out, base->fits ? "true}" : "false}");
}

void nw_space_json(const nw_space_page *page, nw_buf *out)
{
    nw_buf_puts(out, "{");
    add_text(out, "schema", "nasw.space/1");
    add_text(out, "space", page->path);
    add_text(out, "name", nw_space_name(page->space));
    key(out, "hash");
    nw_buf_printf(out, "\"%016" PRIx64 "\"", nw_space_hash(page->space));
    add_size(out, "size", "size_approx", page->space);
    if (page->hw) {
        add_text(out, "hw", page->hw->name);
        add_text(out, "estimator", page->estimator->name);
        add_text(out, "estimator_source", page->estimator->source);
        add_text(out, "precision", page->precision ? page->precision : "file");
        add_base(out, page->base);
    }
    if (page->curation) {
        add_size(out, "curated_size", "curated_size_approx", page->curated);
        add_int(out, "evaluations", nw_curation_n_evaluations(page->curation));
    }
    add_conditions(out, page->space);
    key(out, "dimensions");
    nw_buf_puts(out, "[");
    for (int d = 0; d < nw_space_n_dims(page->space); d++)
        add_dim(out, page, d);
    nw_buf_puts(out, "\n  ]}\n");
}
