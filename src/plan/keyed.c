/* keyed.c - a hash map that is read without locks.
 *
 * Slots hold pointers to nodes that never move. When they get full, a wider array takes their
 * place; readers may still be in the old one, which is kept: all of them together are as large as
 * the newest.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

#define CHUNK_NODES 64

typedef struct nw_keyed_slots {
    size_t n; /* a power of two */
    struct nw_keyed_slots *older;
    _Atomic(const uint64_t *) nodes[];
} nw_keyed_slots;

typedef struct nw_keyed_chunk {
    struct nw_keyed_chunk *next;
    void *memory;
    char *nodes; /* in lines of the cache */
    size_t n_used;
} nw_keyed_chunk;

void nw_keyed_init(nw_keyed *map, size_t node_bytes)
{
    *map = (nw_keyed){.node_bytes = node_bytes};
    atomic_init(&map->slots, NULL);
}

void nw_keyed_fini(nw_keyed *map)
{
    nw_keyed_slots *slots = atomic_load(&map->slots);
    while (slots) {
        nw_keyed_slots *older = slots->older;
        free(slots);
        slots = older;
    }
    while (map->chunks) {
        nw_keyed_chunk *next = map->chunks->next;
        free(map->chunks->memory);
        free(map->chunks);
        map->chunks = next;
    }
    atomic_store(&map->slots, NULL);
}

static size_t start_of(const nw_keyed_slots *slots, const uint64_t *key)
{
    uint64_t x = key[0] * 0x9e3779b97f4a7c15u ^
                 (key[1] + (key[2] ^ (key[3] << 24 | key[3] >> 40)) * 0xbf58476d1ce4e5b9u);
    x = (x ^ (x >> 32)) * 0x94d049bb133111ebu;
    return (size_t)(x ^ (x >> 29)) & (slots->n - 1);
}

static bool is_key(const uint64_t *node, const uint64_t *key)
{
    return node[0] == key[0] && node[1] == key[1] && node[2] == key[2] && node[3] == key[3];
}

const void *nw_keyed_find(const nw_keyed *map, const uint64_t *key)
{
    const nw_keyed_slots *slots = atomic_load_explicit(&map->slots, memory_order_acquire);
    if (!slots)
        return NULL;
    for (size_t at = start_of(slots, key);; at = (at + 1) & (slots->n - 1)) {
        const uint64_t *node = atomic_load_explicit(&slots->nodes[at], memory_order_acquire);
        if (!node || is_key(node, key))
            return node;
    }
}

static void put(nw_keyed_slots *slots, const uint64_t *node)
{
    size_t at = start_of(slots, node);
    while (atomic_load_explicit(&slots->nodes[at], memory_order_relaxed))
        at = (at + 1) & (slots->n - 1);
    atomic_store_explicit(&slots->nodes[at], node, memory_order_release);
}

static void widen(nw_keyed *map)
{
    nw_keyed_slots *old = atomic_load(&map->slots);
    size_t n = old ? 2 * old->n : 64;
    nw_keyed_slots *slots = nw_zalloc(sizeof *slots + n * sizeof slots->nodes[0]);
    slots->n = n;
    slots->older = old;
    for (size_t i = 0; old && i < old->n; i++) {
        const uint64_t *node = atomic_load(&old->nodes[i]);
        if (node)
            put(slots, node);
    }
    map->n_bytes += n * sizeof slots->nodes[0];
    atomic_store_explicit(&map->slots, slots, memory_order_release);
}

void *nw_keyed_make(nw_keyed *map)
{
    if (!map->chunks || map->chunks->n_used == CHUNK_NODES) {
        nw_keyed_chunk *chunk = nw_zalloc(sizeof *chunk);
        chunk->memory = nw_zalloc(CHUNK_NODES * map->node_bytes + 63);
        chunk->nodes = (char *)(((uintptr_t)chunk->memory + 63) / 64 * 64);
        chunk->next = map->chunks;
        map->chunks = chunk;
        map->n_bytes += CHUNK_NODES * map->node_bytes;
    }
    return map->chunks->nodes + map->node_bytes * map->chunks->n_used++;
}

void nw_keyed_publish(nw_keyed *map, void *node)
{
    const nw_keyed_slots *slots = atomic_load(&map->slots);
    if (!slots || 2 * (map->n_used + 1) > slots->n)
        widen(map);
    map->n_used++;
    put(atomic_load(&map->slots), node);
}
