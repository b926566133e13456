#include "src/session/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/units.h"
#include "src/session/internal.h"
#include "src/space/space.h"

#define LEAST_SAVING 0.1 /* of a doubling, below the knee */

/* ---- figures ---- */

static const struct {
    const char *name, *note;
} figures[NW_SWEEP_COUNT] = {
    [NW_SWEEP_PARALLELISM] = {"parallelism", "weights, output stage and SRAM port grow with it"},
    [NW_SWEEP_SRAM] = {"SRAM", ""},
    [NW_SWEEP_DRAM] = {"DRAM", ""},
    [NW_SWEEP_CLOCK] = {"clock", "DRAM keeps its bytes a second"},
};

const char *nw_sweep_name(nw_sweep_figure figure)
{
    return figures[figure].name;
}

const char *nw_sweep_note(nw_sweep_figure figure)
{
    return figures[figure].note;
}

static double factor_of(int row)
{
    return ldexp(1, row - NW_SWEEP_NOW);
}

static int64_t whole(double value)
{
    return value < 1 ? 1 : llround(value);
}

/* ,"key": value times factor */
static void put(nw_buf *out, const char *key, double value, double factor)
{
    nw_buf_printf(out, ",\"%s\":", key);
    nw_buf_double(out, value * factor);
}

static void put_int(nw_buf *out, const char *key, double value, double factor)
{
    nw_buf_printf(out, ",\"%s\":%lld", key, (long long)whole(value * factor));
}

/* Sides of the array: whole numbers, or it cannot be built. */
static bool put_array(nw_buf *out, const nw_hw *hw, double factor)
{
    bool is_dot = hw->array.kind == NW_ARRAY_DOT;
    double a = factor * (is_dot ? hw->array.pf_out : hw->array.rows);
    double b = factor * (is_dot ? hw->array.pf_in : hw->array.cols);
    nw_buf_puts(out, ",\"array\":{\"kind\":");
    nw_buf_puts(out, is_dot ? "\"dot\"" : "\"systolic\"");
    put_int(out, is_dot ? "pf_out" : "rows", a, 1);
    put_int(out, is_dot ? "pf_in" : "cols", b, 1);
    if (is_dot) {
        put_int(out, "in_chunk", hw->array.in_chunk, factor);
        put_int(out, "in_round", hw->array.in_round, factor);
        put(out, "weight_rate", hw->array.weight_rate, factor);
    }
    nw_buf_puts(out, "}");
    return a == floor(a) && b == floor(b);
}

static bool put_parallelism(nw_buf *out, const nw_hw *hw, double factor)
{
    bool is_whole = put_array(out, hw, factor);
    put(out, "out_elements_per_cycle", hw->out_elements_per_cycle, factor);
    put(out, "lut_elements_per_cycle", hw->lut_elements_per_cycle, factor);
    put(out, "add_elements_per_cycle", hw->add_elements_per_cycle, factor);
    put(out, "mul_elements_per_cycle", hw->mul_elements_per_cycle, factor);
    put(out, "requantise_elements_per_cycle", hw->requantise_elements_per_cycle, factor);
    nw_buf_printf(out, ",\"sram\":{\"align_channels\":%lld",
                  (long long)whole(hw->sram.align_channels * factor));
    put(out, "read_bytes_per_cycle", hw->sram.read_bytes_per_cycle, factor);
    put(out, "write_bytes_per_cycle", hw->sram.write_bytes_per_cycle, factor);
    nw_buf_puts(out, "}");
    return is_whole;
}

static void put_dram(nw_buf *out, const nw_hw *hw, double factor)
{
    bool is_per_s = hw->dram.bytes_per_s > 0;
    nw_buf_printf(out, ",\"dram\":{\"%s\":", is_per_s ? "bytes_per_s" : "bytes_per_cycle");
    nw_buf_double(out, factor * (is_per_s ? hw->dram.bytes_per_s : hw->dram.bytes_per_cycle));
    nw_buf_puts(out, "}");
}

static void put_clock(nw_buf *out, const nw_hw *hw, double factor)
{
    put(out, "clock_hz", hw->clock_hz, factor);
    nw_buf_puts(out, ",\"dram\":{\"bytes_per_s\":");
    nw_buf_double(out, hw->dram.bytes_per_s > 0 ? hw->dram.bytes_per_s
                                                : hw->dram.bytes_per_cycle * hw->clock_hz);
    nw_buf_puts(out, "}");
}

