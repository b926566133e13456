#include "src/arch/resize.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/text.h"

#define MAX_NUMBER ((int64_t)1 << 20) /* of one group: far beyond any network */
#define MAX_AXIS   ((int64_t)1 << 26) /* of what follows from it */

bool nw_resizer_changes(const nw_resizer *r, nw_term term)
{
    const nw_terms *t = &r->groups->solver.terms;
    if (term == NW_TERM_NONE)
        return false;
    term = nw_term_resolve(t, term);
    if (term >= 0)
        return false;
    const nw_term_item *item = &t->items[~term];
    if (item->kind == NW_TERM_VAR)
        return r->numbers[~term] != item->size;
    for (int i = 0; i < item->n; i++)
        if (nw_resizer_changes(r, t->children[item->first + i]))
            return true;
    return false;
}

/* ---- checks ---- */

static nw_status take_number(nw_resizer *r, const nw_resize *size)
{
    const nw_groups *g = r->groups;
    if (size->group < 0 || size->group >= g->n)
        return nw_fail(r->err, NW_INVALID, "channels", "there is no group %d of %d", size->group,
                       g->n);
    const nw_channel_group *group = &g->list[size->group];
    int64_t *number = &r->numbers[g->vars[size->group]];
    if (size->n == group->n)
        return NW_OK;
    if (group->is_fixed)
        return nw_fail(r->err, NW_INVALID, group->name, "its %" PRId64 " channels are fixed: %s",
                       group->n, group->why);
    if (size->n < 1 || size->n > MAX_NUMBER)
        return nw_fail(r->err, NW_INVALID, group->name,
                       "%" PRId64 " channels are not within 1..%" PRId64, size->n, MAX_NUMBER);
    if (size->n % group->multiple)
        return nw_fail(r->err, NW_INVALID, group->name,
                       "%" PRId64 " is no multiple of %" PRId64
                       ", which its groups of channels need; take %" PRId64,
                       size->n, group->multiple, (size->n / group->multiple + 1) * group->multiple);
    if (*number != group->n / group->multiple)
        return nw_fail(r->err, NW_INVALID, group->name, "is given two numbers, one is %" PRId64,
                       size->n);
    *number = size->n / group->multiple;
    return NW_OK;
}

static nw_status fail_shape(const nw_resizer *r, nw_tensor_id id, const char *text, int axis,
                            int64_t size)
{
    char name[64], clean[96];
    nw_text_visible(r->old->tensors[id].name, clean, sizeof clean);
    return nw_fail(r->err, NW_UNSUPPORTED, nw_text_fit(clean, name, sizeof name), text, axis, size);
}

/* All axes stay within what we handle, before memory is taken for them. */
static nw_status check_sizes(const nw_resizer *r)
{
    const nw_solver *s = &r->groups->solver;
    for (nw_tensor_id id = 0; id < r->old->n_tensors; id++)
        for (int axis = 0; axis < s->first[id + 1] - s->first[id]; axis++) {
            nw_term term = nw_solve_term(s, id, axis);
            if (nw_resizer_changes(r, term) && nw_term_eval(&s->terms, term, r->numbers) > MAX_AXIS)
                return fail_shape(r, id, "axis %d would be larger than %" PRId64 " elements", axis,
                                  MAX_AXIS);
        }
    return NW_OK;
}

/* Sealing followed the operators, the terms say what it should have found. */
static nw_status check_shapes(const nw_resizer *r)
{
    const nw_solver *s = &r->groups->solver;
    for (nw_tensor_id id = 0; id < r->old->n_tensors; id++) {
        const nw_shape *shape = &r->graph->tensors[id].shape;
        bool is_lost = shape->rank != s->first[id + 1] - s->first[id];
        for (int axis = 0; axis < shape->rank && !is_lost; axis++) {
            nw_term term = nw_solve_term(s, id, axis);
            if (term != NW_TERM_NONE &&
                nw_term_eval(&s->terms, term, r->numbers) != shape->dims[axis])
                return fail_shape(r, id,
                                  "a number in the file that it depends on cannot be followed: "
                                  "axis %d has %" PRId64 " elements",
                                  axis, shape->dims[axis]);
        }
        if (is_lost && nw_shape_is_known(&r->old->tensors[id].shape))
            return fail_shape(r, id, "it would have another rank than %d (%" PRId64 " axes)",
                              r->old->tensors[id].shape.rank, (int64_t)shape->rank);
    }
    return NW_OK;
}

/* ---- groups ---- */

static nw_status resize_all(nw_resizer *r)
{
    nw_status status = check_sizes(r);
    if (status != NW_OK)
        return status;
    r->graph = nw_graph_copy(r->old);
    nw_resizer_edit_constants(r);
    status = nw_resizer_write_numbers(r);
    if (status == NW_OK)
        status = nw_graph_seal(r->graph, NULL, 0, r->err);
    if (status == NW_OK)
        status = check_shapes(r);
    return status;
}

nw_status nw_resize_groups(const nw_groups *groups, const nw_resize *sizes, int n_sizes,
                           nw_graph **out, nw_error *err)
{
    const nw_terms *t = &groups->solver.terms;
    nw_resizer r = {.groups = groups, .old = groups->graph, .err = err};
    r.numbers = nw_alloc((t->n_items + 1) * sizeof *r.numbers);
    for (size_t i = 0; i < t->n_items; i++)
        r.numbers[i] = t->items[i].size;
    nw_status status = NW_OK;
    for (int i = 0; i < n_sizes && status == NW_OK; i++)
        status = take_number(&r, &sizes[i]);
    if (status == NW_OK)
        status = resize_all(&r);
    if (status == NW_OK)
        *out = r.graph;
    else
        nw_graph_free(r.graph);
    nw_names_fini(&r.names);
    free(r.numbers);
    return status;
}

/* ---- width ---- */

static int64_t common_multiple(int64_t a, int64_t b)
{
    int64_t x = a, y = b;
    while (y) {
        int64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

int64_t nw_group_divisible(const nw_channel_group *group, double factor, int64_t divisor)
{
    int64_t step = common_multiple(divisor < 1 ? 1 : divisor, group->multiple);
    double asked = (double)group->n * factor;
    if (group->n < step && factor <= 1)
        return group->n;
    if (!(asked < (double)MAX_NUMBER))
        return MAX_NUMBER / step * step;
    int64_t n = (int64_t)(asked + (double)step / 2) / step * step;
    n = n < step ? step : n;
    return (double)n < 0.9 * asked ? n + step : n;
}

nw_status nw_resize_width(const nw_groups *groups, double factor, int64_t divisor, nw_graph **out,
                          nw_error *err)
{
    if (!(factor > 0 && factor <= 1024) || divisor < 1 || divisor > 65536)
        return nw_fail(err, NW_INVALID, "width",
                       "a factor of %g rounded to multiples of %" PRId64
                       " makes no sense; take 0.5 and 8, for example",
                       factor, divisor);
    nw_resize *sizes = nw_alloc(((size_t)groups->n + 1) * sizeof *sizes);
    int n = 0;
    for (int i = 0; i < groups->n; i++)
        if (!groups->list[i].is_fixed)
            sizes[n++] = (nw_resize){i, nw_group_divisible(&groups->list[i], factor, divisor)};
    nw_status status =
        n ? nw_resize_groups(groups, sizes, n, out, err)
          : nw_fail(err, NW_INVALID, "width", "no channels of this network may change%s%s",
                    groups->n ? ": " : "", groups->n ? groups->list[0].why : "");
    free(sizes);
    return status;
}
