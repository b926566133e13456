/* latency.c - who estimates: finding an estimator, asking it for kernels, remembering them. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/estimator/bands.h"
#include "src/estimator/costs.h"
#include "src/estimator/regression.h"

/* ---- distinct kernels, remembered ---- */

#define MAX_REMEMBERED ((size_t)1 << 20)

typedef struct slot {
    uint64_t hash; /* 0: free */
    nw_kernel_shape shape;
    nw_kernel_latency latency;
} slot;

/* One network at a time looks up or adds, so a lock is taken twice a network. The same kernel on
 * other figures cannot be in it: an estimator belongs to one hardware. */
typedef struct nw_memo {
    pthread_mutex_t lock;
    slot *slots;
    size_t n_slots, n_used; /* n_slots a power of two, or 0 */
    nw_costs costs;
} nw_memo;

typedef struct shared_estimator {
    nw_estimator estimator;
    atomic_int n_users;
    nw_memo memo;
    char source[256];
} shared_estimator;

static slot *find_slot(slot *slots, size_t n_slots, uint64_t hash, const nw_kernel_shape *shape)
{
    size_t at = (size_t)hash & (n_slots - 1);
    while (slots[at].hash &&
           (slots[at].hash != hash || memcmp(&slots[at].shape, shape, sizeof *shape) != 0))
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

static void forget(nw_memo *memo)
{
    free(memo->slots);
    memo->slots = NULL;
    memo->n_slots = memo->n_used = 0;
}

static void make_room(nw_memo *memo)
{
    if (2 * (memo->n_used + 1) <= memo->n_slots)
        return;
    size_t n_slots = memo->n_slots ? 2 * memo->n_slots : 512;
    slot *slots = nw_zalloc(n_slots * sizeof *slots);
    for (size_t i = 0; i < memo->n_slots; i++)
        if (memo->slots[i].hash)
            *find_slot(slots, n_slots, memo->slots[i].hash, &memo->slots[i].shape) = memo->slots[i];
    free(memo->slots);
    memo->slots = slots;
    memo->n_slots = n_slots;
}

static void remember(nw_memo *memo, uint64_t hash, const nw_kernel_shape *shape,
                     const nw_kernel_latency *latency)
{
    make_room(memo);
    slot *s = find_slot(memo->slots, memo->n_slots, hash, shape);
    memo->n_used += !s->hash;
    *s = (slot){hash, *shape, *latency};
}

void nw_estimator_forget(const nw_estimator *estimator)
{
    if (!estimator->memo)
        return;
    pthread_mutex_lock(&estimator->memo->lock);
    forget(estimator->memo);
    nw_costs_forget(&estimator->memo->costs);
    pthread_mutex_unlock(&estimator->memo->lock);
}

void nw_estimator_costs(const nw_estimator *estimator, const nw_hw *hw,
                        const nw_kernel_shape *const *shapes, int n, nw_device_cost *out)
{
    if (!estimator->memo) {
        for (int i = 0; i < n; i++)
            nw_device_estimate(hw, shapes[i], &out[i]);
        return;
    }
    nw_memo *memo = estimator->memo;
    int *misses = nw_alloc((size_t)n * sizeof *misses);
    pthread_mutex_lock(&memo->lock);
    int n_misses = nw_costs_look_up(&memo->costs, hw, shapes, n, out, misses);
    pthread_mutex_unlock(&memo->lock);
    for (int i = 0; i < n_misses; i++)
        nw_device_estimate(hw, shapes[misses[i]], &out[misses[i]]);
    if (n_misses) {
        pthread_mutex_lock(&memo->lock);
        nw_costs_remember(&memo->costs, hw, shapes, out, misses, n_misses);
        pthread_mutex_unlock(&memo->lock);
    }
    free(misses);
}

/* ---- asking ---- */

/* Kernels that nothing remembers, in the order of their groups. */
typedef struct miss {
    uint64_t hash;
    const nw_kernel_shape *shape;
    const nw_group *group; /* NULL: no model of this type */
    nw_kernel_latency latency;
} miss;

static int compare_misses(const void *a, const void *b)
{
    const miss *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return 0;
}

static const nw_group *group_of(const nw_regression *r, const nw_kernel_shape *shape)
{
    char name[64];
    return nw_regression_group(r, nw_row_group(shape, name, sizeof name));
}

static void predict_group(const nw_regression *r, const nw_hw *hw, miss *misses, int n)
{
    const nw_group *g = misses[0].group;
    int stride = NW_VALUE_COUNT;
    float *values = nw_alloc((size_t)n * (size_t)stride * sizeof *values);
    double *latency = nw_alloc((size_t)n * sizeof *latency);
    bool *is_outside = nw_zalloc((size_t)n * sizeof *is_outside);
    for (int i = 0; i < n; i++) {
        double all[NW_VALUE_COUNT];
        nw_row row;
        nw_row_from_shape(misses[i].shape, r->hw ? hw : NULL, &row);
        nw_row_values(&row, r->hw ? hw : NULL, all);
        for (int v = 0; v < stride; v++)
            values[(size_t)i * (size_t)stride + (size_t)v] = isfinite(all[v]) ? (float)all[v] : NAN;
    }
    nw_group_predict(g, values, stride, n, latency, is_outside);
    double ps = nw_regression_unit_us(r) * 1e6;
    for (int i = 0; i < n; i++) {
        double rounded = latency[i] * ps;
        misses[i].latency = (nw_kernel_latency){
            rounded < 0x1p62 ? llround(rounded) : INT64_MAX,
            isnan(g->report.spread) ? 0 : (float)g->report.spread, true, is_outside[i]};
    }
    free(values);
    free(latency);
    free(is_outside);
}

static void predict_misses(const nw_regression *r, const nw_hw *hw, miss *misses, int n)
{
    qsort(misses, (size_t)n, sizeof *misses, compare_misses);
    for (int i = 0; i < n;) {
        int end = i + 1;
        while (end < n && misses[end].group == misses[i].group)
            end++;
        if (misses[i].group)
            predict_group(r, hw, misses + i, end - i);
        i = end;
    }
}

/* Known from the start: a view is free, an opaque operator has no cost. */
static bool is_settled(const nw_kernel_shape *shape, nw_kernel_latency *out)
{
    nw_kernel_kind kind = shape->n_parts > 0 ? shape->parts[0].kind : NW_KERNEL_OPAQUE;
    *out = (nw_kernel_latency){.is_known = kind == NW_KERNEL_VIEW};
    return kind == NW_KERNEL_VIEW || kind == NW_KERNEL_OPAQUE;
}

/* What memory knows goes to out; the rest to misses, at[] saying where it belongs. */
static int look_up(nw_memo *memo, const nw_kernel_shape *const *shapes, int n,
                   nw_kernel_latency *out, miss **misses, int **at)
{
    int n_misses = 0;
    pthread_mutex_lock(&memo->lock);
    if (memo->n_used >= MAX_REMEMBERED) /* between networks only: what one adds it finds again */
        forget(memo);
    make_room(memo);
    for (int i = 0; i < n; i++) {
        if (is_settled(shapes[i], &out[i]))
            continue;
        uint64_t hash = nw_shape_hash(shapes[i]);
        const slot *s = find_slot(memo->slots, memo->n_slots, hash, shapes[i]);
        if (s->hash) {
            out[i] = s->latency;
            continue;
        }
        if (!n_misses) {
            *misses = nw_alloc((size_t)n * sizeof **misses);
            *at = nw_alloc((size_t)n * sizeof **at);
        }
        (*misses)[n_misses] = (miss){.hash = hash, .shape = shapes[i]};
        (*at)[n_misses++] = i;
    }
    pthread_mutex_unlock(&memo->lock);
    return n_misses;
}

/* Kernels that repeat in one network are asked for once: moves the distinct ones to the front. */
static int make_distinct(const nw_regression *r, miss *misses, int n)
{
    nw_memo seen = {.slots = NULL};
    int n_distinct = 0;
    for (int i = 0; i < n; i++) {
        make_room(&seen);
        slot *s = find_slot(seen.slots, seen.n_slots, misses[i].hash, misses[i].shape);
        if (s->hash)
            continue;
        *s = (slot){.hash = misses[i].hash, .shape = *misses[i].shape};
        seen.n_used++;
        misses[n_distinct] = misses[i];
        misses[n_distinct].group = group_of(r, misses[i].shape);
        n_distinct++;
    }
    forget(&seen);
    return n_distinct;
}

static void ask_regression(const nw_estimator *e, const nw_hw *hw,
                           const nw_kernel_shape *const *shapes, int n, nw_kernel_latency *out)
{
    nw_memo *memo = e->memo;
    miss *misses = NULL;
    int *at = NULL, n_misses = look_up(memo, shapes, n, out, &misses, &at);
    if (!n_misses)
        return;
    int n_distinct = make_distinct(e->regression, misses, n_misses);
    predict_misses(e->regression, hw, misses, n_distinct);
    pthread_mutex_lock(&memo->lock);
    for (int i = 0; i < n_distinct; i++)
        remember(memo, misses[i].hash, misses[i].shape, &misses[i].latency);
    for (int i = 0; i < n_misses; i++) {
        const nw_kernel_shape *shape = shapes[at[i]];
        out[at[i]] = find_slot(memo->slots, memo->n_slots, nw_shape_hash(shape), shape)->latency;
    }
    pthread_mutex_unlock(&memo->lock);
    free(misses);
    free(at);
}

void nw_estimator_latencies(const nw_estimator *e, const nw_hw *hw,
                            const nw_kernel_shape *const *shapes, int n, nw_kernel_latency *out)
{
    if (e->regression) {
        ask_regression(e, hw, shapes, n, out);
        return;
    }
    for (int i = 0; i < n; i++) {
        nw_device_cost cost;
        nw_device_estimate(hw, shapes[i], &cost);
        out[i] = (nw_kernel_latency){.latency_ps = cost.latency_ps, .is_known = cost.is_known};
    }
}

/* ---- finding ---- */

static const nw_estimator device = {
    .name = "device", .source = "the simulated device on the hardware description", .path = ""};

const nw_estimator *nw_estimator_device(void)
{
    return &device;
}

static shared_estimator *shared_of(const nw_estimator *estimator)
{
    return (shared_estimator *)(uintptr_t)estimator; /* its first member */
}

const nw_estimator *nw_estimator_retain(const nw_estimator *estimator)
{
    if (estimator->memo)
        atomic_fetch_add(&shared_of(estimator)->n_users, 1);
    return estimator;
}

void nw_estimator_release(const nw_estimator *estimator)
{
    if (!estimator || !estimator->memo || atomic_fetch_sub(&shared_of(estimator)->n_users, 1) > 1)
        return;
    shared_estimator *s = shared_of(estimator);
    if (s->estimator.regression)
        nw_regression_release(s->estimator.regression);
    forget(&s->memo);
    nw_costs_forget(&s->memo.costs);
    pthread_mutex_destroy(&s->memo.lock);
    free((char *)(uintptr_t)s->estimator.path);
    free(s);
}

static nw_status check_model(const nw_regression *r, const nw_hw *hw, const char *path,
                             nw_error *err)
{
    char clean[64], other[64];
    if (nw_regression_unit_us(r) <= 0)
        return nw_fail(err, NW_INVALID, path,
                       "predicts %s, which has no unit of time in its name; an estimator's target "
                       "ends in _us, _ms, _ns or _s",
                       r->report.target);
    if (!r->group_column || strcmp(r->group_column, "kernel") != 0)
        return nw_fail(err, NW_INVALID, path,
                       "predicts the rows of a table by its column %s; to estimate networks, fit a "
                       "table with the columns of nasw measure",
                       r->group_column ? r->group_column : "(none)");
    if (!r->hw)
        return NW_OK;
    char *trained = nw_hw_figures(r->hw), *asked = nw_hw_figures(hw);
    bool is_same = strcmp(trained, asked) == 0;
    free(trained);
    free(asked);
    if (is_same)
        return NW_OK;
    return nw_fail(err, NW_INVALID, path,
                   "was trained for %s with other figures than %s has; measure and fit again, or "
                   "use --estimator device",
                   nw_text_visible(r->hw->name, clean, sizeof clean),
                   nw_text_visible(hw->name, other, sizeof other));
}

static shared_estimator *new_shared(void)
{
    shared_estimator *s = nw_zalloc(sizeof *s);
    pthread_mutex_init(&s->memo.lock, NULL);
    atomic_init(&s->n_users, 1);
    return s;
}

/* The device, with a memory. */
static const nw_estimator *wrap_device(void)
{
    shared_estimator *s = new_shared();
    s->estimator = device;
    s->estimator.path = nw_zalloc(1);
    s->estimator.memo = &s->memo;
    return &s->estimator;
}

const nw_estimator *nw_estimator_remembering(const nw_estimator *estimator)
{
    return estimator->memo ? nw_estimator_retain(estimator) : wrap_device();
}

bool nw_estimator_is_same(const nw_estimator *a, const nw_estimator *b)
{
    return a == b || a->regression == b->regression;
}

static const nw_estimator *wrap(nw_regression *r, const char *path)
{
    shared_estimator *s = new_shared();
    const nw_fit_report *p = &r->report;
    char *copy = nw_alloc(strlen(path) + 1);
    memcpy(copy, path, strlen(path) + 1);
    snprintf(s->source, sizeof s->source, "XGBoost on %d measurements of %s, %s%s%s", p->n_rows,
             *p->device ? p->device : p->file, *p->source ? p->source : "source not given",
             *p->date ? ", " : "", p->date);
    s->estimator = (nw_estimator){"regression", s->source, copy, r, &s->memo};
    return &s->estimator;
}

nw_status nw_estimator_of(const nw_regression *regression, const char *path, const nw_hw *hw,
                          const nw_estimator **out, nw_error *err)
{
    nw_status status = check_model(regression, hw, path, err);
    if (status == NW_OK)
        *out = wrap(nw_regression_retain(regression), path);
    return status;
}

static nw_status open_file(const char *path, const nw_hw *hw, const nw_estimator **out,
                           nw_error *err)
{
    nw_regression *r;
    nw_status status = nw_regression_load(path, &r, err);
    if (status != NW_OK)
        return status;
    status = check_model(r, hw, path, err);
    if (status == NW_OK)
        *out = wrap(r, path);
    else
        nw_regression_release(r);
    return status;
}

/* The first .../estimators/NAME.json beside a folder .../hw of the path; empty: there is none. */
static void find_file(const char *hw_name, const char *search_path, nw_buf *out)
{
    for (const char *at = search_path; at && *at; at += *at == ':') {
        size_t length = strcspn(at, ":");
        bool is_hw = length >= 3 && strncmp(at + length - 3, "/hw", 3) == 0;
        nw_buf_clear(out);
        if (is_hw && !strchr(hw_name, '/')) {
            nw_buf_printf(out, "%.*s/estimators/%s.json", (int)length - 3, at, hw_name);
            if (access(nw_buf_text(out), R_OK) == 0)
                return;
        }
        at += length;
        nw_buf_clear(out);
    }
}

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

void nw_estimator_find_file(const char *name, const nw_hw *hw, const char *search_path, nw_buf *out)
{
    if (name && is_path(name))
        nw_buf_puts(out, name);
    else if (!name || strcmp(name, "regression") == 0)
        find_file(hw->name, search_path, out);
}

nw_status nw_estimator_open(const char *name, const nw_hw *hw, const char *search_path,
                            const nw_estimator **out, char *note, size_t size, nw_error *err)
{
    char clean[64];
    if (note && size)
        note[0] = '\0';
    if (name && strcmp(name, "device") == 0) {
        *out = wrap_device();
        return NW_OK;
    }
    if (name && is_path(name))
        return open_file(name, hw, out, err);
    if (name && strcmp(name, "regression") != 0)
        return nw_fail(err, NW_INVALID, "--estimator",
                       "%s: no such estimator; there are regression, device, and files of nasw fit",
                       nw_text_visible(name, clean, sizeof clean));
    nw_buf path = {0};
    nw_error own;
    find_file(hw->name, search_path, &path);
    nw_status status = NW_OK;
    bool is_there = path.length > 0;
    if (!is_there)
        status = nw_fail(&own, NW_INVALID, "--estimator regression",
                         "there is none for %s; make one: nasw measure --hw F -o M.csv, nasw fit "
                         "M.csv --hw F --target latency_us -o E.json; or use --estimator device",
                         nw_text_visible(hw->name, clean, sizeof clean));
    else
        status = open_file(nw_buf_text(&path), hw, out, &own);
    nw_buf_fini(&path);
    if (status != NW_OK && !name) { /* nobody asked for it */
        if (note && is_there)
            snprintf(note, size, "%s: %s", own.where, own.message);
        *out = wrap_device();
        return NW_OK;
    }
    if (status != NW_OK && err)
        *err = own;
    return status;
}

/* ---- bands ---- */

static double square(double x)
{
    return x * x;
}

/* Distinct kernels of an estimate, by their bytes. */
typedef struct counted {
    const nw_kernel_shape *shape;
    const nw_kernel_latency *latency;
    int count;
} counted;

static int compare_counted(const void *a, const void *b)
{
    return memcmp(((const counted *)a)->shape, ((const counted *)b)->shape,
                  sizeof(nw_kernel_shape));
}

/* Adds the estimate's kernels, each `sign` times. */
static int add_kernels(const nw_estimate *e, int sign, counted *list, int n)
{
    for (int i = 0; i < e->kernels->n_kernels; i++)
        if (e->latencies[i].is_known)
            list[n++] = (counted){&e->kernels->kernels[i].shape, &e->latencies[i], sign};
    return n;
}

static double find_unit(counted *list, int n)
{
    double sum = 0, squares = 0;
    qsort(list, (size_t)n, sizeof *list, compare_counted);
    for (int i = 0; i < n;) {
        int count = 0, end = i;
        for (; end < n && compare_counted(&list[i], &list[end]) == 0; end++)
            count += list[end].count;
        double ps = (double)list[i].latency->latency_ps;
        sum += abs(count) * ps;
        squares += square(count * ps * (double)list[i].latency->spread);
        i = end;
    }
    return nw_band_unit(sum, squares);
}

static int64_t shift(int64_t value, double by)
{
    double moved = (double)value + by;
    return moved >= 0x1p62 ? INT64_MAX : moved <= -0x1p62 ? INT64_MIN : llround(moved);
}

void nw_estimate_find_band(nw_estimate *e)
{
    const nw_regression *r = e->estimator->regression;
    e->low_ps = e->high_ps = e->latency_ps;
    e->has_band = r && r->report.total.n > 0;
    if (!e->has_band)
        return;
    counted *list = nw_alloc(((size_t)e->kernels->n_kernels + 1) * sizeof *list);
    double unit =
        find_unit(list, add_kernels(e, 1, list, 0)) * (r->report.has_totals ? r->report.a : 1);
    free(list);
    e->low_ps = shift(e->latency_ps, fmin(0, r->report.total.low) * unit);
    e->high_ps = shift(e->latency_ps, fmax(0, r->report.total.high) * unit);
}

nw_difference nw_estimate_difference(const nw_estimate *a, const nw_estimate *b)
{
    const nw_regression *r = a->estimator->regression;
    nw_difference d = {.latency_ps = b->latency_ps - a->latency_ps};
    d.low_ps = d.high_ps = d.latency_ps;
    d.has_band =
        r && nw_estimator_is_same(a->estimator, b->estimator) && r->report.difference.n > 0;
    if (!d.has_band)
        return d;
    size_t room = (size_t)a->kernels->n_kernels + (size_t)b->kernels->n_kernels + 1;
    counted *list = nw_alloc(room * sizeof *list);
    int n = add_kernels(b, -1, list, add_kernels(a, 1, list, 0));
    double unit = find_unit(list, n) * (r->report.has_totals ? r->report.a : 1);
    free(list);
    d.low_ps = shift(d.latency_ps, fmin(0, r->report.difference.low) * unit);
    d.high_ps = shift(d.latency_ps, fmax(0, r->report.difference.high) * unit);
    return d;
}
