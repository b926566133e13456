/* recipe.c - many edits, each taken only where it helps on top of those before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/advise/internal.h"
#include "src/base/arena.h"

/* The network as it stands. */
typedef struct cook {
    nw_subject now; /* arch retained */
    nw_estimate estimate;
    nw_counts counts;
    nw_recipe *recipe;
    size_t step_capacity, edit_capacity;
} cook;

static nw_status stand_on(cook *k, const nw_arch *arch, nw_error *err)
{
    nw_estimate estimate;
    nw_status status = nw_estimate_graph(k->now.estimator, nw_arch_graph(arch), k->now.hw,
                                         k->now.precision, &estimate, err);
    if (status != NW_OK)
        return status;
    if (k->estimate.kernels)
        nw_estimate_fini(&k->estimate);
    k->estimate = estimate;
    nw_arch_release(k->now.arch);
    k->now.arch = nw_arch_retain(arch);
    nw_graph_count(nw_arch_graph(arch), &k->counts);
    return NW_OK;
}

static nw_recipe_step *add_step(cook *k, const nw_candidate *c, const nw_effect *effect)
{
    nw_recipe *r = k->recipe;
    r->steps = nw_grow(r->steps, (size_t)r->n_steps, &k->step_capacity, sizeof *r->steps);
    nw_recipe_step *step = &r->steps[r->n_steps++];
    *step = (nw_recipe_step){.edit = c->edit, .effect = *effect};
    memcpy(step->label, c->label, sizeof step->label);
    return step;
}

/* Tries several ways to change one thing and takes the fastest, if it helps. */
static nw_status try_all(cook *k, const nw_candidate_list *ways, nw_error *err)
{
    const nw_arch *best = NULL;
    size_t chosen = 0;
    nw_effect effect = {.fits = true};
    char refusal[160] = "";
    for (size_t i = 0; i < ways->n; i++) {
        const nw_arch *after;
        nw_effect one;
        nw_error no;
        const nw_candidate *c = &ways->items[i];
        if (*c->why) {
            memcpy(refusal, c->why, sizeof refusal);
            continue;
        }
        if (nw_effect_beside(&k->now, &k->estimate, &k->counts, &c->edit, 1, &one, &after, &no) !=
            NW_OK) {
            snprintf(refusal, sizeof refusal, "%.*s", (int)sizeof refusal - 1, no.message);
            continue;
        }
        if (best && one.latency.latency_ps >= effect.latency.latency_ps) {
            nw_arch_release(after);
            continue;
        }
        nw_arch_release(best);
        best = after;
        effect = one;
        chosen = i;
    }
    if (!ways->n)
        return NW_OK;
    nw_recipe_step *step = add_step(k, &ways->items[chosen], &effect);
    step->is_taken = best && nw_effect_helps(&effect, &k->estimate);
    if (!best)
        snprintf(step->why, sizeof step->why, "%s", refusal);
    else if (!step->is_taken)
        snprintf(step->why, sizeof step->why, "%s",
                 !effect.fits && k->estimate.fits ? "does not fit the hardware"
                 : effect.latency.latency_ps < 0  ? "below what this estimator can tell"
                                                  : "not faster");
    nw_status status = NW_OK;
    if (step->is_taken) {
        nw_recipe *r = k->recipe;
        r->edits = nw_grow(r->edits, (size_t)r->n_edits, &k->edit_capacity, sizeof *r->edits);
        r->edits[r->n_edits++] = step->edit;
        status = stand_on(k, best, err);
    }
    nw_arch_release(best);
    return status;
}

/* ---- what to try on a block ---- */

static void ways_to_fuse(const cook *k, const nw_block *block, nw_candidate_list *out)
{
    nw_candidate_list all = {NULL, 0, 0};
    if (block->kind == NW_BLOCK_IBN)
        nw_candidates_variant(k->now.arch, block, false, &all);
    for (size_t i = 0; i < all.n; i++) {
        if (all.items[i].edit.block != NW_BLOCK_FUSED)
            continue;
        out->items = nw_grow(out->items, out->n, &out->capacity, sizeof *out->items);
        out->items[out->n++] = all.items[i];
    }
    free(all.items);
}

/* A network that loses more than a third of its channels is another one: nothing to do in passing.
 */
static void drop_large_losses(int64_t now, nw_candidate_list *ways)
{
    size_t kept = 0;
    for (size_t i = 0; i < ways->n; i++)
        if (3 * ways->items[i].edit.count >= 2 * now)
            ways->items[kept++] = ways->items[i];
    ways->n = kept;
}

static void ways_to_align(const cook *k, const nw_block *block, nw_candidate_list *out)
{
    if (block->out_c % nw_align_step(k->now.hw) && nw_block_has_channels(block))
        nw_candidates_channels(k->now.arch, k->now.hw, block, out);
    drop_large_losses(block->out_c, out);
}

