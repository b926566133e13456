/* costs.c - what the description says of kernels, remembered between estimates.
 *
 * An edit changes a few kernels of a network; the costs of the others are looked up. They hold for
 * the description that they were made with, to the byte: another one begins anew.
 */
#include "src/estimator/costs.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

#define MAX_REMEMBERED ((size_t)1 << 13)

struct nw_cost_slot {
    uint64_t hash; /* 0: free */
    nw_kernel_shape shape;
    nw_device_cost cost;
};

/* Eight bytes at a time, in four lanes; a shape has no holes. */
uint64_t nw_shape_hash(const nw_kernel_shape *shape)
{
    enum { WORDS = sizeof *shape / 8 };
    _Static_assert(sizeof *shape % 8 == 0, "a shape is whole words");
    uint64_t words[WORDS], lane[4] = {1, 2, 3, 4};
    memcpy(words, shape, sizeof words);
    for (int i = 0; i < WORDS; i++) {
        uint64_t x = (lane[i & 3] ^ words[i]) * 0x9e3779b97f4a7c15u;
        lane[i & 3] = x ^ (x >> 29);
    }
    uint64_t hash = (lane[0] ^ lane[2] * 0xbf58476d1ce4e5b9u) + (lane[1] ^ lane[3]);
    hash = (hash ^ (hash >> 30)) * 0x94d049bb133111ebu;
    hash ^= hash >> 31;
    return hash ? hash : 1;
}

static nw_cost_slot *find_slot(nw_cost_slot *slots, size_t n_slots, uint64_t hash,
                               const nw_kernel_shape *shape)
{
    size_t at = (size_t)hash & (n_slots - 1);
    while (slots[at].hash &&
           (slots[at].hash != hash || memcmp(&slots[at].shape, shape, sizeof *shape) != 0))
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

void nw_costs_forget(nw_costs *costs)
{
    free(costs->slots);
    free(costs->old_slots);
    free(costs->hw);
    *costs = (nw_costs){0};
}

static void grow(nw_costs *costs)
{
    size_t n_slots = costs->n_slots ? 2 * costs->n_slots : 512;
    nw_cost_slot *slots = nw_zalloc(n_slots * sizeof *slots);
    for (size_t i = 0; i < costs->n_slots; i++)
        if (costs->slots[i].hash)
            *find_slot(slots, n_slots, costs->slots[i].hash, &costs->slots[i].shape) =
                costs->slots[i];
    free(costs->slots);
    costs->slots = slots;
    costs->n_slots = n_slots;
}

/* Begins anew for another description, and a generation when there are too many. */
static void settle(nw_costs *costs, const nw_hw *hw)
{
    bool is_known_hw = costs->hw && memcmp(costs->hw, hw, sizeof *hw) == 0;
    if (is_known_hw && costs->n_used <= MAX_REMEMBERED)
        return;
    if (is_known_hw) {
        free(costs->old_slots);
        costs->old_slots = costs->slots;
        costs->n_old_slots = costs->n_slots;
        costs->slots = NULL;
        costs->n_slots = costs->n_used = 0;
    } else {
        nw_costs_forget(costs);
        costs->hw = nw_alloc(sizeof *hw);
        memcpy(costs->hw, hw, sizeof *hw);
    }
    grow(costs);
}

static void add(nw_costs *costs, const nw_cost_slot *slot)
{
    if (2 * (costs->n_used + 1) > costs->n_slots)
        grow(costs);
    nw_cost_slot *at = find_slot(costs->slots, costs->n_slots, slot->hash, &slot->shape);
    costs->n_used += !at->hash;
    *at = *slot;
}

/* NULL: not remembered. */
static const nw_cost_slot *find(nw_costs *costs, const nw_kernel_shape *shape)
{
    uint64_t hash = nw_shape_hash(shape);
    const nw_cost_slot *slot = find_slot(costs->slots, costs->n_slots, hash, shape);
    if (slot->hash)
        return slot;
    slot = costs->n_old_slots ? find_slot(costs->old_slots, costs->n_old_slots, hash, shape) : slot;
    if (!slot->hash)
        return NULL;
    add(costs, slot);
    return slot;
}

int nw_costs_look_up(nw_costs *costs, const nw_hw *hw, const nw_kernel_shape *const *shapes, int n,
                     nw_device_cost *out, int *misses)
{
    int n_misses = 0;
    settle(costs, hw);
    for (int i = 0; i < n; i++) {
        const nw_cost_slot *slot = find(costs, shapes[i]);
        if (slot)
            out[i] = slot->cost;
        else
            misses[n_misses++] = i;
    }
    return n_misses;
}

void nw_costs_remember(nw_costs *costs, const nw_hw *hw, const nw_kernel_shape *const *shapes,
                       const nw_device_cost *known, const int *misses, int n_misses)
{
    settle(costs, hw);
    for (int i = 0; i < n_misses; i++) {
        const nw_kernel_shape *shape = shapes[misses[i]];
        nw_cost_slot slot = {nw_shape_hash(shape), *shape, known[misses[i]]};
        add(costs, &slot);
    }
}
