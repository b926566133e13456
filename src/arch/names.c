#include "src/arch/names.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

struct nw_name {
    const char *text;
    uint32_t hash;
    int32_t next; /* in the chain; -1: the last */
    int owner;
};

static uint64_t word_at(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

/* Of the length, the first and the last sixteen characters: names differ there, in the number of a
 * layer or in the part of it. */
static uint32_t hash_of(const char *text)
{
    size_t n = strlen(text);
    char padded[16] = {0};
    if (n < sizeof padded)
        memcpy(padded, text, n);
    const char *first = n < sizeof padded ? padded : text;
    const char *last = n < sizeof padded ? padded : text + n - sizeof padded;
    uint64_t a = (word_at(first) ^ n) * 0x9e3779b97f4a7c15u;
    uint64_t b = word_at(first + 8) * 0xbf58476d1ce4e5b9u;
    uint64_t c = word_at(last) * 0x94d049bb133111ebu;
    uint64_t d = word_at(last + 8) * 0xd6e8feb86659fd93u;
    a ^= a >> 29, b ^= b >> 31, c ^= c >> 33, d ^= d >> 30;
    uint64_t hash = (a + 3 * b + 5 * c + 7 * d) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32);
}

static void add(nw_names *names, const char *text, int owner)
{
    names->list = nw_grow(names->list, names->n, &names->capacity, sizeof *names->list);
    uint32_t hash = hash_of(text);
    int32_t *head = &names->heads[hash & (names->n_heads - 1)];
    names->list[names->n] = (struct nw_name){text, hash, *head, owner};
    *head = (int32_t)names->n++;
}

void nw_names_find(nw_names *names, const nw_graph *graph, bool with_nodes)
{
    size_t n = (size_t)graph->n_tensors + (size_t)(with_nodes ? graph->n_nodes : 0);
    names->n_heads = 64;
    while (names->n_heads < n)
        names->n_heads *= 2;
    names->capacity = n + n / 4 + 16;
    names->list = nw_alloc(names->capacity * sizeof *names->list);
    names->heads = nw_alloc(names->n_heads * sizeof *names->heads);
    memset(names->heads, 0xff, names->n_heads * sizeof *names->heads);
    for (int i = 0; i < graph->n_tensors; i++)
        add(names, graph->tensors[i].name, NW_NAME_OF_FILE);
    for (int i = 0; with_nodes && i < graph->n_nodes; i++)
        add(names, graph->nodes[i].name, NW_NAME_OF_FILE);
}

void nw_names_fini(nw_names *names)
{
    free(names->list);
    free(names->heads);
    *names = (nw_names){0};
}

int nw_names_owner(const nw_names *names, const char *text)
{
    uint32_t hash = hash_of(text);
    int32_t i = names->heads[hash & (names->n_heads - 1)];
    while (i >= 0 && (names->list[i].hash != hash || strcmp(names->list[i].text, text) != 0))
        i = names->list[i].next;
    return i < 0 ? NW_NAME_FREE : names->list[i].owner;
}

void nw_names_take(nw_names *names, const char *text, int owner)
{
    add(names, text, owner);
}
