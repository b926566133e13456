/* space.c - a search space for people: dimensions, what curation keeps of them, and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

#define N_SHOWN     8 /* options that are listed one by one */
#define CELL_BYTES  96
#define NAME_COLUMN 8

/* ---- options, shortened ---- */

typedef struct picked {
    const nw_dim *dim;
    int *options; /* ascending indices */
    int n;
} picked;

static const char *option_at(const picked *p, int i, char *dst, size_t size)
{
    return nw_option_text(p->dim->kind, &p->dim->options[p->options[i]], dst, size);
}

/* The step of all; 0: there is none. */
static int64_t step_of(const picked *p)
{
    bool is_counted = p->dim->kind == NW_DIM_CHANNELS || p->dim->kind == NW_DIM_EXPANDED;
    if (!is_counted || p->n < 3)
        return 0;
    const nw_option *o = p->dim->options;
    int64_t step = o[p->options[1]].n - o[p->options[0]].n;
    for (int i = 2; i < p->n; i++)
        if (o[p->options[i]].n - o[p->options[i - 1]].n != step)
            return 0;
    return step;
}

/* "8 16 32", "8..256", "32..256 by 32", "8 12 16 ... 256 (41)". */
static void add_options(const picked *p, nw_buf *out)
{
    char text[64], last[64];
    int64_t step = p->n > 4 ? step_of(p) : 0;
    if (step) {
        nw_buf_printf(out, "%s..%s", option_at(p, 0, text, sizeof text),
                      option_at(p, p->n - 1, last, sizeof last));
        if (step > 1)
            nw_buf_printf(out, " by %lld", (long long)step);
        nw_buf_printf(out, " (%d)", p->n);
        return;
    }
    int n_first = p->n <= N_SHOWN ? p->n : N_SHOWN - 2;
    for (int i = 0; i < n_first; i++)
        nw_buf_printf(out, "%s%s", i ? " " : "", option_at(p, i, text, sizeof text));
    if (n_first < p->n)
        nw_buf_printf(out, " ... %s (%d)", option_at(p, p->n - 1, text, sizeof text), p->n);
}

static picked pick(const nw_space_page *page, int d, bool only_kept)
{
    int n;
    const nw_dim *dim = &nw_space_dims(page->space, &n)[d];
    picked p = {dim, nw_alloc(((size_t)dim->n_options + 1) * sizeof *p.options), 0};
    for (int i = 0; i < dim->n_options; i++)
        if (!only_kept || nw_curation_has(page->curation, d, i))
            p.options[p.n++] = i;
    return p;
}

static void add_picked(const nw_space_page *page, int d, bool only_kept, nw_buf *out)
{
    picked p = pick(page, d, only_kept);
    add_options(&p, out);
    free(p.options);
}

/* ---- the head ---- */

static void add_line(int width, nw_buf *line, nw_buf *out)
{
    nw_report_line(nw_buf_text(line), width, out);
    nw_buf_clear(line);
}

/* " (1.06e14)" */
static void add_power(double size, nw_buf *out)
{
    char text[32];
    snprintf(text, sizeof text, "%.2e", size);
    char *power = strchr(text, 'e');
    if (power)
        nw_buf_printf(out, " (%.*se%d)", (int)(power - text), text, atoi(power + 1));
}

/* "105672301608960 networks"; beyond what a person reads also "(1.06e14)". */
static void add_size(const nw_space *space, nw_buf *out)
{
    size_t before = out->length;
    nw_space_size(space, out);
    bool is_long = out->length - before > 9;
    nw_buf_printf(out, " network%s",
                  out->length - before == 1 && out->text[before] == '1' ? "" : "s");
    if (is_long)
        add_power(nw_space_size_approx(space), out);
}

static void add_network(const nw_space_page *page, nw_buf *line)
{
    nw_counts counts;
    char macs[32], params[32];
    const nw_graph *graph = nw_arch_graph(nw_space_base(page->space));
    nw_graph_count(graph, &counts);
    char *name = nw_printable(graph->name && *graph->name ? graph->name : "unnamed");
    int64_t n_macs = page->base ? page->base->parts.macs : counts.macs;
    int64_t n_params = page->base ? page->base->parts.params : counts.params;
    nw_buf_printf(line, "  network     %s, %s MACs, %s params", name,
                  nw_format_count(n_macs, macs, sizeof macs),
                  nw_format_count(n_params, params, sizeof params));
    free(name);
}

