/* breakdown.c - where a network's time goes, for people. The JSON and CSV are in breakdown_data.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

/* A converter that joins operators joins their names with semicolons; the first is enough to know
 * which one is meant, and the row's number tells apart what is left. */
const char *nw_report_label(const nw_graph *graph, nw_node_id node, char *dst, size_t size)
{
    char whole[512];
    nw_node_label(graph, node, whole, sizeof whole);
    size_t first = strcspn(whole, ";");
    if (first)
        whole[first] = '\0';
    return nw_text_fit(whole, dst, size);
}

static bool is_view(const nw_kernel *kernel)
{
    return kernel->shape.parts[0].kind == NW_KERNEL_VIEW;
}

static void add_latency(const nw_breakdown *b, bool has_cost, nw_buf *out)
{
    const nw_estimate *e = b->estimate;
    char time[32], band[64], calibration[192];
    nw_buf_printf(out, "  latency    %s",
                  has_cost ? nw_format_time(e->latency_ps, time, sizeof time) : "?");
    if (has_cost && e->has_band)
        nw_buf_printf(out, " (90 %%: %s)",
                      nw_format_band(e->latency_ps, e->low_ps, e->high_ps, band, sizeof band));
    nw_buf_printf(out, "%s   (%s)\n",
                  has_cost && e->n_unknown ? " without the operators of unknown cost" : "",
                  nw_format_calibration(e, b->hw, calibration, sizeof calibration));
    if (e->n_outside)
        nw_buf_printf(out,
                      "  outside    %d kernel%s extrapolated, marked " NW_OUTSIDE_MARK
                      ": %.1f %% of the latency is outside the range of training%s\n",
                      e->n_outside, e->n_outside == 1 ? "" : "s", 100 * nw_report_outside_share(e),
                      e->has_band ? ", where the band says nothing" : "");
}

static void add_totals(const nw_breakdown *b, const nw_counts *counts, nw_buf *out)
{
    const nw_estimate *e = b->estimate;
    char t[4][32];
    int n_costed = 0;
    for (int i = 0; i < e->kernels->n_kernels; i++)
        n_costed += e->costs[i].is_known && !is_view(&e->kernels->kernels[i]);
    bool has_cost = n_costed || !e->n_unknown;
    add_latency(b, has_cost, out);
    bool has_energy = b->hw->energy.mac > 0 || b->hw->energy.dram_read_byte > 0;
    nw_buf_printf(out, "  energy     %s   (%s)\n",
                  has_cost && has_energy ? nw_format_energy(e->energy_fj, t[0], sizeof t[0]) : "?",
                  has_energy ? "figures of the literature, not measured"
                             : "the description has no figures of energy");
    nw_buf_printf(out, "  MACs       %s   params %s   weights %s in the file%s\n",
                  nw_format_count(counts->macs, t[0], sizeof t[0]),
                  nw_format_count(counts->params, t[1], sizeof t[1]),
                  nw_format_bytes(counts->weight_bytes, t[2], sizeof t[2]),
                  counts->n_opaque ? ", without what cannot be analysed" : "");
    nw_buf_printf(out, "  memory     %s live at the peak, arena %s, SRAM %s",
                  nw_format_bytes(e->peak_live_bytes, t[0], sizeof t[0]),
                  nw_format_bytes(e->arena_bytes, t[1], sizeof t[1]),
                  nw_format_bytes(b->hw->sram.bytes, t[2], sizeof t[2]));
    nw_buf_printf(
        out, "   (file order, file's types: %s)\n",
        nw_format_bytes(nw_graph_peak_live_bytes_file_order(b->graph, NULL), t[3], sizeof t[3]));
    nw_buf_printf(out, "  traffic    DRAM %s, SRAM %s\n",
                  has_cost ? nw_format_bytes(e->dram_bytes, t[0], sizeof t[0]) : "?",
                  has_cost ? nw_format_bytes(e->sram_bytes, t[1], sizeof t[1]) : "?");
    if (!e->fits)
        nw_buf_printf(out, "  DOES NOT FIT: %s\n", e->reason);
}

