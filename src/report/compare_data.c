/* compare_data.c - networks beside each other for programs: JSON and CSV. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/table.h"
#include "src/report/internal.h"

/* ---- JSON, written as it comes: a line a cell ---- */

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
    nw_buf_printf(out, "%lld", (long long)value);
}

static void add_bool(nw_buf *out, const char *name, bool value)
{
    key(out, name);
    nw_buf_puts(out, value ? "true" : "false");
}

static void add_if(nw_buf *out, const char *name, bool is_known, double value)
{
    key(out, name);
    if (is_known)
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, "null");
}

static void add_edits(nw_buf *out, const nw_arch *arch)
{
    int n;
    const nw_edit *edits = nw_arch_edits(arch, &n);
    key(out, "edits");
    nw_buf_puts(out, "[");
    for (int i = 0; i < n; i++) {
        nw_buf line = {0};
        nw_edit_write(&edits[i], &line);
        char *clean = nw_printable(nw_buf_text(&line));
        nw_buf_puts(out, i ? ", " : "");
        nw_buf_json_string(out, clean);
        free(clean);
        nw_buf_fini(&line);
    }
    nw_buf_puts(out, "]");
}

/* Against the baseline; latencies of networks in which a kernel has no cost are no differences. */
static void add_difference(nw_buf *out, const nw_comparison *c, int index)
{
    const nw_effect *e = &c->totals[index].effect;
    bool is_known = !c->networks[0].estimate->n_unknown && !c->networks[index].estimate->n_unknown;
    bool has_band = is_known && e->latency.has_band;
    key(out, "difference");
    if (index == 0) {
        nw_buf_puts(out, "null");
        return;
    }
    nw_buf_puts(out, "{");
    add_if(out, "latency_us", is_known, (double)e->latency.latency_ps / 1e6);
    add_if(out, "latency_low_us", has_band, (double)e->latency.low_ps / 1e6);
    add_if(out, "latency_high_us", has_band, (double)e->latency.high_ps / 1e6);
    add_bool(out, "below_resolution", e->is_below);
    add_if(out, "energy_uj", is_known, (double)e->energy_fj / 1e9);
    add_int(out, "macs", e->macs);
    add_int(out, "params", e->params);
    add_int(out, "weight_bytes", e->weight_bytes);
    add_int(out, "peak_live_bytes", e->peak_live_bytes);
    add_int(out, "arena_bytes", e->arena_bytes);
    add_int(out, "dram_bytes", e->dram_bytes);
    nw_buf_puts(out, "}");
}

static void add_network(nw_buf *out, const nw_comparison *c, int index)
{
    const nw_compared *network = &c->networks[index];
    const nw_compare_total *total = &c->totals[index];
    const nw_estimate *e = network->estimate;
    bool has_band = total->has_cost && e->has_band;
    nw_buf_puts(out, "{");
    add_text(out, "model", network->name);
    add_text(out, "precision", e->kernels->precision);
    add_edits(out, network->arch);
    add_if(out, "latency_us", total->has_cost, (double)e->latency_ps / 1e6);
    add_if(out, "latency_low_us", has_band, (double)e->low_ps / 1e6);
    add_if(out, "latency_high_us", has_band, (double)e->high_ps / 1e6);
    add_if(out, "energy_uj", total->has_cost, (double)e->energy_fj / 1e9);
    add_int(out, "macs", total->counts.macs);
    add_int(out, "params", total->counts.params);
    add_int(out, "weight_params", total->counts.weight_params);
    add_int(out, "weight_bytes", total->counts.weight_bytes);
    add_int(out, "peak_live_bytes", e->peak_live_bytes);
    add_int(out, "arena_bytes", e->arena_bytes);
    add_int(out, "spill_bytes", total->spill_bytes);
    add_int(out, "spilling_kernels", total->effect.n_spills);
    add_int(out, "dram_bytes", e->dram_bytes);
    add_if(out, "host_us", total->has_cost, (double)e->host_ps / 1e6);
    add_int(out, "unknown_kernels", e->n_unknown);
    add_int(out, "extrapolated_kernels", e->n_outside);
    add_if(out, "recognised", true, total->recognised);
    add_bool(out, "fits", e->fits);
    add_text(out, "reason", e->reason);
    add_difference(out, c, index);
    nw_buf_puts(out, "}");
}

