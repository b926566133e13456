/* memory.c - lifetimes, live memory, and an arena allocator.
 *
 * A storage is what takes room: one tensor, or several that share it (an in-place result takes over
 * its input's storage, parts of a concatenation are written straight into it).
 */
#include <stdlib.h>
#include <string.h>

#include "src/graph/internal.h"

#define IMPROVE_ROUNDS 64  /* tries at moving whoever made the peak to the front of the queue */
#define IMPROVE_LIMIT  512 /* storages; larger plans keep the greedy result */

typedef struct plan {
    const nw_graph *graph;
    const nw_step *steps;
    int n_steps;
    const nw_memory_rules *rules;
    int *first, *last;   /* per tensor; last -1: never lives */
    nw_tensor_id *owner; /* per tensor: whose storage it uses */
    int64_t *n_bytes;    /* per tensor */
} plan;

static int64_t round_up(int64_t value, int64_t unit)
{
    return unit > 1 ? (value + unit - 1) / unit * unit : value;
}

static int64_t bytes_here(const plan *p, nw_tensor_id id)
{
    const nw_tensor *tensor = &p->graph->tensors[id];
    int64_t elements = nw_shape_elements(&tensor->shape);
    bool is_dense =
        p->rules->is_dense ? p->rules->is_dense[id] : tensor->is_input || tensor->is_output;
    if (tensor->shape.rank == 4 && !is_dense && p->rules->align_channels > 1) {
        int64_t c = nw_tensor_hwc(p->graph, id).c;
        elements = c ? elements / c * round_up(c, p->rules->align_channels) : 0;
    }
    int bits = p->rules->tensor_bits ? p->rules->tensor_bits[id] : nw_dtype_bits(tensor->dtype);
    return round_up((elements * bits + 7) / 8, p->rules->align_bytes);
}

static void find_lifetimes(plan *p)
{
    for (nw_tensor_id id = 0; id < p->graph->n_tensors; id++) {
        p->first[id] = p->n_steps;
        p->last[id] = -1;
        p->owner[id] = id;
    }
    for (int s = 0; s < p->n_steps; s++) {
        const nw_step *step = &p->steps[s];
        for (int i = 0; i < step->n_reads; i++)
            p->last[step->reads[i]] = s;
        for (int i = 0; i < step->n_writes; i++) {
            p->first[step->writes[i]] = s;
            p->last[step->writes[i]] = s > p->last[step->writes[i]] ? s : p->last[step->writes[i]];
        }
    }
    for (nw_tensor_id id = 0; id < p->graph->n_tensors; id++) {
        const nw_tensor *tensor = &p->graph->tensors[id];
        if (tensor->is_const) {
            p->last[id] = -1;
            continue;
        }
        if (tensor->is_input && p->n_steps) {
            p->first[id] = 0;
            p->last[id] = p->last[id] < 0 ? 0 : p->last[id];
        }
        if (tensor->is_output && p->first[id] < p->n_steps)
            p->last[id] = p->n_steps - 1;
        p->n_bytes[id] = p->last[id] >= 0 ? bytes_here(p, id) : 0;
    }
}

static nw_tensor_id storage_of(const plan *p, nw_tensor_id id)
{
    while (p->owner[id] != id)
        id = p->owner[id];
    return id;
}

/* part lives inside whole from now on. */
static void share(plan *p, nw_tensor_id part, nw_tensor_id whole)
{
    part = storage_of(p, part);
    whole = storage_of(p, whole);
    if (part == whole)
        return;
    p->owner[part] = whole;
    if (p->first[part] < p->first[whole])
        p->first[whole] = p->first[part];
    if (p->last[part] > p->last[whole])
        p->last[whole] = p->last[part];
    if (p->n_bytes[part] > p->n_bytes[whole])
        p->n_bytes[whole] = p->n_bytes[part];
}

static void share_storages(plan *p, bool with_parts)
{
    for (int s = 0; s < p->n_steps; s++) {
        const nw_step *step = &p->steps[s];
        if (p->rules->in_place && step->in_place != NW_NONE && step->n_writes) {
            nw_tensor_id in = step->in_place, out = step->writes[0];
            bool dies_here = p->last[in] == s && p->last[storage_of(p, in)] == s;
            if (dies_here && p->n_bytes[in] == p->n_bytes[out] && p->n_bytes[in] &&
                !p->graph->tensors[in].is_input)
                share(p, out, in);
        }
        if (!with_parts || !step->writes_parts)
            continue;
        for (int i = 0; i < step->n_reads; i++) {
            nw_tensor_id in = step->reads[i];
            if (p->last[in] == s && p->owner[in] == in && !p->graph->tensors[in].is_input &&
                !p->graph->tensors[in].is_output)
                share(p, in, step->writes[0]);
        }
    }
}

