/* All figures in a few passes over lines; climbs from every point share their way down, so that
 * each is the climb of its next point and what it looks at beyond that. */
#include <math.h>
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/landscape/internal.h"

/* ---- edges ---- */

typedef struct edge_sums {
    int64_t n, n_neutral, n_changing, n_majority;
    double step;                   /* sum of |f(x) - f(y)| */
    double ends, squares, product; /* over both ends of each edge, less the mean of all points */
} edge_sums;

static void add_edge(edge_sums *sums, double a, double b, double mean)
{
    double x = a - mean, y = b - mean;
    sums->n++;
    sums->n_neutral += a == b;
    sums->step += fabs(a - b);
    sums->ends += x + y;
    sums->squares += x * x + y * y;
    sums->product += x * y;
}

static void add_line(const nw_terrain *terrain, int axis, int64_t line, int64_t stride, double mean,
                     edge_sums *sums)
{
    const double *values = terrain->values;
    bool is_steps = terrain->kinds[axis] == NW_AXIS_STEPS;
    int size = terrain->sizes[axis];
    int64_t n_up = 0, n_down = 0;
    for (int c = 0; c < size; c++) {
        double a = values[line + c * stride];
        for (int d = c + 1; d < size && (!is_steps || d == c + 1) && !isnan(a); d++) {
            double b = values[line + d * stride];
            if (isnan(b))
                continue;
            add_edge(sums, a, b, mean);
            n_up += is_steps && b > a;
            n_down += is_steps && b < a;
        }
    }
    sums->n_changing += n_up + n_down;
    sums->n_majority += n_up > n_down ? n_up : n_down;
}

static void find_edges(const nw_terrain *terrain, double range, nw_figures *out)
{
    edge_sums sums = {0};
    int64_t strides[NW_MAX_AXES];
    nw_terrain_strides(terrain, strides);
    for (int a = 0; a < terrain->n_axes; a++)
        for (int64_t k = 0; k < terrain->n_points / terrain->sizes[a]; k++)
            add_line(terrain, a, nw_terrain_line(terrain, strides[a], a, k), strides[a], out->mean,
                     &sums);
    double n = (double)sums.n, mean = sums.ends / (2 * n);
    double variance = sums.squares / (2 * n) - mean * mean;
    out->n_edges = sums.n;
    out->mean_step = sums.n == 0 ? NAN : range > 0 ? sums.step / n / range : 0;
    out->neutral = sums.n == 0 ? NAN : (double)sums.n_neutral / n;
    out->monotone = sums.n_changing == 0 ? NAN : (double)sums.n_majority / (double)sums.n_changing;
    out->r1 = sums.n_neutral == sums.n ? NAN : (sums.product / n - mean * mean) / variance;
}

/* ---- climbs ---- */

/* Everybody's next point makes a forest whose roots are the ends. A point is on the way of another
 * if its interval of entering and leaving holds the other's. */
typedef struct forest {
    int64_t n;
    int64_t *next;          /* -1: an end */
    int64_t *order;         /* points, next[i] before i */
    int64_t *enter, *leave; /* of the visit in order; leave: one behind the last below */
} forest;

static void forest_fini(forest *f)
{
    free(f->next);
    free(f->order);
    free(f->enter);
    free(f->leave);
}

/* Visits depth first without a stack: each point has a first child and a next sibling. */
static void visit(const nw_terrain *terrain, forest *f)
{
    size_t bytes = ((size_t)f->n + 1) * sizeof(int64_t);
    int64_t *child = nw_alloc(bytes), *sibling = nw_alloc(bytes), n_order = 0;
    for (int64_t i = 0; i < f->n; i++)
        child[i] = sibling[i] = -1;
    for (int64_t i = 0; i < f->n; i++)
        if (f->next[i] >= 0) {
            sibling[i] = child[f->next[i]];
            child[f->next[i]] = i;
        }
    for (int64_t root = 0; root < f->n; root++) {
        int64_t at = f->next[root] < 0 && !isnan(terrain->values[root]) ? root : -1;
        while (at >= 0) {
            f->enter[at] = n_order;
            f->order[n_order++] = at;
            if (child[at] >= 0) {
                at = child[at];
                continue;
            }
            while (at >= 0) {
                f->leave[at] = n_order;
                if (at != root && sibling[at] >= 0) {
                    at = sibling[at];
                    break;
                }
                at = at == root ? -1 : f->next[at];
            }
        }
    }
    f->n = n_order;
    free(child);
    free(sibling);
}