char *nw_sweep_patch(const nw_hw *hw, nw_sweep_figure figure, int row)
{
    nw_buf out = {0};
    double factor = factor_of(row);
    bool can = true;
    nw_buf_puts(&out, "{\"name\":\"swept\"");
    if (figure == NW_SWEEP_PARALLELISM)
        can = put_parallelism(&out, hw, factor);
    else if (figure == NW_SWEEP_SRAM)
        nw_buf_printf(&out, ",\"sram\":{\"bytes\":%lld}",
                      (long long)whole((double)hw->sram.bytes * factor));
    else if (figure == NW_SWEEP_DRAM)
        put_dram(&out, hw, factor);
    else
        put_clock(&out, hw, factor);
    nw_buf_puts(&out, "}");
    if (!can)
        nw_buf_fini(&out);
    return can ? out.text : NULL;
}

static void format_value(const nw_hw *hw, nw_sweep_figure figure, int row, nw_sweep_row *out)
{
    double factor = factor_of(row);
    bool is_dot = hw->array.kind == NW_ARRAY_DOT;
    char *dst = out->value;
    size_t size = sizeof out->value;
    if (figure == NW_SWEEP_PARALLELISM)
        snprintf(dst, size, "%.4g x %.4g", factor * (is_dot ? hw->array.pf_out : hw->array.rows),
                 factor * (is_dot ? hw->array.pf_in : hw->array.cols));
    else if (figure == NW_SWEEP_SRAM)
        nw_format_bytes(llround((double)hw->sram.bytes * factor), dst, size);
    else if (figure == NW_SWEEP_DRAM)
        snprintf(dst, size, "%.4g GB/s", hw->dram.bytes_per_cycle * hw->clock_hz * factor / 1e9);
    else
        snprintf(dst, size, "%.4g GHz", hw->clock_hz * factor / 1e9);
}

/* ---- estimates ---- */

/* n_unknown: kernels without a cost. */
static nw_status estimate(const nw_graph *graph, const nw_hw *hw, const char *precision,
                          nw_sweep_row *row, int *n_unknown, nw_error *err)
{
    nw_estimate e;
    nw_status status = nw_estimate_graph(nw_estimator_device(), graph, hw, precision, &e, err);
    if (status != NW_OK)
        return status;
    row->latency_ps = e.fits ? e.latency_ps : 0;
    *n_unknown = e.n_unknown;
    if (!e.fits)
        snprintf(row->why, sizeof row->why, "%.100s", e.reason);
    nw_estimate_fini(&e);
    return NW_OK;
}

static void fill_row(const nw_graph *graph, const nw_hw *hw, const char *search_path,
                     const char *precision, int i, nw_sweep *out)
{
    nw_hw *other = NULL;
    nw_error err;
    int n_unknown = 0;
    nw_sweep_row *row = &out->rows[i];
    char *patch = nw_sweep_patch(hw, out->figure, i);
    if (!patch) {
        snprintf(row->why, sizeof row->why, "no whole number of lanes");
        return;
    }
    nw_status status = nw_hw_derive(hw, patch, search_path, &other, &err);
    if (status == NW_OK)
        status = estimate(graph, other, precision, row, &n_unknown, &err);
    if (status != NW_OK) {
        snprintf(row->why, sizeof row->why, "%.40s: %.70s", err.where, err.message);
    } else if (n_unknown != out->n_unknown && row->latency_ps) {
        row->latency_ps = 0;
        snprintf(row->why, sizeof row->why, "%d kernels have no cost", n_unknown);
    }
    nw_hw_free(other);
    free(patch);
}

int nw_sweep_knee(const int64_t *latencies_ps, int n)
{
    while (n > 0 && !latencies_ps[n - 1])
        n--;
    int knee = n - 1;
    while (knee > 0 && latencies_ps[knee - 1] &&
           (double)latencies_ps[knee] > (1 - LEAST_SAVING) * (double)latencies_ps[knee - 1])
        knee--;
    return knee == n - 1 ? -1 : knee;
}

nw_status nw_sweep_run(const nw_graph *graph, const nw_hw *hw, const char *search_path,
                       const char *precision, nw_sweep_figure figure, const nw_cancel *cancel,
                       nw_sweep *out, nw_error *err)
{
    int64_t latencies[NW_SWEEP_ROWS];
    *out = (nw_sweep){.figure = figure, .knee = -1};
    nw_status status =
        estimate(graph, hw, precision, &out->rows[NW_SWEEP_NOW], &out->n_unknown, err);
    if (status != NW_OK)
        return status;
    for (int i = 0; i < NW_SWEEP_ROWS; i++) {
        format_value(hw, figure, i, &out->rows[i]);
        if (i != NW_SWEEP_NOW && !nw_cancel_is_set(cancel))
            fill_row(graph, hw, search_path, precision, i, out);
        latencies[i] = out->rows[i].latency_ps;
    }
    out->knee = nw_sweep_knee(latencies, NW_SWEEP_ROWS);
    return NW_OK;
}