static void ways_to_align_inside(const cook *k, const nw_block *block, nw_candidate_list *out)
{
    if (nw_block_expands(block))
        nw_candidates_alignment(k->now.hw, block, out);
    drop_large_losses(block->mid_c, out);
}

static void ways_to_go_native(const cook *k, const nw_block *block, nw_candidate_list *out)
{
    nw_candidates_act(k->now.hw, block, out);
}

typedef void ways_of(const cook *k, const nw_block *block, nw_candidate_list *out);

static ways_of *const passes[][2] = {
    [NW_RECIPE_FUSE] = {ways_to_fuse, NULL},
    [NW_RECIPE_ALIGN] = {ways_to_align, ways_to_align_inside},
    [NW_RECIPE_NATIVE] = {ways_to_go_native, NULL},
};

/* ---- blocks, the dearest first ---- */

typedef struct target {
    int64_t cost_ps;
    int order, stage, index;
} target;

static int dearest_first(const void *a, const void *b)
{
    const target *x = a, *y = b;
    if (x->cost_ps != y->cost_ps)
        return x->cost_ps < y->cost_ps ? 1 : -1;
    return x->order - y->order;
}

static target *find_targets(const cook *k, int *n)
{
    const nw_block *blocks = nw_arch_blocks(k->now.arch, n);
    nw_block_cost *costs = nw_alloc(((size_t)*n + 1) * sizeof *costs);
    target *targets = nw_alloc(((size_t)*n + 1) * sizeof *targets);
    nw_block_costs(k->now.arch, k->now.hw, &k->estimate, costs);
    for (int i = 0; i < *n; i++)
        targets[i] = (target){costs[i].latency_ps, i, blocks[i].stage, blocks[i].index};
    qsort(targets, (size_t)*n, sizeof *targets, dearest_first);
    free(costs);
    return targets;
}

/* A group that was tried through one of its blocks is not tried through another. */
static bool was_tried(const cook *k, const nw_block *block, const nw_candidate_list *ways)
{
    if (!ways->n || ways->items[0].edit.kind != NW_EDIT_CHANNELS)
        return false;
    int group = nw_arch_group_of(k->now.arch, block->out, NULL, 0);
    for (int i = 0; i < k->recipe->n_steps && group >= 0; i++) {
        const nw_edit *edit = &k->recipe->steps[i].edit;
        char label[32];
        snprintf(label, sizeof label, "%d.%d", edit->where.first_stage, edit->where.index);
        const nw_block *other = nw_arch_find_block(k->now.arch, label);
        if (edit->kind == NW_EDIT_CHANNELS && other &&
            nw_arch_group_of(k->now.arch, other->out, NULL, 0) == group)
            return true;
    }
    return false;
}

static nw_status run_pass(cook *k, ways_of *ways_to, const nw_cancel *cancel, nw_error *err)
{
    int n;
    target *targets = find_targets(k, &n);
    nw_status status = NW_OK;
    for (int i = 0; i < n && status == NW_OK; i++) {
        char label[32];
        nw_candidate_list ways = {NULL, 0, 0};
        if (nw_cancel_is_set(cancel)) {
            status = nw_fail(err, NW_CANCELLED, "recipe", "stopped");
            break;
        }
        snprintf(label, sizeof label, "%d.%d", targets[i].stage, targets[i].index);
        const nw_block *block = nw_arch_find_block(k->now.arch, label);
        if (block)
            ways_to(k, block, &ways);
        if (ways.n && !was_tried(k, block, &ways))
            status = try_all(k, &ways, err);
        free(ways.items);
    }
    free(targets);
    return status;
}

nw_status nw_recipe_make(nw_recipe_kind kind, const nw_subject *subject,
                         const nw_estimate *estimate, const nw_cancel *cancel, nw_recipe *out,
                         nw_error *err)
{
    nw_recipe recipe = {.steps = NULL};
    cook k = {.now = *subject, .recipe = &recipe};
    nw_arch_retain(k.now.arch);
    nw_status status = stand_on(&k, subject->arch, err);
    for (int i = 0; i < 2 && passes[kind][i] && status == NW_OK; i++)
        status = run_pass(&k, passes[kind][i], cancel, err);
    if (status == NW_OK) {
        recipe.total =
            nw_effect_between(subject->hw, subject->arch, estimate, k.now.arch, &k.estimate);
        recipe.arch = k.now.arch;
        *out = recipe;
    } else {
        nw_arch_release(k.now.arch);
        free(recipe.steps);
        free(recipe.edits);
    }
    if (k.estimate.kernels)
        nw_estimate_fini(&k.estimate);
    return status;
}

void nw_recipe_fini(nw_recipe *recipe)
{
    nw_arch_release(recipe->arch);
    free(recipe->steps);
    free(recipe->edits);
    *recipe = (nw_recipe){.steps = NULL};
}