/* What the network costs, by whom, and how far that is to be trusted. */
static void add_estimate(const nw_space_page *page, int width, nw_buf *line, nw_buf *out)
{
    char time[32], text[160], calibration[256];
    if (!page->base)
        return;
    nw_buf_printf(line, "  estimated   %s on %s by %s%s",
                  nw_format_time(page->base->latency_ps, time, sizeof time), page->hw->name,
                  nw_format_estimator(page->estimator, text, sizeof text),
                  page->base->fits ? "" : ", which it does not fit");
    add_line(width, line, out);
    nw_buf_printf(line, "              %s; %s",
                  nw_format_calibration(&(nw_estimate){.estimator = page->estimator}, page->hw,
                                        calibration, sizeof calibration),
                  nw_format_types(nw_arch_graph(nw_space_base(page->space)), page->hw,
                                  page->precision, text, sizeof text));
    add_line(width, line, out);
}

static void add_place(const char *file, int line, const char *source, nw_buf *out)
{
    if (!*file)
        return;
    char *clean = nw_printable(strcmp(file, source) == 0 ? "" : file);
    nw_buf_printf(out, "%s:%d", clean, line);
    free(clean);
}

static void add_kept(const nw_limits_kept *kept, int i, int width, nw_buf *line, nw_buf *out)
{
    nw_buf_printf(line, "              kept by %d of %d random networks", kept->n_keep[i],
                  kept->n_networks);
    if (!kept->n_keep[i] && kept->n_networks)
        nw_buf_printf(line, ": the closest has %.4g", kept->closest[i]);
    add_line(width, line, out);
}

static void add_conditions(const nw_space_page *page, int width, nw_buf *line, nw_buf *out)
{
    const char *source = nw_space_source(page->space);
    int n_limits;
    const nw_limit *limits = nw_space_limits(page->space, &n_limits);
    for (int i = 0; i < nw_space_n_conditions(page->space); i++) {
        nw_condition condition = nw_space_condition(page->space, i);
        char *text = nw_printable(condition.text);
        nw_buf_printf(line, "  requires    %s%s   ", text,
                      condition.is_predicate ? " (in Lua: searches take the slow path)" : "");
        add_place(condition.file, condition.line, source, line);
        free(text);
        add_line(width, line, out);
    }
    for (int i = 0; i < n_limits; i++) {
        nw_buf_printf(line, "  limit       %s at %s ", nw_metric_name(limits[i].metric),
                      limits[i].is_least ? "least" : "most");
        nw_buf_double(line, limits[i].limit);
        nw_buf_puts(line, "   ");
        add_place(limits[i].file, limits[i].line, source, line);
        add_line(width, line, out);
        if (page->kept && i < NW_MAX_KEPT_LIMITS)
            add_kept(page->kept, i, width, line, out);
    }
    if (page->kept && n_limits > 1) {
        nw_buf_printf(line, "              all limits kept by %d of %d random networks",
                      page->kept->n_within, page->kept->n_networks);
        add_line(width, line, out);
    }
}

static void add_head(const nw_space_page *page, int width, nw_buf *line, nw_buf *out)
{
    char *name = nw_printable(nw_space_name(page->space)), *path = nw_printable(page->path);
    nw_buf_printf(line, "%s: ", name);
    add_size(page->space, line);
    int n_dims = nw_space_n_dims(page->space);
    nw_buf_printf(line, ", %d dimension%s", n_dims, n_dims == 1 ? "" : "s");
    add_line(width, line, out);
    nw_buf_printf(line, "  declared    %s", path);
    add_line(width, line, out);
    add_network(page, line);
    add_line(width, line, out);
    add_estimate(page, width, line, out);
    if (page->curated) {
        nw_buf_puts(line, "  curated     ");
        add_size(page->curated, line);
        nw_buf_printf(line, " for %s, read off %lld estimates", page->hw->name,
                      (long long)nw_curation_n_evaluations(page->curation));
        add_line(width, line, out);
    }
    add_conditions(page, width, line, out);
    free(name);
    free(path);
}

/* ---- the table ---- */

enum { COLUMN_NAME, COLUMN_KIND, COLUMN_BASE, COLUMN_OPTIONS, COLUMN_KEPT, COLUMN_LINE, N_COLUMNS };