const char *nw_sweep_verdict(const nw_sweep *sweep, char *dst, size_t size)
{
    int last = NW_SWEEP_ROWS - 1;
    const nw_sweep_row *rows = sweep->rows;
    while (last > 0 && !rows[last].latency_ps)
        last--;
    if (sweep->knee >= 0)
        snprintf(dst, size, "knee %s%s: doublings from there save < 10 %%",
                 sweep->knee ? "" : "at most ", rows[sweep->knee].value);
    else if (last && rows[last - 1].latency_ps)
        snprintf(dst, size, "no knee up to %s: the last doubling saves %.0f %%", rows[last].value,
                 100 - 100 * (double)rows[last].latency_ps / (double)rows[last - 1].latency_ps);
    else
        snprintf(dst, size, "no knee: no two values to compare");
    return dst;
}

/* ---- in a session ---- */

struct nw_sweeping {
    nw_task task; /* first, so that the pool's pointer is this one */
    nw_cancel cancel;
    int n_users; /* the session, and the task while it is out; the main thread's */
    const nw_arch *arch;
    nw_shared_hw *hw;
    char precision[24];
    nw_sweep_figure figure;
    nw_sweep sweep; /* written by the task, read by the main thread when it is back */
    nw_error err;
    bool is_failed, is_back;
};

static void run_sweep(nw_task *task)
{
    nw_sweeping *w = (nw_sweeping *)task;
    w->is_failed = nw_sweep_run(nw_arch_graph(w->arch), w->hw->hw, w->hw->search_path, w->precision,
                                w->figure, &w->cancel, &w->sweep, &w->err) != NW_OK;
}

bool nw_session_is_sweeping(const nw_task *task)
{
    return task->run == run_sweep;
}

static void release(nw_sweeping *w)
{
    if (!w || --w->n_users)
        return;
    nw_arch_release(w->arch);
    nw_shared_hw_release(w->hw);
    free(w);
}

void nw_session_take_sweeping(nw_session *s, nw_task *task)
{
    nw_sweeping *w = (nw_sweeping *)task;
    (void)s;
    w->is_back = true;
    release(w);
}

static const nw_arch *arch_of_now(const nw_session *s)
{
    const nw_space *space = s->state.quest.space;
    return s->state.current ? s->state.current->arch : space ? nw_space_network(space) : NULL;
}

void nw_session_forget_sweep(nw_session *s)
{
    if (!s->sweeping)
        return;
    nw_cancel_set(&s->sweeping->cancel);
    release(s->sweeping);
    s->sweeping = NULL;
}

void nw_session_update_sweep(nw_session *s)
{
    const nw_arch *arch = arch_of_now(s);
    nw_sweeping *w = s->sweeping;
    if (w && (w->arch != arch || w->hw != s->state.hw || w->figure != s->swept ||
              strcmp(w->precision, s->state.precision) != 0)) {
        nw_session_forget_sweep(s);
        s->version++;
    }
    if (s->sweeping || s->swept >= NW_SWEEP_COUNT || !arch)
        return;
    w = nw_zalloc(sizeof *w);
    w->n_users = 2;
    w->arch = nw_arch_retain(arch);
    w->hw = nw_shared_hw_retain(s->state.hw);
    memcpy(w->precision, s->state.precision, sizeof w->precision);
    w->figure = s->swept;
    w->task.run = run_sweep;
    w->task.cancel = &w->cancel;
    s->sweeping = w;
    nw_pool_submit(s->pool, &w->task);
}

void nw_session_follow_sweep(nw_session *s, nw_sweep_figure figure)
{
    s->swept = figure;
    nw_session_update_sweep(s);
}

const nw_sweep *nw_session_sweep(const nw_session *s, const char **why)
{
    const nw_sweeping *w = s->sweeping;
    *why = !w && s->swept < NW_SWEEP_COUNT   ? "no network is open"
           : w && w->is_back && w->is_failed ? w->err.message
                                             : "";
    return w && w->is_back && !w->is_failed ? &w->sweep : NULL;
}
