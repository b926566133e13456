/* scene.c - what the panes of a landscape follow from, and what is known of its points.
 */
#include "src/session/scene.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- what panes follow from ---- */

const nw_dim *nw_scene_axis(const nw_scene *c, bool is_y)
{
    int n, dim = is_y ? c->view.y_dim : c->view.x_dim;
    const nw_dim *dims = nw_space_dims(c->ground->grid, &n);
    return dim < 0 ? NULL : &dims[dim];
}

/* A byte an option of a dimension of the space. */
uint8_t *nw_scene_list_kept(const nw_session *s, int dim)
{
    int n;
    const nw_dim *own = &nw_space_dims(s->state.quest.space, &n)[dim];
    uint8_t *keep = nw_alloc((size_t)own->n_options + 1);
    for (int i = 0; i < own->n_options; i++)
        keep[i] = nw_session_keeps(s, dim, i);
    return keep;
}

/* Whether curation left an option that is not on the grid, since it was not known then. */
bool nw_scene_misses_kept(const nw_session *s, const nw_scene *c)
{
    int n, axes[2] = {c->view.x_dim, c->view.y_dim};
    int counts[2] = {c->wanted.n_columns, c->wanted.n_rows};
    const nw_dim *own = nw_space_dims(c->space, &n);
    bool misses = false;
    for (int i = 0; i < 2 && c->wanted.columns; i++) {
        int n_kept = 0;
        if (axes[i] < 0)
            continue;
        uint8_t *now = nw_scene_list_kept(s, axes[i]);
        size_t n_options = (size_t)own[axes[i]].n_options;
        for (size_t o = 0; o < n_options; o++)
            n_kept += now[o];
        bool is_news = !c->kept[i] || memcmp(c->kept[i], now, n_options) != 0;
        misses |= is_news && n_kept > counts[i];
        free(now);
    }
    return misses;
}

/* Columns or rows of the grid that the curated space has. */
static int *find_kept(const nw_session *s, const nw_scene *c, bool is_y, int *n_out)
{
    int n, dim = is_y ? c->view.y_dim : c->view.x_dim;
    const nw_dim *axis = nw_scene_axis(c, is_y);
    int *out = nw_zalloc(((size_t)(axis ? axis->n_options : 0) + 1) * sizeof *out);
    *n_out = 1;
    if (!axis) /* a line has one row */
        return out;
    const nw_dim *own = &nw_space_dims(c->space, &n)[dim];
    uint8_t *keep = nw_scene_list_kept(s, dim);
    *n_out = nw_slice_find_options(c->slice, is_y, own, keep, out);
    free(keep);
    return out;
}

static int find_option(const nw_dim *dim, const nw_option *option)
{
    int best = 0;
    for (int i = 0; i < dim->n_options; i++) {
        const nw_option *o = &dim->options[i], *b = &dim->options[best];
        bool is_same = o->n == option->n && o->n2 == option->n2 && o->number == option->number &&
                       o->block == option->block;
        double distance = fabs((double)(o->n - option->n)) + fabs(o->number - option->number);
        double least = fabs((double)(b->n - option->n)) + fabs(b->number - option->number);
        if (is_same)
            return i;
        if (distance < least)
            best = i;
    }
    return best;
}

nw_frame nw_scene_find_frame(const nw_session *s, const nw_scene *c)
{
    const nw_quest *quest = &s->state.quest;
    const nw_dim *x = nw_scene_axis(c, false), *y = nw_scene_axis(c, true);
    nw_frame f = {.start_x = -1, .start_y = -1};
    if (nw_session_curation(s)) {
        f.columns = find_kept(s, c, false, &f.n_columns);
        f.rows = find_kept(s, c, true, &f.n_rows);
    }
    if (quest->has_start) {
        f.start_x = find_option(x, &quest->start_x);
        f.start_y = y ? find_option(y, &quest->start_y) : 0;
    }
    return f;
}

bool nw_scene_is_same_list(const int *a, int n_a, const int *b, int n_b)
{
    if (!a || !b)
        return !a && !b;
    return n_a == n_b && memcmp(a, b, (size_t)n_a * sizeof *a) == 0;
}

bool nw_scene_is_same_frame(const nw_frame *a, const nw_frame *b)
{
    return a->start_x == b->start_x && a->start_y == b->start_y &&
           nw_scene_is_same_list(a->columns, a->n_columns, b->columns, b->n_columns) &&
           nw_scene_is_same_list(a->rows, a->n_rows, b->rows, b->n_rows);
}

int *nw_scene_copy_list(const int *list, int n)
{
    if (!list)
        return NULL;
    int *copy = nw_alloc(((size_t)n + 1) * sizeof *copy);
    if (n)
        memcpy(copy, list, (size_t)n * sizeof *copy);
    return copy;
}
/* ---- points ---- */

static const nw_scene *scene_of(const nw_landscape *landscape)
{
    return (const nw_scene *)(const void *)((const char *)landscape - offsetof(nw_scene, view));
}

double nw_landscape_value(const nw_landscape *landscape, int x, int y)
{
    return landscape->x ? nw_slice_value(scene_of(landscape)->slice, x, y, NULL) : NAN;
}

/* The points of coarser grids are those that are multiples of 2, 4, ... */
double nw_landscape_macs(const nw_landscape *landscape, int x, int y)
{
    const nw_slice *slice = scene_of(landscape)->slice;
    for (int k = 0; landscape->x && k < 16; k++) {
        const nw_totals *totals = nw_slice_totals(slice, x >> k << k, y >> k << k);
        if (totals)
            return (double)totals->parts.macs;
    }
    return NAN;
}

nw_status nw_landscape_probe(const nw_landscape *landscape, int x, int y, nw_totals *out,
                             nw_error *err)
{
    if (!landscape->x)
        return nw_fail(err, NW_UNSUPPORTED, "", "%s", landscape->doing);
    return nw_slice_probe(scene_of(landscape)->slice, x, y, out, err);
}

/* The point as a genome of the whole space; false: it has no such options. */
static bool is_in_space(const nw_scene *c, const uint16_t *on_grid, uint16_t *genome)
{
    int n;
    const nw_dim *whole = nw_space_dims(c->space, &n), *grid = nw_space_dims(c->ground->grid, &n);
    memcpy(genome, c->others, sizeof c->others);
    for (int d = 0; d < n; d++) {
        if (d != c->view.x_dim && d != c->view.y_dim)
            continue;
        const nw_option *wanted = &grid[d].options[on_grid[d]];
        int at = find_option(&whole[d], wanted);
        if (memcmp(&whole[d].options[at], wanted, sizeof *wanted) != 0)
            return false;
        genome[d] = (uint16_t)at;
    }
    return true;
}

char *nw_landscape_point_text(const nw_landscape *landscape, int x, int y)
{
    const nw_scene *c = scene_of(landscape);
    uint16_t on_grid[NW_MAX_DIMS], genome[NW_MAX_DIMS];
    nw_edit *edits = NULL;
    nw_buf text = {0};
    int n = 0;
    if (!landscape->x)
        return NULL;
    nw_slice_genome(c->slice, x, y, on_grid);
    if (is_in_space(c, on_grid, genome)) {
        nw_genome_write(c->space, genome, &text);
        return text.text;
    }
    if (nw_space_edits(c->ground->grid, on_grid, &edits, &n, NULL) != NW_OK)
        return NULL;
    for (int i = 0; i < n; i++) {
        nw_buf_puts(&text, "; ");
        nw_edit_write(&edits[i], &text);
    }
    free(edits);
    return text.text;
}