static void add_host(const nw_breakdown *b, nw_buf *out)
{
    const nw_estimate *e = b->estimate;
    const nw_kernels *kernels = e->kernels;
    if (!kernels->n_switches)
        return;
    char t[2][32];
    int64_t switch_ps = (int64_t)(b->hw->host.switch_s * 1e12 + 0.5);
    nw_buf_printf(out,
                  "  host       %d %s of operators that this hardware lacks: %s, of that %s for "
                  "switching; %d partitions\n",
                  kernels->n_switches, kernels->n_switches == 1 ? "run" : "runs",
                  nw_format_time(e->host_ps, t[0], sizeof t[0]),
                  nw_format_time(switch_ps * kernels->n_switches, t[1], sizeof t[1]),
                  kernels->n_partitions);
}

static void add_op_list(const nw_breakdown *b, nw_buf *out)
{
    int n_types;
    nw_op_count *rows = nw_graph_count_ops(b->graph, &n_types);
    nw_buf_printf(out, "  operators  %d:", b->graph->n_nodes);
    for (int i = 0; i < n_types && i < 12; i++) {
        char *type = nw_printable(rows[i].file_type);
        nw_buf_printf(out, "%s %d %s", i ? "," : "", rows[i].n, type);
        free(type);
    }
    nw_buf_puts(out, n_types > 12 ? ", ...\n" : "\n");
    free(rows);
}

static void add_peak(const nw_breakdown *b, nw_buf *out)
{
    const nw_memory *memory = &b->estimate->kernels->memory;
    if (!memory->n_steps)
        return;
    char label[64], bytes[32];
    const nw_kernel *kernel = &b->estimate->kernels->kernels[memory->peak_step];
    nw_buf_printf(out, "  at the peak (%s) live:",
                  nw_report_label(b->graph, kernel->main, label, sizeof label));
    int n_listed = 0, n_more = 0;
    for (int i = 0; i < memory->n_tensors; i++) {
        const nw_live_tensor *live = &memory->tensors[i];
        if (live->first > memory->peak_step || live->last < memory->peak_step)
            continue;
        if (n_listed == 6) {
            n_more++;
            continue;
        }
        char clean[256], name[48];
        nw_text_visible(b->graph->tensors[live->tensor].name, clean, sizeof clean);
        if (clean[0] != ';')
            clean[strcspn(clean, ";")] = '\0';
        nw_buf_printf(out, "%s %s %s%s", n_listed++ ? "," : "",
                      nw_text_fit(clean, name, sizeof name),
                      nw_format_bytes(live->n_bytes, bytes, sizeof bytes),
                      live->storage != live->tensor ? " (shares its place)" : "");
    }
    if (n_more)
        nw_buf_printf(out, " and %d more", n_more);
    nw_buf_puts(out, "\n");
}

typedef struct row {
    int64_t latency_ps;
    bool is_known;
    int index;
} row;

/* Unknown ones first: nobody may overlook them. */
static int by_time(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->is_known != y->is_known)
        return x->is_known - y->is_known;
    if (x->latency_ps != y->latency_ps)
        return x->latency_ps < y->latency_ps ? 1 : -1;
    return x->index - y->index;
}

void nw_report_line(const char *line, int width, nw_buf *out)
{
    size_t length = strlen(line), shown = 0, columns = 0;
    while (length && line[length - 1] == ' ')
        length--;
    for (; shown < length && (!width || columns < (size_t)width); columns++) {
        shown++;
        while (shown < length && ((unsigned char)line[shown] & 0xc0) == 0x80)
            shown++; /* a cut never splits a character */
    }
    nw_buf_add(out, line, shown);
    nw_buf_puts(out, "\n");
}