static void add_cell(nw_buf *out, const nw_comparison *c, int network, const nw_compare_cell *cell)
{
    if (!cell->is_there) {
        nw_buf_puts(out, "null");
        return;
    }
    const nw_block_cost *cost = &cell->cost;
    const nw_estimate *e = c->networks[network].estimate;
    nw_buf_puts(out, "{");
    if (cell->block >= 0) {
        int n_blocks;
        const nw_block *block = &nw_arch_blocks(c->networks[network].arch, &n_blocks)[cell->block];
        char label[24];
        add_text(out, "block", nw_block_label(block, label, sizeof label));
        add_text(out, "kind", nw_block_kind_name(block->kind));
    } else {
        add_int(out, "n_blocks", cell->n_blocks);
    }
    add_text(out, "text", cell->text);
    add_if(out, "latency_us", cell->is_known, (double)cost->latency_ps / 1e6);
    add_if(out, "energy_uj", cell->is_known, (double)cost->energy_fj / 1e9);
    add_int(out, "macs", cost->macs);
    add_int(out, "weight_bytes", cost->weight_bytes);
    add_int(out, "live_bytes", cost->live_bytes);
    add_int(out, "dram_bytes", cost->dram_bytes);
    add_int(out, "n_kernels", cost->n_kernels);
    add_int(out, "spilling_kernels", cost->n_spills);
    add_int(out, "extrapolated_kernels", cost->n_outside);
    add_if(out, "utilisation", cost->macs > 0, cost->utilisation);
    add_text(out, "why", cost->slowest >= 0 ? nw_report_why(e, cost->slowest) : "");
    add_bool(out, "other_blocks", cell->has_other_text);
    add_bool(out, "other_latency", cell->has_other_time);
    nw_buf_puts(out, "}");
}

static void add_rows(nw_buf *out, const nw_comparison *c, const char *name,
                     const nw_compare_row *rows, int n)
{
    nw_buf_printf(out, ",\n  \"%s\": [", name);
    for (int at = 0; at < n; at++) {
        nw_buf_printf(out, "%s\n    {", at ? "," : "");
        add_text(out, "label", rows[at].label);
        key(out, "cells");
        nw_buf_puts(out, "[");
        for (int i = 0; i < c->n; i++) {
            nw_buf_puts(out, i ? ",\n      " : "\n      ");
            add_cell(out, c, i, &rows[at].cells[i]);
        }
        nw_buf_puts(out, "]}");
    }
    nw_buf_puts(out, "]");
}

void nw_compare_json(const nw_comparison *c, nw_buf *out)
{
    const nw_estimator *estimator = c->networks[0].estimate->estimator;
    nw_buf body = {0}; /* a key looks at what stands before it */
    nw_buf_puts(&body, "{");
    add_text(&body, "schema", "nasw.compare/1");
    add_text(&body, "hw", c->hw->name);
    add_text(&body, "estimator", estimator->name);
    add_text(&body, "estimator_source", estimator->source);
    add_bool(&body, "calibrated", nw_report_is_calibrated(c->networks[0].estimate, c->hw));
    add_text(&body, "baseline", c->networks[0].name);
    nw_buf_puts(&body, ",\n  \"networks\": [");
    for (int i = 0; i < c->n; i++) {
        nw_buf_puts(&body, i ? ",\n    " : "\n    ");
        add_network(&body, c, i);
    }
    nw_buf_puts(&body, "]");
    add_rows(&body, c, "stages", c->stages, c->n_stages);
    add_rows(&body, c, "blocks", c->blocks, c->n_blocks);
    nw_buf_puts(&body, "}\n");
    nw_buf_add(out, nw_buf_text(&body), body.length);
    nw_buf_fini(&body);
}

/* ---- CSV ---- */

