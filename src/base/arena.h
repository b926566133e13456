/* arena.h - memory: many small things freed at once, and allocation that cannot fail.
 *
 * Running out of memory ends the program (nw_die), so nothing here returns NULL. Sizes that come
 * from a file are checked against the file by its reader before they get here.
 */
#ifndef NW_ARENA_H
#define NW_ARENA_H

#include <stdbool.h>
#include <stddef.h>

void *nw_alloc(size_t n_bytes); /* not cleared; release with free() */
void *nw_zalloc(size_t n_bytes);
void *nw_realloc(void *old, size_t n_bytes);

/* Makes room for one more element in a growing array: returns the array, moved if need be, and
 * updates *capacity. */
void *nw_grow(void *array, size_t n_used, size_t *capacity, size_t element_bytes);

typedef struct nw_arena {
    struct nw_arena_block *blocks; /* newest first */
} nw_arena;

/* Zeroed memory, aligned to 16 bytes, that lives until nw_arena_fini. */
void *nw_arena_alloc(nw_arena *arena, size_t n_bytes);
char *nw_arena_strdup(nw_arena *arena, const char *text);
char *nw_arena_strndup(nw_arena *arena, const char *text, size_t length);
void *nw_arena_copy(nw_arena *arena, const void *bytes, size_t n_bytes);
/* Whether memory (may be NULL) came from this arena. */
bool nw_arena_holds(const nw_arena *arena, const void *memory);
void nw_arena_fini(nw_arena *arena);

#endif
