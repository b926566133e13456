/* whatif.c - every edit one key away, evaluated one by one while others look on. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/advise/internal.h"
#include "src/base/arena.h"

#define MAX_BLOCKS 512 /* the dearest: the others hardly matter */

struct nw_whatif {
    atomic_int n_users;
    nw_subject subject;
    nw_estimate estimate;
    nw_counts counts;
    char *precision;
    pthread_mutex_t lock; /* over what follows */
    nw_whatif_row *rows;  /* in the order of evaluation */
    int n_rows, n_begun, n_ready;
};

/* ---- the list ---- */

/* What the making of a list knows. */
typedef struct maker {
    const nw_subject *subject;
    const nw_selector *where;
    const nw_block *blocks;
    int n_blocks;
    nw_block_cost *costs;
    nw_candidate_list list;
} maker;

static void set_cost(maker *m, size_t from, int64_t cost_ps)
{
    for (size_t i = from; i < m->list.n; i++)
        m->list.items[i].cost_ps = cost_ps;
}

/* Channels are changed by group: the first block of a group speaks for it. */
static bool is_first_of_group(const maker *m, int index, uint8_t *is_seen)
{
    int group = nw_arch_group_of(m->subject->arch, m->blocks[index].out, NULL, 0);
    if (group < 0)
        return true;
    bool is_first = !is_seen[group];
    is_seen[group] = 1;
    return is_first;
}

static void add_block(maker *m, int index, uint8_t *is_seen)
{
    const nw_block *block = &m->blocks[index];
    const nw_hw *hw = m->subject->hw;
    size_t from = m->list.n;
    if (!nw_block_has_channels(block))
        return;
    nw_candidates_variant(m->subject->arch, block, false, &m->list);
    if (is_first_of_group(m, index, is_seen))
        nw_candidates_channels(m->subject->arch, hw, block, &m->list);
    nw_candidates_expansion(hw, block, false, &m->list);
    nw_candidates_kernel(block, false, &m->list);
    nw_candidates_squeeze(block, &m->list);
    nw_candidates_act(hw, block, &m->list);
    nw_candidates_residual(block, &m->list);
    set_cost(m, from, m->costs[index].latency_ps);
}

/* Edits of all blocks of a kind in a stage, where there are several and they agree. */
static void add_stage(maker *m, int stage, const int *members, int n)
{
    int64_t stage_ps = 0;
    bool is_editable = false;
    size_t from = m->list.n;
    for (int kind = 0; kind < NW_BLOCK_COUNT; kind++) {
        const nw_block *first = NULL, *last = NULL;
        bool agrees_kernel = true, agrees_expansion = true;
        for (int i = 0; i < n; i++) {
            const nw_block *block = &m->blocks[members[i]];
            if ((int)block->kind != kind)
                continue;
            first = first ? first : block;
            last = block;
            agrees_kernel &= block->kernel == first->kernel;
            agrees_expansion &= block->expansion == first->expansion;
        }
        if (!first)
            continue;
        is_editable |= nw_block_kind_is_main(first->kind);
        if (last == first || kind == NW_BLOCK_CONV)
            continue;
        nw_candidates_variant(m->subject->arch, first, true, &m->list);
        if (agrees_expansion)
            nw_candidates_expansion(m->subject->hw, first, true, &m->list);
        if (agrees_kernel)
            nw_candidates_kernel(first, true, &m->list);
    }
    if (is_editable && (!m->where || m->where->index < 0))
        nw_candidates_depth(m->subject->arch, stage, &m->list);
    for (int i = 0; i < n; i++)
        stage_ps += m->costs[members[i]].latency_ps;
    set_cost(m, from, stage_ps);
}

static int by_stage(const void *a, const void *b)
{
    const nw_block *const *x = a, *const *y = b;
    if ((*x)->stage != (*y)->stage)
        return (*x)->stage - (*y)->stage;
    return (*x > *y) - (*x < *y);
}

static void add_stages(maker *m, const int *chosen, int n)
{
    const nw_block **sorted = nw_alloc(((size_t)n + 1) * sizeof *sorted);
    int *members = nw_alloc(((size_t)n + 1) * sizeof *members);
    for (int i = 0; i < n; i++)
        sorted[i] = &m->blocks[chosen[i]];
    qsort(sorted, (size_t)n, sizeof *sorted, by_stage);
    for (int i = 0; i < n;) {
        int n_members = 0, stage = sorted[i]->stage;
        for (; i < n && sorted[i]->stage == stage; i++)
            members[n_members++] = (int)(sorted[i] - m->blocks);
        add_stage(m, stage, members, n_members);
    }
    free(sorted);
    free(members);
}