static forest make_forest(const nw_terrain *terrain, bool walks_plateaus)
{
    size_t bytes = ((size_t)terrain->n_points + 1) * sizeof(int64_t);
    forest f = {terrain->n_points, nw_alloc(bytes), nw_alloc(bytes), nw_alloc(bytes),
                nw_alloc(bytes)};
    nw_terrain_descend(terrain, f.next);
    if (walks_plateaus)
        nw_terrain_leave_plateaus(terrain, f.next);
    visit(terrain, &f);
    return f;
}

/* Whether point is on the way down of start, start included. */
static bool is_on_way(const forest *f, int64_t point, int64_t start)
{
    return f->enter[point] <= f->enter[start] && f->enter[start] < f->leave[point];
}

/* How many of point and its neighbours a climb from its next point does not look at: that one looks
 * at points on its way and at their neighbours. */
static int n_new_looks(const nw_terrain *terrain, const forest *f, int64_t point, int64_t *near,
                       int64_t *far)
{
    int n_near = nw_terrain_neighbours(terrain, point, near), n_new = 0;
    int64_t next = f->next[point];
    near[n_near++] = point;
    for (int k = 0; k < n_near; k++) {
        bool is_old = next >= 0 && is_on_way(f, near[k], next);
        int n_far = is_old || next < 0 ? 0 : nw_terrain_neighbours(terrain, near[k], far);
        for (int j = 0; j < n_far && !is_old; j++)
            is_old = is_on_way(f, far[j], next);
        n_new += !is_old;
    }
    return n_new;
}

static void count_looks(const nw_terrain *terrain, const forest *f, nw_figures *out)
{
    size_t n = (size_t)terrain->n_points + 1, degree = (size_t)nw_terrain_degree(terrain) + 1;
    int64_t *looks = nw_alloc(n * sizeof *looks), *moves = nw_alloc(n * sizeof *moves);
    int64_t *near = nw_alloc(2 * degree * sizeof *near);
    double all_looks = 0, all_moves = 0;
    for (int64_t k = 0; k < f->n; k++) {
        int64_t point = f->order[k], next = f->next[point];
        looks[point] =
            (next < 0 ? 0 : looks[next]) + n_new_looks(terrain, f, point, near, near + degree);
        moves[point] = next < 0 ? 0 : moves[next] + 1;
        all_looks += (double)looks[point];
        all_moves += (double)moves[point];
    }
    out->mean_evaluations = all_looks / (double)f->n;
    out->mean_moves = all_moves / (double)f->n;
    free(looks);
    free(moves);
    free(near);
}

/* Shares of climbs that end at best + 1 % and 5 % of |best| or below. */
static void count_ends(const nw_terrain *terrain, const forest *f, double best, double *share_1pct,
                       double *share_5pct)
{
    int64_t n_1 = 0, n_5 = 0;
    double end = NAN;
    for (int64_t k = 0; k < f->n; k++) {
        if (f->next[f->order[k]] < 0)
            end = terrain->values[f->order[k]];
        n_1 += end <= best + 0.01 * fabs(best);
        n_5 += end <= best + 0.05 * fabs(best);
    }
    *share_1pct = (double)n_1 / (double)f->n;
    *share_5pct = (double)n_5 / (double)f->n;
}

static void find_climbs(const nw_terrain *terrain, nw_figures *out)
{
    forest strict = make_forest(terrain, false);
    count_looks(terrain, &strict, out);
    count_ends(terrain, &strict, out->best, &out->share_1pct, &out->share_5pct);
    out->walking_1pct = out->share_1pct;
    out->walking_5pct = out->share_5pct;
    forest_fini(&strict);
    if (out->neutral > 0) {
        forest walking = make_forest(terrain, true);
        count_ends(terrain, &walking, out->best, &out->walking_1pct, &out->walking_5pct);
        forest_fini(&walking);
    }
}