typedef struct table {
    nw_arena arena;
    const char *(*cells)[N_COLUMNS]; /* the first row is the header */
    int n_rows;
    bool is_shown[N_COLUMNS];
} table;

static void set_cell(table *t, int row, int column, const nw_buf *text)
{
    t->cells[row][column] = nw_arena_strdup(&t->arena, nw_buf_text(text));
}

static void fill_row(table *t, const nw_space_page *page, int d)
{
    int n;
    const nw_dim *dim = &nw_space_dims(page->space, &n)[d];
    char option[64];
    nw_buf text = {0};
    t->cells[d + 1][COLUMN_NAME] = dim->name;
    t->cells[d + 1][COLUMN_KIND] = nw_dim_kind_name(dim->kind);
    nw_buf_puts(&text, dim->base < 0 ? "-"
                                     : nw_option_text(dim->kind, &dim->options[dim->base], option,
                                                      sizeof option));
    set_cell(t, d + 1, COLUMN_BASE, &text);
    nw_buf_clear(&text);
    add_picked(page, d, false, &text);
    set_cell(t, d + 1, COLUMN_OPTIONS, &text);
    nw_buf_clear(&text);
    if (page->curation) {
        add_picked(page, d, true, &text);
        int64_t step = nw_curation_step(page->curation, d);
        if (step > 1)
            nw_buf_printf(&text, "  step %lld", (long long)step);
    }
    set_cell(t, d + 1, COLUMN_KEPT, &text);
    nw_buf_clear(&text);
    add_place(dim->file, dim->line, nw_space_source(page->space), &text);
    set_cell(t, d + 1, COLUMN_LINE, &text);
    nw_buf_fini(&text);
}

static int columns_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void write_table(const table *t, int width, nw_buf *line, nw_buf *out)
{
    int widths[N_COLUMNS] = {0};
    for (int r = 0; r < t->n_rows; r++)
        for (int c = 0; c < N_COLUMNS; c++) {
            int columns = columns_of(t->cells[r][c]);
            widths[c] = columns > widths[c] ? columns : widths[c];
        }
    for (int r = 0; r < t->n_rows; r++) {
        nw_buf_puts(line, "  ");
        for (int c = 0; c < N_COLUMNS; c++)
            if (t->is_shown[c])
                nw_buf_printf(line, "%s%*s", t->cells[r][c],
                              c + 1 < N_COLUMNS ? widths[c] - columns_of(t->cells[r][c]) + 2 : 0,
                              "");
        while (line->length && line->text[line->length - 1] == ' ')
            line->text[--line->length] = '\0';
        add_line(width, line, out);
    }
}

static bool is_alike(const table *t, int a, int b)
{
    bool is_same = true;
    for (int c = COLUMN_NAME + 1; c < N_COLUMNS; c++)
        is_same &= strcmp(t->cells[a][c], t->cells[b][c]) == 0;
    return is_same;
}

/* Dimensions of one declaration that are alike but for their names are one row. */
static void merge_rows(table *t)
{
    int n = 1;
    for (int first = 1, last; first < t->n_rows; first = last + 1) {
        last = first;
        while (last + 1 < t->n_rows && is_alike(t, first, last + 1))
            last++;
        memmove(t->cells[n], t->cells[first], sizeof t->cells[n]);
        if (last > first) {
            nw_buf name = {0};
            nw_buf_printf(&name, "%s .. %s", t->cells[first][COLUMN_NAME],
                          t->cells[last][COLUMN_NAME]);
            set_cell(t, n, COLUMN_NAME, &name);
            nw_buf_fini(&name);
        }
        n++;
    }
    t->n_rows = n;
}

static void add_table(const nw_space_page *page, int width, nw_buf *line, nw_buf *out)
{
    static const char *const titles[N_COLUMNS] = {"name",    "kind", "network",
                                                  "options", "kept", "line"};
    int n = nw_space_n_dims(page->space);
    table t = {.n_rows = n + 1};
    t.cells = nw_alloc(((size_t)n + 1) * sizeof *t.cells);
    for (int c = 0; c < N_COLUMNS; c++) {
        t.cells[0][c] = titles[c];
        t.is_shown[c] = c != COLUMN_KEPT || page->curation;
    }
    for (int d = 0; d < n; d++)
        fill_row(&t, page, d);
    merge_rows(&t);
    nw_buf_puts(out, "\n");
    write_table(&t, width, line, out);
    nw_arena_fini(&t.arena);
    free(t.cells);
}

