#include <stdio.h>
#include <stdlib.h>

#include "src/arch/group_internal.h"
#include "src/arch/internal.h"
#include "src/base/text.h"

/* A variable in an axis of a tensor. */
typedef struct place {
    int var;
    nw_tensor_id tensor;
    int axis;
    int64_t factor;
} place;

typedef struct places {
    place *list;
    size_t n, capacity, first; /* first: of the axis at hand */
    nw_tensor_id tensor;
    int axis;
} places;

static void add_place(void *ctx, int var, int64_t factor)
{
    places *p = ctx;
    for (size_t i = p->first; i < p->n; i++)
        if (p->list[i].var == var) {
            p->list[i].factor += factor;
            return;
        }
    p->list = nw_grow(p->list, p->n, &p->capacity, sizeof *p->list);
    p->list[p->n++] = (place){var, p->tensor, p->axis, factor};
}

static void add_tensor(nw_solver *s, nw_tensor_id tensor, places *p)
{
    int rank = s->first[tensor + 1] - s->first[tensor];
    for (int axis = 0; axis < rank; axis++) {
        nw_term term = nw_solve_term(s, tensor, axis);
        if (term == NW_TERM_NONE || term >= 0)
            continue;
        p->first = p->n;
        p->tensor = tensor;
        p->axis = axis;
        nw_term_walk(&s->terms, term, add_place, p);
    }
}

static void add_computed(nw_solver *s, nw_tensor_id tensor, places *p)
{
    if (tensor != NW_NONE && !s->graph->tensors[tensor].is_const)
        add_tensor(s, tensor, p);
}

/* Computed tensors in the order in which they are made, then constants. */
static size_t find_places(nw_solver *s, places *p)
{
    const nw_graph *graph = s->graph;
    for (int i = 0; i < graph->n_inputs; i++)
        add_computed(s, graph->inputs[i], p);
    for (int i = 0; i < graph->n_nodes; i++) {
        const nw_node *node = &graph->nodes[graph->order[i]];
        for (int k = 0; k < node->n_outputs; k++)
            add_computed(s, node->outputs[k], p);
    }
    size_t n_computed = p->n;
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        if (graph->tensors[id].is_const)
            add_tensor(s, id, p);
    for (size_t i = 0; i < s->n_uses; i++) {
        const nw_use *use = &s->uses[i];
        p->tensor = graph->nodes[use->node].inputs[use->input];
        p->axis = use->axis;
        p->first = p->n;
        nw_term_walk(&s->terms, use->term, add_place, p);
    }
    return n_computed;
}

static int64_t divisor_of(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* ---- texts ---- */

#define LOST "the network is too entangled to follow its channels"

static const char *keep_name(nw_groups *g, const char *raw)
{
    char clean[96], fitted[64];
    nw_text_visible(raw, clean, sizeof clean);
    return nw_arena_strdup(&g->arena, nw_text_fit(clean, fitted, sizeof fitted));
}

static const char *keep_why(nw_groups *g, nw_why why)
{
    static const char *const endings[] = {[NW_WHY_NEEDS] = "needs just this number",
                                          [NW_WHY_OPAQUE] = "is not understood",
                                          [NW_WHY_MIXES] = "mixes them with positions",
                                          [NW_WHY_PICKS] = "picks single ones",
                                          [NW_WHY_ORDER] = "puts them in another order",
                                          [NW_WHY_BROADCAST] = "spreads the only one over many"};
    char label[64], type[40], line[192];
    switch (why.kind) {
    case NW_WHY_FREE:
        return "";
    case NW_WHY_LIMIT:
        return LOST;
    case NW_WHY_INPUT:
    case NW_WHY_OUTPUT:
        snprintf(line, sizeof line, "%s '%s' of the network",
                 why.kind == NW_WHY_INPUT ? "input" : "output",
                 keep_name(g, g->graph->tensors[why.who].name));
        break;
    default:
        nw_text_visible(g->graph->nodes[why.who].file_type, type, sizeof type);
        nw_node_label(g->graph, why.who, label, sizeof label);
        snprintf(line, sizeof line, g->graph->nodes[why.who].name[0] ? "%s '%s' %s" : "%.0s%s %s",
                 type, label, endings[why.kind]);
        break;
    }
    return nw_arena_strdup(&g->arena, line);
}

/* ---- the list ---- */

static void find_groups(nw_groups *g, const places *p, size_t n_computed)
{
    size_t n_items = g->solver.terms.n_items;
    g->group_of = nw_alloc((n_items + 1) * sizeof *g->group_of);
    g->vars = nw_alloc((n_items + 1) * sizeof *g->vars);
    for (size_t i = 0; i < n_items; i++)
        g->group_of[i] = -1;
    for (size_t i = 0; i < n_computed; i++)
        if (g->group_of[p->list[i].var] < 0) {
            g->group_of[p->list[i].var] = g->n;
            g->vars[g->n++] = p->list[i].var;
        }
}

static void fill_groups(nw_groups *g, const places *p, size_t n_computed)
{
    g->list = nw_zalloc(((size_t)g->n + 1) * sizeof *g->list);
    for (size_t i = 0; i < p->n; i++) {
        int index = g->group_of[p->list[i].var];
        if (index < 0)
            continue;
        nw_channel_group *group = &g->list[index];
        if (i < n_computed) {
            if (!group->name) {
                group->name = keep_name(g, g->graph->tensors[p->list[i].tensor].name);
                group->multiple = p->list[i].factor;
            }
        }
        group->n_members++;
    }
    for (int i = 0; i < g->n; i++) {
        nw_channel_group *group = &g->list[i];
        const nw_term_item *var = &g->solver.terms.items[g->vars[i]];
        nw_why why = g->solver.terms.is_lost ? (nw_why){NW_WHY_LIMIT, 0} : var->why;
        group->n = var->size * group->multiple;
        group->is_fixed = why.kind != NW_WHY_FREE;
        group->why = keep_why(g, why);
        group->members =
            nw_arena_alloc(&g->arena, (size_t)group->n_members * sizeof *group->members);
        group->n_members = 0;
    }
}

static void fill_members(nw_groups *g, const places *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const place *at = &p->list[i];
        int index = g->group_of[at->var];
        if (index < 0)
            continue;
        nw_channel_group *group = &g->list[index];
        int64_t common = divisor_of(at->factor, group->multiple);
        int64_t size = g->graph->tensors[at->tensor].shape.dims[at->axis];
        group->members[group->n_members++] = (struct nw_group_member){
            .tensor = at->tensor,
            .axis = at->axis,
            .factor = at->factor / common,
            .divisor = group->multiple / common,
            .is_part = at->factor * g->solver.terms.items[at->var].size != size};
    }
}