static int64_t live_over_time(const plan *p, int64_t *live, int *peak_step)
{
    memset(live, 0, (size_t)(p->n_steps + 1) * sizeof *live);
    for (nw_tensor_id id = 0; id < p->graph->n_tensors; id++) {
        if (p->last[id] < 0 || p->owner[id] != id || p->first[id] >= p->n_steps)
            continue;
        live[p->first[id]] += p->n_bytes[id];
        live[p->last[id] + 1] -= p->n_bytes[id];
    }
    int64_t peak = 0;
    *peak_step = 0;
    for (int s = 0; s < p->n_steps; s++) {
        live[s] += s ? live[s - 1] : 0;
        if (live[s] > peak) {
            peak = live[s];
            *peak_step = s;
        }
    }
    return peak;
}

typedef struct storage {
    nw_tensor_id id;
    int first, last;
    int64_t n_bytes, offset;
} storage;

static int by_size(const void *a, const void *b)
{
    const storage *x = a, *y = b;
    if (x->n_bytes != y->n_bytes)
        return x->n_bytes < y->n_bytes ? 1 : -1;
    return x->first != y->first ? x->first - y->first : x->id - y->id;
}

/* Lowest gap among those placed before that are alive at the same time; placed keeps them by
 * offset. Returns the top. */