/* ---- reasons ---- */

/* What was dropped between two options that are kept; the commonest reason stands for all. */
typedef struct gap {
    int first, last;
    int counts[NW_VERDICT_COUNT];
    int example; /* the last option of that reason */
} gap;

static bool is_dropped(const nw_option_verdict *verdict)
{
    return verdict->verdict != NW_VERDICT_KEPT && verdict->verdict != NW_VERDICT_PINNED;
}

static gap find_gap(const nw_option_verdict *verdicts, int first, int n, bool is_choice)
{
    gap g = {.first = first, .last = first};
    int commonest = 0;
    while (!is_choice && g.last + 1 < n && is_dropped(&verdicts[g.last + 1]))
        g.last++;
    for (int i = first; i <= g.last; i++)
        g.counts[verdicts[i].verdict]++;
    for (int v = 1; v < NW_VERDICT_COUNT; v++)
        commonest = g.counts[v] > g.counts[commonest] ? v : commonest;
    for (int i = first; i <= g.last; i++)
        if ((int)verdicts[i].verdict == commonest)
            g.example = i;
    return g;
}

/* "thinned within ...", "dominated 20, uneven 11: 63: 64 costs no more ..." */
static void add_gap(const nw_dim *dim, const nw_option_verdict *verdicts, const gap *g, nw_buf *out)
{
    char text[64];
    const nw_option_verdict *example = &verdicts[g->example];
    if (g->first == g->last) {
        nw_buf_printf(out, "%s: %s", nw_verdict_name(example->verdict), example->why);
        return;
    }
    for (int v = 0, n = 0; v < NW_VERDICT_COUNT; v++)
        if (g->counts[v])
            nw_buf_printf(out, "%s%d %s", n++ ? ", " : "", g->counts[v],
                          nw_verdict_name((nw_verdict)v));
    nw_buf_printf(out, "; %s: %s",
                  nw_option_text(dim->kind, &dim->options[g->example], text, sizeof text),
                  example->why);
}

static void add_reasons(const nw_space_page *page, int d, int width, nw_buf *line, nw_buf *out)
{
    int n;
    const nw_dim *dim = &nw_space_dims(page->space, &n)[d];
    const nw_option_verdict *verdicts = nw_curation_verdicts(page->curation, d);
    const char *name = dim->name;
    bool is_choice = dim->kind == NW_DIM_VARIANT || dim->kind == NW_DIM_PRECISION;
    for (int i = 0; i < dim->n_options; i++) {
        char text[64], end[64], range[140];
        if (!is_dropped(&verdicts[i]))
            continue;
        gap g = find_gap(verdicts, i, dim->n_options, is_choice);
        nw_option_text(dim->kind, &dim->options[i], text, sizeof text);
        nw_option_text(dim->kind, &dim->options[g.last], end, sizeof end);
        snprintf(range, sizeof range, "%s%s%s", text, g.last > i ? ".." : "",
                 g.last > i ? end : "");
        nw_buf_printf(line, "  %-*s  %-9s  ", NAME_COLUMN, name, range);
        add_gap(dim, verdicts, &g, line);
        add_line(width, line, out);
        name = "";
        i = g.last;
    }
}

static void count_options(const nw_space_page *page, int *n_kept, int *n_options)
{
    int n;
    const nw_dim *dims = nw_space_dims(page->space, &n);
    for (int d = 0; d < n; d++) {
        *n_kept += nw_curation_n_kept(page->curation, d);
        *n_options += dims[d].n_options;
    }
}

void nw_space_text(const nw_space_page *page, int width, nw_buf *out)
{
    nw_buf line = {0};
    int n_kept = 0, n_options = 0;
    add_head(page, width, &line, out);
    add_table(page, width, &line, out);
    if (page->curation) {
        count_options(page, &n_kept, &n_options);
        nw_buf_puts(out, "\n");
        nw_buf_printf(&line, "  %d of %d options earn their place on %s%s", n_kept, n_options,
                      page->hw->name, n_kept < n_options ? "; of the others:" : "");
        add_line(width, &line, out);
        for (int d = 0; d < nw_space_n_dims(page->space); d++)
            add_reasons(page, d, width, &line, out);
    }
    nw_buf_fini(&line);
}