/* One activation for the whole network, where several blocks have a dear one. */
static void add_everywhere(maker *m, const int *chosen, int n)
{
    int n_dear = 0;
    nw_op act = NW_OP_IDENTITY;
    int64_t cost_ps = 0;
    for (int i = 0; i < n; i++) {
        nw_op one = nw_block_dear_act(m->subject->hw, &m->blocks[chosen[i]]);
        if (one == NW_OP_IDENTITY)
            continue;
        n_dear++;
        act = one;
        cost_ps += m->costs[chosen[i]].latency_ps;
    }
    nw_op by = nw_act_replacement(m->subject->hw, act);
    if (n_dear < 2 || by == NW_OP_IDENTITY || m->where)
        return;
    nw_candidate c = {.cost_ps = cost_ps};
    nw_edit_init(&c.edit, NW_EDIT_ACT);
    c.edit.act = by;
    snprintf(c.label, sizeof c.label, "all activations -> %s", nw_op_name(by));
    m->list.items = nw_grow(m->list.items, m->list.n, &m->list.capacity, sizeof c);
    m->list.items[m->list.n++] = c;
}

static void make_candidates(maker *m)
{
    nw_ranked *order = nw_alloc(((size_t)m->n_blocks + 1) * sizeof *order);
    int *chosen = nw_alloc(((size_t)m->n_blocks + 1) * sizeof *chosen);
    int n = 0, n_groups;
    nw_arch_groups(m->subject->arch, &n_groups);
    uint8_t *is_seen = nw_zalloc((size_t)n_groups + 1);
    for (int i = 0; i < m->n_blocks; i++)
        if (!m->where || nw_selects(m->where, &m->blocks[i]))
            order[n++] = (nw_ranked){m->costs[i].latency_ps, i};
    qsort(order, (size_t)n, sizeof *order, nw_dearest_first);
    n = n < MAX_BLOCKS ? n : MAX_BLOCKS;
    for (int i = 0; i < n; i++) {
        chosen[i] = order[i].index;
        add_block(m, chosen[i], is_seen);
    }
    add_stages(m, chosen, n);
    add_everywhere(m, chosen, n);
    free(order);
    free(chosen);
    free(is_seen);
}