static void add_row(const nw_breakdown *b, int index, int width, nw_buf *out)
{
    const nw_estimate *e = b->estimate;
    const nw_kernel *kernel = &e->kernels->kernels[index];
    const nw_device_cost *cost = &e->costs[index];
    char type[32], map[48], label[45], macs[24], dram[24], line[640], time[24], share[16], util[16];
    snprintf(time, sizeof time, "%s%.2f", e->latencies[index].is_outside ? NW_OUTSIDE_MARK : "",
             (double)cost->latency_ps / 1e6);
    snprintf(share, sizeof share, "%.1f",
             e->latency_ps ? 100 * (double)cost->latency_ps / (double)e->latency_ps : 0);
    snprintf(util, sizeof util, "%.*f", cost->utilisation < 0.0995 ? 1 : 0,
             100 * cost->utilisation);
    if (kernel->shape.parts[0].kind == NW_KERNEL_HOST)
        snprintf(type, sizeof type, "host x%d", kernel->n_nodes);
    else
        nw_kernel_shape_name(&kernel->shape, type, sizeof type);
    const char *why = nw_report_why(e, index);
    snprintf(line, sizeof line, "%4d %10s %6s  %-8s %6s %8s %9s  %-16s %-14s %-44s  %s%s%s", index,
             cost->is_known ? time : "?", cost->is_known ? share : "?",
             cost->is_known ? nw_bound_name(cost->bound) : "?", cost->macs ? util : "",
             cost->macs ? nw_format_count(cost->macs, macs, sizeof macs) : "",
             cost->dram_bytes ? nw_format_bytes(cost->dram_bytes, dram, sizeof dram) : "", type,
             nw_format_map(b->graph, kernel, map, sizeof map),
             nw_report_label(b->graph, kernel->main, label, sizeof label), why,
             *why && kernel->note[0] ? "; " : "", kernel->note);
    nw_report_line(line, width, out);
}

/* What belongs to no kernel. */
static void add_overhead(const nw_breakdown *b, int width, nw_buf *out)
{
    const nw_regression *r = b->estimate->estimator->regression;
    bool is_learned = r && nw_regression_report(r)->has_totals;
    bool is_fixed = !is_learned && b->hw->inference_overhead_cycles > 0;
    bool is_calibrated = !is_learned && b->hw->calibration.present;
    char line[160];
    snprintf(line, sizeof line, "%15.2f         %s%s%s%s", (double)b->estimate->overhead_ps / 1e6,
             is_fixed ? "fixed cost of an inference" : "", is_fixed && is_calibrated ? " and " : "",
             is_calibrated ? "correction by the calibration" : "",
             is_learned ? "from kernels to networks, as learned on networks" : "");
    nw_report_line(line, width, out);
}

static void add_table(const nw_breakdown *b, int width, nw_buf *out)
{
    const nw_estimate *e = b->estimate;
    int n = 0, n_kernels = e->kernels->n_kernels;
    row *rows = nw_alloc((size_t)n_kernels * sizeof *rows);
    for (int i = 0; i < n_kernels; i++)
        if (!is_view(&e->kernels->kernels[i]))
            rows[n++] = (row){e->costs[i].latency_ps, e->costs[i].is_known, i};
    if (n)
        qsort(rows, (size_t)n, sizeof *rows, by_time);
    /* The number is the kernel's place in the schedule, and in JSON and CSV: long names from files
     * are cut in the middle, where they may differ. */
    nw_buf_printf(out, "\n%4s %10s %6s  %-8s %6s %8s %9s  %-16s %-14s %-44s  %s\n", "#", "time us",
                  "share%", "bound", "util %", "MACs", "DRAM", "kernel", "output HxWxC", "name",
                  "why");
    for (int i = 0; i < n; i++)
        add_row(b, rows[i].index, width, out);
    if (e->overhead_ps)
        add_overhead(b, width, out);
    if (n < n_kernels)
        nw_buf_printf(
            out, "%d kernels that only rename or place data cost nothing and are not listed.\n",
            n_kernels - n);
    free(rows);
}

void nw_breakdown_text(const nw_breakdown *b, int width, nw_buf *out)
{
    nw_counts counts;
    nw_graph_count(b->graph, &counts);
    char *model = nw_printable(b->model), *source = nw_printable(b->estimate->estimator->source);
    const nw_kernels *kernels = b->estimate->kernels;
    nw_buf_printf(out, "%s on %s, estimated by %s (%s)\n", model, b->hw->name,
                  b->estimate->estimator->name, source);
    free(model);
    free(source);
    nw_buf_printf(out, "  precision  %s%s\n", kernels->precision,
                  kernels->is_assumed ? ": not the file's own type" : "");
    add_totals(b, &counts, out);
    add_host(b, out);
    add_op_list(b, out);
    add_peak(b, out);
    for (int i = 0; i < b->graph->n_warnings; i++)
        nw_buf_printf(out, "  warning    %s\n", b->graph->warnings[i]);
    add_table(b, width, out);
}