static int64_t place_all(storage *queue, int n, storage **placed)
{
    int64_t top = 0;
    for (int i = 0; i < n; i++) {
        storage *s = &queue[i];
        s->offset = 0;
        for (int k = 0; k < i && placed[k]->offset < s->offset + s->n_bytes; k++)
            if (placed[k]->first <= s->last && s->first <= placed[k]->last &&
                placed[k]->offset + placed[k]->n_bytes > s->offset)
                s->offset = placed[k]->offset + placed[k]->n_bytes;
        int at = i;
        for (; at > 0 && placed[at - 1]->offset > s->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = s;
        if (s->offset + s->n_bytes > top)
            top = s->offset + s->n_bytes;
    }
    return top;
}

/* Moves the storage that reaches highest to the front, as long as that may help. */
static int64_t improve(storage *queue, int n, int64_t top, int64_t bound, storage **scratch)
{
    if (n > IMPROVE_LIMIT || top == bound)
        return top;
    storage *best = nw_alloc((size_t)n * sizeof *best);
    memcpy(best, queue, (size_t)n * sizeof *best);
    int64_t best_top = top;
    for (int round = 0; best_top > bound && round < IMPROVE_ROUNDS; round++) {
        int highest = 0;
        for (int i = 1; i < n; i++)
            if (queue[i].offset + queue[i].n_bytes > queue[highest].offset + queue[highest].n_bytes)
                highest = i;
        if (!highest) /* every further round would be this one again */
            break;
        storage moved = queue[highest];
        int to = highest / 2;
        memmove(&queue[to + 1], &queue[to], (size_t)(highest - to) * sizeof *queue);
        queue[to] = moved;
        top = place_all(queue, n, scratch);
        if (top < best_top) {
            best_top = top;
            memcpy(best, queue, (size_t)n * sizeof *best);
        }
    }
    memcpy(queue, best, (size_t)n * sizeof *best);
    free(best);
    return best_top;
}

static void allocate(const plan *p, nw_memory *out)
{
    size_t n_tensors = (size_t)p->graph->n_tensors;
    storage *queue = nw_alloc(n_tensors * sizeof *queue);
    storage **scratch = nw_alloc(n_tensors * sizeof *scratch);
    int64_t *offset_of = nw_zalloc(n_tensors * sizeof *offset_of);
    int n = 0;
    for (nw_tensor_id id = 0; id < p->graph->n_tensors; id++)
        if (p->last[id] >= 0 && p->first[id] < p->n_steps && p->owner[id] == id)
            queue[n++] = (storage){
                .id = id, .first = p->first[id], .last = p->last[id], .n_bytes = p->n_bytes[id]};
    if (n)
        qsort(queue, (size_t)n, sizeof *queue, by_size);
    int64_t top = place_all(queue, n, scratch);
    out->arena_bytes = n ? improve(queue, n, top, out->peak_live_bytes, scratch) : 0;
    for (int i = 0; i < n; i++)
        offset_of[queue[i].id] = queue[i].offset;
    out->tensors = nw_alloc(n_tensors * sizeof *out->tensors);
    for (nw_tensor_id id = 0; id < p->graph->n_tensors; id++) {
        if (p->last[id] < 0 || p->first[id] >= p->n_steps)
            continue;
        nw_tensor_id home = storage_of(p, id);
        out->tensors[out->n_tensors++] =
            (nw_live_tensor){.tensor = id,
                             .n_bytes = home == id ? p->n_bytes[id] : bytes_here(p, id),
                             .offset = offset_of[home],
                             .first = p->first[id],
                             .last = p->last[id],
                             .storage = home};
    }
    free(queue);
    free(scratch);
    free(offset_of);
}

static void plan_init(plan *p, const nw_graph *graph, const nw_step *steps, int n_steps,
                      const nw_memory_rules *rules)
{
    size_t n = (size_t)graph->n_tensors;
    *p = (plan){.graph = graph,
                .steps = steps,
                .n_steps = n_steps,
                .rules = rules,
                .first = nw_alloc(n * sizeof *p->first),
                .last = nw_alloc(n * sizeof *p->last),
                .owner = nw_alloc(n * sizeof *p->owner),
                .n_bytes = nw_zalloc(n * sizeof *p->n_bytes)};
}

static void plan_fini(plan *p)
{
    free(p->first);
    free(p->last);
    free(p->owner);
    free(p->n_bytes);
}

static int64_t lay_out(plan *p, bool with_parts, int64_t *live, int *peak_step)
{
    find_lifetimes(p);
    share_storages(p, with_parts);
    return live_over_time(p, live, peak_step);
}

/* One piece of memory, which begins with live_bytes. */
static void layout_init(nw_storages *layout, int n_tensors, int n_steps)
{
    size_t n = (size_t)n_tensors, n_live = (size_t)n_steps + 1;
    layout->live_bytes = nw_alloc((n_live + n) * sizeof(int64_t) + 3 * n * sizeof(int));
    layout->n_bytes = layout->live_bytes + n_live;
    layout->storage = (nw_tensor_id *)(layout->n_bytes + n);
    layout->first = (int *)(layout->storage + n);
    layout->last = layout->first + n;
}

static void keep_layout(const plan *p, nw_storages *layout)
{
    size_t n = (size_t)p->graph->n_tensors;
    memcpy(layout->n_bytes, p->n_bytes, n * sizeof *p->n_bytes);
    memcpy(layout->first, p->first, n * sizeof *p->first);
    memcpy(layout->last, p->last, n * sizeof *p->last);
    for (nw_tensor_id id = 0; id < p->graph->n_tensors; id++)
        layout->storage[id] =
            p->last[id] < 0 || p->first[id] >= p->n_steps ? NW_NONE : storage_of(p, id);
}

void nw_memory_plan(const nw_graph *graph, const nw_step *steps, int n_steps,
                    const nw_memory_rules *rules, nw_memory *out)
{
    plan p;
    plan_init(&p, graph, steps, n_steps, rules);
    *out = (nw_memory){.n_steps = n_steps};
    /* Writing parts straight into a concatenation helps unless it keeps the whole alive for long:
     * take whichever is smaller. */
    int64_t peaks[2];
    int peak_steps[2];
    for (int with_parts = 1; with_parts >= 0; with_parts--) {
        nw_storages *layout = &out->layouts[with_parts];
        layout_init(layout, graph->n_tensors, n_steps);
        peaks[with_parts] = lay_out(&p, with_parts, layout->live_bytes, &peak_steps[with_parts]);
        keep_layout(&p, layout);
    }
    out->takes_parts = peaks[1] < peaks[0];
    out->live_bytes = out->layouts[out->takes_parts].live_bytes;
    out->peak_live_bytes = peaks[out->takes_parts];
    out->peak_step = peak_steps[out->takes_parts];
    if (out->takes_parts)
        lay_out(&p, true, out->live_bytes, &out->peak_step);
    allocate(&p, out);
    plan_fini(&p);
}

void nw_memory_fini(nw_memory *memory)
{
    free(memory->tensors);
    free(memory->layouts[0].live_bytes);
    free(memory->layouts[1].live_bytes);
    *memory = (nw_memory){0};
}

int64_t nw_graph_peak_live_bytes_file_order(const nw_graph *graph, nw_node_id *peak_node)
{
    nw_step *steps = nw_alloc((size_t)graph->n_nodes * sizeof *steps);
    bool is_ordered = true;
    for (int i = 0; i < graph->n_nodes; i++)
        is_ordered = is_ordered && graph->order[i] == i;
    size_t n_lists = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n_lists += (size_t)graph->nodes[i].n_inputs + (size_t)graph->nodes[i].n_outputs;
    nw_tensor_id *lists = nw_alloc(n_lists * sizeof *lists), *at = lists;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nw_node *node = &graph->nodes[is_ordered ? i : graph->order[i]];
        steps[i] = (nw_step){.reads = at, .in_place = NW_NONE};
        for (int k = 0; k < node->n_inputs; k++)
            if (node->inputs[k] != NW_NONE && !graph->tensors[node->inputs[k]].is_const)
                at[steps[i].n_reads++] = node->inputs[k];
        at += steps[i].n_reads;
        steps[i].writes = at;
        for (int k = 0; k < node->n_outputs; k++)
            if (node->outputs[k] != NW_NONE && !graph->tensors[node->outputs[k]].is_const)
                at[steps[i].n_writes++] = node->outputs[k];
        at += steps[i].n_writes;
    }
    nw_memory_rules plain = {.align_channels = 1, .align_bytes = 1};
    int64_t *live = nw_alloc(((size_t)graph->n_nodes + 1) * sizeof *live);
    int peak_step;
    plan p;
    plan_init(&p, graph, steps, graph->n_nodes, &plain);
    int64_t peak = lay_out(&p, false, live, &peak_step);
    plan_fini(&p);
    free(live);
    if (peak_node)
        *peak_node = graph->n_nodes ? graph->order[peak_step] : NW_NONE;
    free(lists);
    free(steps);
    return peak;
}
