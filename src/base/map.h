/* map.h - a hash map from byte strings to int32, for names.
 *
 * Keys are borrowed: they must outlive the map. The hash has no seed, so a map behaves alike in
 * every run.
 */
#ifndef NW_MAP_H
#define NW_MAP_H

#include <stddef.h>
#include <stdint.h>

#define NW_MAP_NONE INT32_MIN

typedef struct nw_map {
    struct nw_map_slot *slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t n_used;
} nw_map;

/* The value of key, or NW_MAP_NONE. */
int32_t nw_map_get(const nw_map *map, const char *key);

/* Sets key's value; value must not be NW_MAP_NONE. Returns the old value or NW_MAP_NONE. */
int32_t nw_map_put(nw_map *map, const char *key, int32_t value);

void nw_map_fini(nw_map *map);

/* The hash behind the map (FNV-1a, 64 bits, finalised), for whoever needs one. */
uint64_t nw_hash(const void *bytes, size_t n_bytes);

#endif