nw_groups *nw_groups_find(const nw_graph *graph)
{
    nw_groups *g = nw_zalloc(sizeof *g);
    g->graph = graph;
    nw_solve(&g->solver, graph);
    places p = {.list = NULL};
    size_t n_computed = find_places(&g->solver, &p);
    find_groups(g, &p, n_computed);
    fill_groups(g, &p, n_computed);
    fill_members(g, &p);
    free(p.list);
    return g;
}

void nw_groups_free(nw_groups *g)
{
    if (!g)
        return;
    nw_solve_fini(&g->solver);
    nw_arena_fini(&g->arena);
    free(g->list);
    free(g->vars);
    free(g->group_of);
    free(g);
}

const nw_channel_group *nw_groups_list(const nw_groups *g, int *n)
{
    *n = g->n;
    return g->list;
}

/* ---- the group of a tensor ---- */

/* Different variables of a term, one after the other. In a product those that are fixed are as
 * good as numbers, where skips is set. */
static int count_vars(const nw_terms *t, nw_term term, bool skips, int *last)
{
    term = nw_term_resolve(t, term);
    if (term >= 0)
        return 0;
    const nw_term_item *item = &t->items[~term];
    if (item->kind == NW_TERM_VAR) {
        int n = *last != (int)~term && !(skips && item->why.kind != NW_WHY_FREE);
        *last = n ? (int)~term : *last;
        return n;
    }
    int n = 0;
    for (int i = 0; i < item->n; i++)
        n += count_vars(t, t->children[item->first + i], skips && item->kind == NW_TERM_PRODUCT,
                        last);
    return n;
}

static int find_vars(const nw_terms *t, nw_term term, int *last)
{
    int n = term == NW_TERM_NONE ? 0 : count_vars(t, term, true, last);
    return n || term == NW_TERM_NONE ? n : count_vars(t, term, false, last);
}

int nw_groups_of(const nw_groups *g, nw_tensor_id tensor, char *why, size_t size)
{
    const nw_solver *s = &g->solver;
    int rank = s->first[tensor + 1] - s->first[tensor], last = -1, n = 0;
    int c = rank > 0 ? nw_channel_axis(g->graph, rank) : 0;
    const char *text = s->terms.is_lost ? LOST
                       : rank > 0       ? "its sizes are no choice of any operator"
                                        : "it has no axes of known size";
    for (int i = 0; i <= rank && n == 0 && !s->terms.is_lost && rank > 0; i++) {
        nw_term term = nw_solve_term(s, tensor, i == 0 ? c : i - 1);
        n = find_vars(&s->terms, term, &last);
    }
    if (n == 1 && g->group_of[last] >= 0)
        return g->group_of[last];
    if (why && n > 1)
        snprintf(why, size, "it is put together from %d groups of channels", n);
    else if (why)
        snprintf(why, size, "%s", text);
    return -1;
}

int64_t nw_groups_number(const nw_groups *g, int group, nw_tensor_id tensor, int64_t channels)
{
    const nw_channel_group *list = &g->list[group];
    for (int i = 0; i < list->n_members; i++) {
        const struct nw_group_member *m = &list->members[i];
        int64_t n;
        if (m->tensor != tensor || m->is_part || __builtin_mul_overflow(channels, m->divisor, &n) ||
            n % m->factor)
            continue;
        n /= m->factor;
        return n % list->multiple ? 0 : n;
    }
    return 0;
}

/* ---- of an arch ---- */

const nw_groups *nw_arch_group_table(const nw_arch *arch)
{
    nw_arch *mine = (nw_arch *)arch; /* what follows from it, kept */
    nw_groups *found = atomic_load(&mine->groups);
    if (found)
        return found;
    nw_groups *fresh = nw_groups_find(nw_arch_graph(arch));
    if (atomic_compare_exchange_strong(&mine->groups, &found, fresh))
        return fresh;
    nw_groups_free(fresh);
    return found;
}

const nw_channel_group *nw_arch_groups(const nw_arch *arch, int *n)
{
    return nw_groups_list(nw_arch_group_table(arch), n);
}

int nw_arch_group_of(const nw_arch *arch, nw_tensor_id tensor, char *why, size_t size)
{
    return nw_groups_of(nw_arch_group_table(arch), tensor, why, size);
}