static void find_minima(const nw_terrain *terrain, nw_figures *out)
{
    size_t n = (size_t)terrain->n_points + 1;
    uint8_t *is_minimum = nw_alloc(n);
    int64_t *root = nw_alloc(n * sizeof *root), *size = nw_zalloc(n * sizeof *size);
    nw_terrain_minima(terrain, is_minimum);
    nw_terrain_plateaus(terrain, root);
    for (int64_t i = 0; i < terrain->n_points; i++)
        if (is_minimum[i]) {
            out->n_minima += size[root[i]] == 0;
            out->n_plateaus += size[root[i]] == 1;
            size[root[i]]++;
        }
    out->density = (double)out->n_minima / (double)out->n_points;
    free(is_minimum);
    free(root);
    free(size);
}

/* ---- distance to the best ---- */

/* Distances add up over the axes, so an axis at a time is enough: along a line of steps there and
 * back, along a line of choices one more than its least. */
static void spread(const nw_terrain *terrain, int axis, int64_t line, int64_t stride, int *distance)
{
    int size = terrain->sizes[axis], *d = distance + line, least = d[0];
    if (terrain->kinds[axis] == NW_AXIS_CHOICES) {
        for (int c = 1; c < size; c++)
            least = d[c * stride] < least ? d[c * stride] : least;
        for (int c = 0; c < size; c++)
            d[c * stride] = d[c * stride] > least + 1 ? least + 1 : d[c * stride];
        return;
    }
    for (int c = 1; c < size; c++)
        if (d[c * stride] > d[(c - 1) * stride] + 1)
            d[c * stride] = d[(c - 1) * stride] + 1;
    for (int c = size - 2; c >= 0; c--)
        if (d[c * stride] > d[(c + 1) * stride] + 1)
            d[c * stride] = d[(c + 1) * stride] + 1;
}

static void find_fdc(const nw_terrain *terrain, nw_figures *out)
{
    enum { FAR = 1 << 30 };
    int64_t strides[NW_MAX_AXES];
    int *distance = nw_alloc(((size_t)terrain->n_points + 1) * sizeof *distance);
    nw_terrain_strides(terrain, strides);
    for (int64_t i = 0; i < terrain->n_points; i++)
        distance[i] = terrain->values[i] == out->best ? 0 : FAR;
    for (int a = 0; a < terrain->n_axes; a++)
        for (int64_t k = 0; k < terrain->n_points / terrain->sizes[a]; k++)
            spread(terrain, a, nw_terrain_line(terrain, strides[a], a, k), strides[a], distance);
    double mean = 0, xx = 0, yy = 0, xy = 0;
    for (int64_t i = 0; i < terrain->n_points; i++)
        mean += isnan(terrain->values[i]) ? 0 : (double)distance[i] / (double)out->n_points;
    for (int64_t i = 0; i < terrain->n_points; i++) {
        double x = out->mean - terrain->values[i], y = (double)distance[i] - mean;
        if (isnan(x))
            continue;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    out->fdc = xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
    free(distance);
}

/* ---- all of them ---- */

static void find_values(const nw_terrain *terrain, nw_figures *out)
{
    static const double shares[] = {0.05, 0.5, 0.95};
    double quantiles[3], sum = 0;
    for (int64_t i = 0; i < terrain->n_points; i++) {
        double value = terrain->values[i];
        if (isnan(value))
            continue;
        if (out->n_points++ == 0 || value < out->best) {
            out->best = value;
            out->best_point = i;
        }
        if (out->n_points == 1 || value > out->worst)
            out->worst = value;
        sum += value;
    }
    out->mean = sum / (double)out->n_points;
    nw_terrain_quantiles(terrain, shares, 3, quantiles);
    out->p5 = quantiles[0];
    out->median = quantiles[1];
    out->p95 = quantiles[2];
}

void nw_figures_find(const nw_terrain *terrain, double pooled_range, nw_figures *out)
{
    *out = (nw_figures){.best_point = -1, .best = NAN, .worst = NAN, .mean_step = NAN};
    find_values(terrain, out);
    if (out->n_points == 0) {
        out->monotone = out->neutral = out->density = out->share_1pct = out->share_5pct = NAN;
        out->walking_1pct = out->walking_5pct = out->mean_evaluations = out->mean_moves = NAN;
        out->r1 = out->fdc = NAN;
        return;
    }
    find_edges(terrain, pooled_range > 0 ? pooled_range : out->worst - out->best, out);
    find_minima(terrain, out);
    find_climbs(terrain, out);
    find_fdc(terrain, out);
}