/* Rows by what their blocks cost now: those that can save most are evaluated first. */
static void make_rows(nw_whatif *list, const nw_candidate_list *candidates)
{
    size_t n = candidates->n;
    nw_ranked *order = nw_alloc((n + 1) * sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = (nw_ranked){candidates->items[i].cost_ps, (int)i};
    qsort(order, n, sizeof *order, nw_dearest_first);
    list->rows = nw_zalloc((n + 1) * sizeof *list->rows);
    list->n_rows = (int)n;
    for (size_t i = 0; i < n; i++) {
        const nw_candidate *c = &candidates->items[order[i].index];
        nw_whatif_row *row = &list->rows[i];
        row->edit = c->edit;
        memcpy(row->label, c->label, sizeof row->label);
        if (!*c->why)
            continue;
        row->state = NW_WHATIF_REFUSED;
        memcpy(row->why, c->why, sizeof row->why);
        list->n_ready++;
    }
    free(order);
}

nw_status nw_whatif_new(const nw_subject *subject, const nw_selector *where, nw_whatif **out,
                        nw_error *err)
{
    nw_estimate estimate;
    nw_status status = nw_estimate_graph(subject->estimator, nw_arch_graph(subject->arch),
                                         subject->hw, subject->precision, &estimate, err);
    if (status != NW_OK)
        return status;
    nw_whatif *list = nw_zalloc(sizeof *list);
    atomic_init(&list->n_users, 1);
    pthread_mutex_init(&list->lock, NULL);
    list->estimate = estimate;
    list->subject = *subject;
    nw_arch_retain(subject->arch);
    nw_estimator_retain(subject->estimator);
    if (subject->precision) {
        size_t size = strlen(subject->precision) + 1;
        list->precision = memcpy(nw_alloc(size), subject->precision, size);
        list->subject.precision = list->precision;
    }
    nw_graph_count(nw_arch_graph(subject->arch), &list->counts);
    maker m = {.subject = &list->subject, .where = where};
    m.blocks = nw_arch_blocks(subject->arch, &m.n_blocks);
    m.costs = nw_alloc(((size_t)m.n_blocks + 1) * sizeof *m.costs);
    nw_block_costs(subject->arch, subject->hw, &list->estimate, m.costs);
    make_candidates(&m);
    make_rows(list, &m.list);
    free(m.costs);
    free(m.list.items);
    *out = list;
    return NW_OK;
}

nw_whatif *nw_whatif_retain(nw_whatif *list)
{
    atomic_fetch_add(&list->n_users, 1);
    return list;
}

void nw_whatif_release(nw_whatif *list)
{
    if (!list || atomic_fetch_sub(&list->n_users, 1) > 1)
        return;
    nw_estimate_fini(&list->estimate);
    nw_arch_release(list->subject.arch);
    nw_estimator_release(list->subject.estimator);
    pthread_mutex_destroy(&list->lock);
    free(list->precision);
    free(list->rows);
    free(list);
}

/* ---- evaluation ---- */

int nw_whatif_n(const nw_whatif *list)
{
    return list->n_rows;
}

/* The lock is no part of what a const list promises not to change. */
static pthread_mutex_t *lock_of(const nw_whatif *list)
{
    return &((nw_whatif *)(uintptr_t)list)->lock;
}

int nw_whatif_n_ready(const nw_whatif *list)
{
    pthread_mutex_lock(lock_of(list));
    int n = list->n_ready;
    pthread_mutex_unlock(lock_of(list));
    return n;
}

bool nw_whatif_step(nw_whatif *list)
{
    nw_edit edit;
    nw_effect effect = {.fits = true};
    nw_error err;
    pthread_mutex_lock(&list->lock);
    while (list->n_begun < list->n_rows && list->rows[list->n_begun].state == NW_WHATIF_REFUSED)
        list->n_begun++;
    int index = list->n_begun < list->n_rows ? list->n_begun++ : -1;
    if (index >= 0)
        edit = list->rows[index].edit;
    pthread_mutex_unlock(&list->lock);
    if (index < 0)
        return false;
    nw_status status = nw_effect_beside(&list->subject, &list->estimate, &list->counts, &edit, 1,
                                        &effect, NULL, &err);
    pthread_mutex_lock(&list->lock);
    nw_whatif_row *row = &list->rows[index];
    row->state = status == NW_OK ? NW_WHATIF_DONE : NW_WHATIF_REFUSED;
    row->effect = effect;
    if (status != NW_OK)
        snprintf(row->why, sizeof row->why, "%.*s", (int)sizeof row->why - 1, err.message);
    list->n_ready++;
    pthread_mutex_unlock(&list->lock);
    return true;
}

nw_status nw_whatif_run(nw_whatif *list, const nw_cancel *cancel)
{
    do {
        if (nw_cancel_is_set(cancel))
            return NW_CANCELLED;
    } while (nw_whatif_step(list));
    return NW_OK;
}

/* ---- looking on ---- */

typedef struct view {
    int state, index;
    int64_t difference_ps;
} view;

static int best_first(const void *a, const void *b)
{
    static const int rank[] = {
        [NW_WHATIF_DONE] = 0, [NW_WHATIF_WAITING] = 1, [NW_WHATIF_REFUSED] = 2};
    const view *x = a, *y = b;
    if (x->state != y->state)
        return rank[x->state] - rank[y->state];
    if (x->difference_ps != y->difference_ps)
        return x->difference_ps < y->difference_ps ? -1 : 1;
    return x->index - y->index;
}

int nw_whatif_rows(const nw_whatif *list, nw_whatif_row *out, int max)
{
    int n = list->n_rows;
    view *order = nw_alloc(((size_t)n + 1) * sizeof *order);
    pthread_mutex_lock(lock_of(list));
    for (int i = 0; i < n; i++) {
        const nw_whatif_row *row = &list->rows[i];
        order[i] = (view){(int)row->state, i,
                          row->state == NW_WHATIF_DONE ? row->effect.latency.latency_ps : 0};
    }
    qsort(order, (size_t)n, sizeof *order, best_first);
    for (int i = 0; i < n && i < max; i++)
        out[i] = list->rows[order[i].index];
    pthread_mutex_unlock(lock_of(list));
    free(order);
    return n < max ? n : max;
}

const nw_arch *nw_whatif_arch(const nw_whatif *list)
{
    return list->subject.arch;
}

const nw_estimate *nw_whatif_estimate(const nw_whatif *list)
{
    return &list->estimate;
}
