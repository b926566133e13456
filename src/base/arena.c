#include "src/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/error.h"

#define ARENA_BLOCK_BYTES ((size_t)64 << 10)

typedef struct nw_arena_block {
    struct nw_arena_block *next;
    size_t used;
    size_t size;
    alignas(16) unsigned char bytes[];
} nw_arena_block;

void *nw_alloc(size_t n_bytes)
{
    void *memory = malloc(n_bytes ? n_bytes : 1);
    if (!memory)
        nw_die("out of memory (%zu bytes)", n_bytes);
    return memory;
}

void *nw_zalloc(size_t n_bytes)
{
    void *memory = calloc(1, n_bytes ? n_bytes : 1);
    if (!memory)
        nw_die("out of memory (%zu bytes)", n_bytes);
    return memory;
}

void *nw_realloc(void *old, size_t n_bytes)
{
    void *memory = realloc(old, n_bytes ? n_bytes : 1);
    if (!memory)
        nw_die("out of memory (%zu bytes)", n_bytes);
    return memory;
}

void *nw_grow(void *array, size_t n_used, size_t *capacity, size_t element_bytes)
{
    if (n_used < *capacity)
        return array;
    size_t wanted = *capacity ? 2 * *capacity : 16;
    if (wanted > SIZE_MAX / element_bytes)
        nw_die("out of memory (%zu elements)", wanted);
    *capacity = wanted;
    return nw_realloc(array, wanted * element_bytes);
}

void *nw_arena_alloc(nw_arena *arena, size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2)
        nw_die("out of memory (%zu bytes)", n_bytes);
    n_bytes = (n_bytes + 15) & ~(size_t)15;
    nw_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < n_bytes) {
        size_t size = n_bytes > ARENA_BLOCK_BYTES / 4 ? n_bytes : ARENA_BLOCK_BYTES;
        nw_arena_block *fresh = nw_zalloc(sizeof *fresh + size);
        fresh->size = size;
        if (block && size == n_bytes) { /* a large one: keep filling the current block */
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->blocks = fresh;
        }
        block = fresh;
    }
    void *memory = block->bytes + block->used;
    block->used += n_bytes;
    return memory;
}

char *nw_arena_strndup(nw_arena *arena, const char *text, size_t length)
{
    char *copy = nw_arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *nw_arena_strdup(nw_arena *arena, const char *text)
{
    return nw_arena_strndup(arena, text, strlen(text));
}

void *nw_arena_copy(nw_arena *arena, const void *bytes, size_t n_bytes)
{
    void *copy = nw_arena_alloc(arena, n_bytes);
    if (n_bytes)
        memcpy(copy, bytes, n_bytes);
    return copy;
}

bool nw_arena_holds(const nw_arena *arena, const void *memory)
{
    uintptr_t at = (uintptr_t)memory;
    for (const nw_arena_block *block = arena->blocks; block; block = block->next)
        if (at - (uintptr_t)block->bytes < block->used)
            return true;
    return false;
}

void nw_arena_fini(nw_arena *arena)
{
    nw_arena_block *block = arena->blocks;
    while (block) {
        nw_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
}