static void csv_text(nw_buf *out, const char *text)
{
    char *clean = nw_printable(text);
    nw_table_write_cell(out, clean);
    free(clean);
}

static void csv_number(nw_buf *out, bool is_known, double value)
{
    nw_buf_puts(out, ",");
    if (is_known)
        nw_buf_double(out, value);
}

static void csv_total(nw_buf *out, const nw_comparison *c, int i)
{
    const nw_estimate *e = c->networks[i].estimate;
    const nw_compare_total *total = &c->totals[i];
    const nw_difference *d = &total->effect.latency;
    bool is_known = i > 0 && !e->n_unknown && !c->networks[0].estimate->n_unknown;
    nw_buf_puts(out, "total,,");
    csv_text(out, c->networks[i].name);
    csv_number(out, total->has_cost, (double)e->latency_ps / 1e6);
    csv_number(out, total->has_cost && e->has_band, (double)e->low_ps / 1e6);
    csv_number(out, total->has_cost && e->has_band, (double)e->high_ps / 1e6);
    csv_number(out, is_known, (double)d->latency_ps / 1e6);
    csv_number(out, is_known && d->has_band, (double)d->low_ps / 1e6);
    csv_number(out, is_known && d->has_band, (double)d->high_ps / 1e6);
    csv_number(out, total->has_cost, (double)e->energy_fj / 1e9);
    nw_buf_printf(out, ",%lld,%lld,%lld,%lld,%lld,%lld,%lld,%d,%d,,,\n",
                  (long long)total->counts.macs, (long long)total->counts.params,
                  (long long)total->counts.weight_bytes, (long long)e->peak_live_bytes,
                  (long long)e->arena_bytes, (long long)total->spill_bytes,
                  (long long)e->dram_bytes, e->n_unknown, e->n_outside);
}

static void csv_cell(nw_buf *out, const nw_comparison *c, const char *section,
                     const nw_compare_row *row, int i)
{
    const nw_compare_cell *cell = &row->cells[i], *base = &row->cells[0];
    const nw_block_cost *cost = &cell->cost;
    bool is_pair = i > 0 && cell->is_known && base->is_known;
    nw_buf_printf(out, "%s,%s,", section, row->label);
    csv_text(out, c->networks[i].name);
    csv_number(out, cell->is_known, (double)cost->latency_ps / 1e6);
    nw_buf_puts(out, ",,");
    csv_number(out, is_pair, (double)(cost->latency_ps - base->cost.latency_ps) / 1e6);
    nw_buf_puts(out, ",,");
    csv_number(out, cell->is_known, (double)cost->energy_fj / 1e9);
    if (cell->is_there)
        nw_buf_printf(out, ",%lld,,%lld,%lld,,,%lld,%d,%d", (long long)cost->macs,
                      (long long)cost->weight_bytes, (long long)cost->live_bytes,
                      (long long)cost->dram_bytes, cost->n_unknown, cost->n_outside);
    else
        nw_buf_puts(out, ",,,,,,,,,");
    nw_buf_printf(out, ",%d,%d,", cell->has_other_text, cell->has_other_time);
    csv_text(out, cell->text);
    nw_buf_puts(out, "\n");
}

void nw_compare_csv(const nw_comparison *c, nw_buf *out)
{
    nw_buf_puts(out, "section,row,network,latency_us,latency_low_us,latency_high_us,difference_us,"
                     "difference_low_us,difference_high_us,energy_uj,macs,params,weight_bytes,"
                     "peak_live_bytes,arena_bytes,spill_bytes,dram_bytes,unknown_kernels,"
                     "extrapolated_kernels,other_blocks,other_latency,blocks\n");
    for (int i = 0; i < c->n; i++)
        csv_total(out, c, i);
    for (int at = 0; at < c->n_stages; at++)
        for (int i = 0; i < c->n; i++)
            csv_cell(out, c, "stage", &c->stages[at], i);
    for (int at = 0; at < c->n_blocks; at++)
        for (int i = 0; i < c->n; i++)
            csv_cell(out, c, "block", &c->blocks[at], i);
}
