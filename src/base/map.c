#include "src/base/map.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

typedef struct nw_map_slot {
    const char *key; /* NULL: empty */
    uint64_t hash;
    int32_t value;
} nw_map_slot;

uint64_t nw_hash(const void *bytes, size_t n_bytes)
{
    const uint8_t *s = bytes;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n_bytes; i++)
        hash = (hash ^ s[i]) * 0x100000001b3u;
    hash ^= hash >> 32; /* FNV mixes upwards only; the map masks the low bits */
    return hash * 0x9e3779b97f4a7c15u;
}

static nw_map_slot *find_slot(const nw_map *map, const char *key, uint64_t hash)
{
    size_t mask = map->n_slots - 1;
    size_t i = (size_t)(hash >> 20) & mask;
    while (map->slots[i].key && (map->slots[i].hash != hash || strcmp(map->slots[i].key, key) != 0))
        i = (i + 1) & mask;
    return &map->slots[i];
}

int32_t nw_map_get(const nw_map *map, const char *key)
{
    if (!map->n_slots)
        return NW_MAP_NONE;
    const nw_map_slot *slot = find_slot(map, key, nw_hash(key, strlen(key)));
    return slot->key ? slot->value : NW_MAP_NONE;
}

static void enlarge(nw_map *map)
{
    nw_map old = *map;
    map->n_slots = old.n_slots ? 2 * old.n_slots : 64;
    map->slots = nw_zalloc(map->n_slots * sizeof *map->slots);
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].key)
            *find_slot(map, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

int32_t nw_map_put(nw_map *map, const char *key, int32_t value)
{
    if (4 * (map->n_used + 1) > 3 * map->n_slots)
        enlarge(map);
    uint64_t hash = nw_hash(key, strlen(key));
    nw_map_slot *slot = find_slot(map, key, hash);
    int32_t old = slot->key ? slot->value : NW_MAP_NONE;
    if (!slot->key)
        map->n_used++;
    *slot = (nw_map_slot){.key = key, .hash = hash, .value = value};
    return old;
}

void nw_map_fini(nw_map *map)
{
    free(map->slots);
    *map = (nw_map){0};
}
