/* split.c - cutting a graph into the kernels that a device runs.
 *
 * One walk in schedule order. An operator starts a kernel and then takes in what follows while the
 * hardware's fusion rules and the graph allow: whoever is joined must be the only reader. Some
 * operators wait for their reader instead (dequantisations that an integer kernel absorbs, spatial
 * padding in front of a window). Neighbouring operators that the hardware lacks form one host run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/kernel/split.h"

/* ---- the graph, seen from here ---- */

static void index_readers(nw_splitter *s)
{
    const nw_graph *graph = s->graph;
    s->reader_start = nw_zalloc(((size_t)graph->n_tensors + 2) * sizeof *s->reader_start);
    int *start = s->reader_start + 1, total = 0;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int k = 0; s->state[id] != FOLDED && k < graph->nodes[id].n_inputs; k++)
            if (graph->nodes[id].inputs[k] != NW_NONE) {
                start[graph->nodes[id].inputs[k] + 1]++;
                total++;
            }
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        start[id + 1] += start[id];
    s->readers = nw_alloc((size_t)total * sizeof *s->readers);
    /* start[t] moves up to the beginning of t + 1 while filling, which leaves reader_start right.
     */
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int k = 0; s->state[id] != FOLDED && k < graph->nodes[id].n_inputs; k++)
            if (graph->nodes[id].inputs[k] != NW_NONE)
                s->readers[start[graph->nodes[id].inputs[k]]++] = id;
}

int nw_split_n_readers(const nw_splitter *s, nw_tensor_id tensor)
{
    return s->reader_start[tensor + 1] - s->reader_start[tensor];
}

/* The only reader of a tensor that nobody else sees, still free; NW_NONE otherwise. */
nw_node_id nw_split_sole_reader(const nw_splitter *s, nw_tensor_id tensor)
{
    if (nw_split_n_readers(s, tensor) != 1 || s->graph->tensors[tensor].is_output)
        return NW_NONE;
    nw_node_id reader = s->readers[s->reader_start[tensor]];
    return s->state[reader] == FREE ? reader : NW_NONE;
}

const nw_tensor *nw_split_input(const nw_splitter *s, const nw_node *node, int i)
{
    if (i >= node->n_inputs || node->inputs[i] == NW_NONE)
        return NULL;
    return &s->graph->tensors[node->inputs[i]];
}

nw_tensor_id nw_split_only_output(const nw_node *node)
{
    nw_tensor_id found = NW_NONE;
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == NW_NONE)
            continue;
        if (found != NW_NONE)
            return NW_NONE;
        found = node->outputs[i];
    }
    return found;
}

bool nw_split_is_cut(const nw_splitter *s, nw_node_id id)
{
    return s->graph->nodes[id].hint.splits && id != s->asked;
}

bool nw_split_is_asked(const nw_splitter *s, nw_node_id id)
{
    return id == s->asked || s->graph->nodes[id].hint.joins;
}

static bool is_folded(const nw_splitter *s, const nw_node *node)
{
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == NW_NONE)
            continue;
        const nw_tensor *t = &s->graph->tensors[node->outputs[i]];
        if (!t->is_const && !t->ints && !t->floats)
            return false;
    }
    return node->n_outputs > 0;
}

/* ---- who waits for its reader ---- */

/* Hints may turn what stands between a quantisation and a dequantisation into floats as well. */
static bool is_same_float(const nw_types *types, nw_tensor_id in, nw_tensor_id out)
{
    return types->is_hinted && types->is_hinted[in] && types->is_hinted[out] &&
           types->is_float[in] && types->bits[in] == types->bits[out];
}

/* A dequantisation whose result every reader takes as integers. */
bool nw_split_is_dequantise(const nw_splitter *s, const nw_node *node)
{
    nw_tensor_id out = nw_split_only_output(node);
    return node->op == NW_OP_DEQUANTIZE && out != NW_NONE &&
           (!s->types->is_float[out] || is_same_float(s->types, node->inputs[0], out)) &&
           !s->graph->tensors[out].is_output && nw_split_n_readers(s, out) > 0;
}

/* A cast to the same type or an identity in front of dequantisations alone. */
bool nw_split_is_rename(const nw_splitter *s, const nw_node *node)
{
    nw_tensor_id out = nw_split_only_output(node);
    bool is_rename = node->op == NW_OP_IDENTITY || node->op == NW_OP_CAST;
    if (!is_rename || out == NW_NONE || nw_split_n_readers(s, out) == 0 ||
        s->graph->tensors[out].is_output || !nw_node_is_view(s->graph, node))
        return false;
    for (int i = s->reader_start[out]; i < s->reader_start[out + 1]; i++)
        if (!nw_split_is_dequantise(s, &s->graph->nodes[s->readers[i]]))
            return false;
    return true;
}

static bool is_absorbed_whole(const nw_splitter *s, const nw_node *node)
{
    return nw_split_is_dequantise(s, node) || nw_split_is_rename(s, node);
}

static bool has_window(nw_op op)
{
    return op == NW_OP_CONV2D || op == NW_OP_AVERAGE_POOL || op == NW_OP_MAX_POOL;
}

/* Padding by zeros of rows and columns only, read by one convolution or pooling: the device's
 * address generator does that while it reads. */
static bool is_absorbed_pad(const nw_splitter *s, const nw_node *node)
{
    nw_tensor_id out = nw_split_only_output(node);
    if (node->op != NW_OP_PAD || out == NW_NONE || !nw_split_input(s, node, 0))
        return false;
    nw_node_id reader = nw_split_sole_reader(s, out);
    if (reader == NW_NONE || !has_window(s->graph->nodes[reader].op) ||
        s->graph->nodes[reader].inputs[0] != out || nw_split_is_cut(s, reader))
        return false;
    nw_hwc x = nw_tensor_hwc(s->graph, node->inputs[0]), y = nw_tensor_hwc(s->graph, out);
    return x.c == y.c && x.h <= y.h && x.w <= y.w && nw_split_input(s, node, 0)->shape.rank == 4;
}

/* Whether a node comes with its reader: it waits already, or would once the walk gets there (a
 * file may put a dequantisation anywhere before its reader). */
bool nw_split_waits(const nw_splitter *s, nw_node_id id)
{
    return s->state[id] == WAITS ||
           (s->state[id] == FREE && is_absorbed_whole(s, &s->graph->nodes[id]));
}

/* ---- drafts ---- */

void nw_split_add_node(nw_splitter *s, int index, nw_node_id id)
{
    nw_draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[id];
    for (int k = 0; k < node->n_inputs; k++) {
        if (node->inputs[k] == NW_NONE)
            continue;
        nw_node_id producer = s->graph->tensors[node->inputs[k]].producer;
        if (producer == NW_NONE || !nw_split_waits(s, producer))
            continue;
        s->is_absorbed[producer] = s->graph->nodes[producer].op != NW_OP_PAD;
        nw_split_add_node(s, index,
                          producer); /* a cast, a dequantisation, a pad: three deep at most */
    }
    d = &s->drafts[index];
    d->nodes = nw_grow(d->nodes, (size_t)d->n_nodes, &d->node_capacity, sizeof *d->nodes);
    d->nodes[d->n_nodes++] = id;
    s->state[id] = index;
}

static int new_draft(nw_splitter *s, nw_node_id main)
{
    s->drafts = nw_grow(s->drafts, (size_t)s->n_drafts, &s->draft_capacity, sizeof *s->drafts);
    s->drafts[s->n_drafts] = (nw_draft){.main = main};
    return s->n_drafts++;
}

bool nw_split_is_product(nw_kernel_kind kind)
{
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_CONV_TRANSPOSE ||
           kind == NW_KERNEL_FC || kind == NW_KERNEL_MATMUL;
}

nw_tensor_id nw_split_before_absorbed(const nw_splitter *s, nw_tensor_id id)
{
    nw_node_id producer = s->graph->tensors[id].producer;
    while (producer != NW_NONE && s->is_absorbed[producer]) {
        id = s->graph->nodes[producer].inputs[0];
        producer = s->graph->tensors[id].producer;
    }
    return id;
}

/* What a node really reads where the file says id. */
static nw_tensor_id what_is_read(const nw_splitter *s, nw_node_id node, nw_tensor_id id)
{
    return nw_split_before_absorbed(s, nw_types_source(s->graph, s->types, node, id));
}

/* A concatenation whose inputs nobody else reads is written in place by their producers. */
static bool is_free_concat(const nw_splitter *s, const nw_node *node)
{
    if (node->op != NW_OP_CONCAT || !nw_split_is_native(s, NW_OP_CONCAT))
        return false;
    for (int i = 0; i < node->n_inputs; i++) {
        if (!nw_split_input(s, node, i) || nw_split_n_readers(s, node->inputs[i]) != 1)
            return false;
        nw_tensor_id written = nw_split_before_absorbed(s, node->inputs[i]);
        const nw_tensor *t = &s->graph->tensors[written];
        if (t->is_const || t->is_input || t->is_output || nw_split_n_readers(s, written) != 1)
            return false;
    }
    return true;
}

static void start_kernel(nw_splitter *s, nw_node_id id)
{
    const nw_node *node = &s->graph->nodes[id];
    nw_kernel_shape shape;
    char note[96] = "";
    nw_kernel_shape_of_node(s->graph, s->types, id, &shape);
    nw_split_settle_weight_bits(s, &shape);
    if (is_free_concat(s, node))
        shape.parts[0].kind = NW_KERNEL_VIEW;
    bool on_host = nw_split_needs_host(s, id, &shape, note, sizeof note);
    bool is_view = shape.parts[0].kind == NW_KERNEL_VIEW;
    bool after_host =
        s->n_drafts && s->drafts[s->n_drafts - 1].shape.parts[0].kind == NW_KERNEL_HOST;
    if (after_host && (on_host || is_view)) {
        nw_split_add_node(s, s->n_drafts - 1, id);
        return;
    }
    int index = new_draft(s, id);
    nw_draft *d = &s->drafts[index];
    d->shape = shape;
    memcpy(d->note, note, sizeof d->note);
    if (!on_host && !is_view && nw_split_is_cut(s, id))
        snprintf(d->note, sizeof d->note, "starts a kernel as asked");
    if (on_host)
        d->shape.parts[0].kind = NW_KERNEL_HOST;
    else if (s->hw->ops[node->op].support == NW_OP_SLOW)
        d->shape.slow_op = (int32_t)node->op;
    nw_split_add_node(s, index, id);
    if (!on_host && !is_view && shape.parts[0].kind != NW_KERNEL_OPAQUE)
        nw_split_extend(s, index);
    /* Parts written in place are written in the scale of the whole. */
    nw_node_id next =
        node->op == NW_OP_CONCAT && is_view ? nw_split_sole_reader(s, node->outputs[0]) : NW_NONE;
    nw_tensor_id cursor = node->outputs[0];
    if (next != NW_NONE)
        (void)nw_split_join_quantise(s, index, &cursor, next);
}

static void walk(nw_splitter *s)
{
    for (int i = 0; i < s->graph->n_nodes; i++) {
        nw_node_id id = s->graph->order[i];
        const nw_node *node = &s->graph->nodes[id];
        if (s->state[id] != FREE)
            continue;
        s->is_absorbed[id] = is_absorbed_whole(s, node);
        if (s->is_absorbed[id] || is_absorbed_pad(s, node))
            s->state[id] = WAITS;
        else
            start_kernel(s, id);
    }
    /* Whoever still waits was waiting for an operator that was folded away. */
    for (int i = 0; i < s->graph->n_nodes; i++)
        if (s->state[s->graph->order[i]] == WAITS) {
            s->is_absorbed[s->graph->order[i]] = 0;
            start_kernel(s, s->graph->order[i]);
        }
}

/* ---- from drafts to kernels ---- */

static bool is_read_outside(const nw_splitter *s, nw_tensor_id id, int index)
{
    if (s->graph->tensors[id].is_output)
        return true;
    for (int i = s->reader_start[id]; i < s->reader_start[id + 1]; i++) {
        nw_node_id reader = s->readers[i];
        if (s->state[reader] >= 0 && s->state[reader] != index)
            return true;
        /* one kernel here holds the dequantisation, others read the integers before it */
        nw_tensor_id out = nw_split_only_output(&s->graph->nodes[reader]);
        bool is_passed = s->is_absorbed[reader] || s->graph->nodes[reader].op == NW_OP_DEQUANTIZE;
        if (is_passed && out != NW_NONE && is_read_outside(s, out, index))
            return true;
    }
    return false;
}

static bool holds(const nw_tensor_id *list, int n, nw_tensor_id id)
{
    for (int i = 0; i < n; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool is_border_read(const nw_splitter *s, nw_tensor_id id, int index)
{
    const nw_tensor *t = &s->graph->tensors[id];
    return !t->is_const && !t->ints && !t->floats &&
           (t->producer == NW_NONE || s->state[t->producer] != index);
}

#define MAX_SEARCHED_READS 64 /* beyond that (a huge concatenation) repeats are kept */

/* Activations that cross the kernel's border. A kernel writes at least what its last node does. */
static void find_border(const nw_splitter *s, int index, nw_arena *arena, nw_kernel *out)
{
    const nw_draft *d = &s->drafts[index];
    size_t n_in = 0, n_out = 0;
    for (int i = 0; i < d->n_nodes; i++) {
        n_in += (size_t)s->graph->nodes[d->nodes[i]].n_inputs;
        n_out += (size_t)s->graph->nodes[d->nodes[i]].n_outputs;
    }
    nw_tensor_id *reads = nw_arena_alloc(arena, n_in * sizeof *reads);
    nw_tensor_id *writes = nw_arena_alloc(arena, n_out * sizeof *writes);
    for (int i = 0; i < d->n_nodes; i++) {
        const nw_node *node = &s->graph->nodes[d->nodes[i]];
        if (s->is_absorbed[d->nodes[i]])
            continue;
        for (int k = 0; k < node->n_inputs; k++) {
            if (node->inputs[k] == NW_NONE)
                continue;
            nw_tensor_id id = what_is_read(s, d->nodes[i], node->inputs[k]);
            int n_searched = out->n_reads < MAX_SEARCHED_READS ? out->n_reads : MAX_SEARCHED_READS;
            if (is_border_read(s, id, index) && !holds(reads, n_searched, id))
                reads[out->n_reads++] = id;
        }
        for (int k = 0; k < node->n_outputs; k++)
            if (node->outputs[k] != NW_NONE &&
                (is_read_outside(s, node->outputs[k], index) || i == d->n_nodes - 1))
                writes[out->n_writes++] = node->outputs[k];
    }
    out->reads = reads;
    out->writes = writes;
}

static int64_t bytes_of(const nw_splitter *s, nw_tensor_id id)
{
    return (nw_shape_elements(&s->graph->tensors[id].shape) * s->types->bits[id] + 7) / 8;
}

static void fill_host(const nw_splitter *s, const nw_kernel *kernel, nw_kernel_shape *shape)
{
    nw_kernel_shape host = {.n_parts = 1,
                            .slow_op = -1,
                            .bits = shape->bits,
                            .weight_bits = shape->weight_bits,
                            .is_float = shape->is_float};
    host.parts[0].kind = NW_KERNEL_HOST;
    host.parts[0].out_h = host.parts[0].out_w = 1;
    int64_t products = 0;
    for (int i = 0; i < kernel->n_nodes; i++) {
        const nw_node *node = &s->graph->nodes[kernel->nodes[i]];
        nw_geometry geometry;
        if (nw_node_geometry(s->graph, kernel->nodes[i], &geometry))
            products += geometry.macs;
        for (int k = 0; k < node->n_inputs + node->n_outputs; k++) {
            nw_tensor_id id =
                k < node->n_inputs ? node->inputs[k] : node->outputs[k - node->n_inputs];
            if (id == NW_NONE || s->graph->tensors[id].is_const)
                continue;
            int64_t n = nw_shape_elements(&s->graph->tensors[id].shape);
            host.host_elements = n > host.host_elements ? n : host.host_elements;
        }
    }
    for (int i = 0; i < kernel->n_reads; i++)
        host.host_bytes += bytes_of(s, kernel->reads[i]);
    for (int i = 0; i < kernel->n_writes; i++)
        host.host_bytes += bytes_of(s, kernel->writes[i]);
    host.parts[0].out_c = host.host_elements;
    /* A product costs a processor its multiply-accumulates, however small the map. */
    host.host_elements += products;
    *shape = host;
}

static void number_partitions(nw_kernels *kernels)
{
    int side = -1;
    for (int i = 0; i < kernels->n_kernels; i++) {
        nw_kernel *kernel = &kernels->kernels[i];
        nw_kernel_kind kind = kernel->shape.parts[0].kind;
        bool is_host = kind == NW_KERNEL_HOST;
        if (kind != NW_KERNEL_VIEW && side != (int)is_host) {
            side = is_host;
            kernels->n_partitions++;
            kernels->n_switches += is_host;
        }
        kernel->partition = kernels->n_partitions ? kernels->n_partitions - 1 : 0;
    }
}

static void note_refusal(const nw_splitter *s, nw_node_id main, nw_kernel *kernel)
{
    char why[80];
    if (kernel->shape.parts[0].kind == NW_KERNEL_VIEW)
        return;
    nw_split_explain(s, main, why, sizeof why);
    snprintf(kernel->note, sizeof kernel->note, "not joined: %s", why);
}

static void finish(const nw_splitter *s, nw_kernels *out)
{
    nw_arena *arena = &out->store->arena;
    out->kernels = nw_arena_alloc(arena, (size_t)s->n_drafts * sizeof *out->kernels);
    out->n_kernels = s->n_drafts;
    for (int i = 0; i < s->n_drafts; i++) {
        const nw_draft *d = &s->drafts[i];
        nw_kernel *kernel = &out->kernels[i];
        kernel->shape = d->shape;
        kernel->main = d->main;
        kernel->nodes = nw_arena_copy(arena, d->nodes, (size_t)d->n_nodes * sizeof *d->nodes);
        kernel->n_nodes = d->n_nodes;
        memcpy(kernel->note, d->note, sizeof kernel->note);
        if (!kernel->note[0] && s->graph->nodes[d->main].hint.joins)
            note_refusal(s, d->main, kernel);
        find_border(s, i, arena, kernel);
        if (d->shape.parts[0].kind == NW_KERNEL_HOST)
            fill_host(s, kernel, &kernel->shape);
        if (kernel->n_reads && nw_split_is_product(d->shape.parts[0].kind))
            kernel->shape.is_first = s->types->is_dense[kernel->reads[0]] &&
                                     !s->graph->tensors[kernel->reads[0]].is_output;
    }
    number_partitions(out);
    snprintf(out->precision, sizeof out->precision, "%s", s->types->name);
}

void nw_split_fini(nw_splitter *s)
{
    for (int i = 0; i < s->n_drafts; i++)
        free(s->drafts[i].nodes);
    free(s->drafts);
    free(s->state);
    free(s->is_absorbed);
    free(s->reader_start);
    free(s->readers);
}

void nw_split_run(nw_splitter *s, const nw_graph *graph, const nw_hw *hw, const nw_types *types,
                  nw_node_id asked)
{
    *s = (nw_splitter){.graph = graph,
                       .hw = hw,
                       .types = types,
                       .state = nw_alloc((size_t)graph->n_nodes * sizeof *s->state),
                       .is_absorbed = nw_zalloc((size_t)graph->n_nodes),
                       .asked = asked};
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        s->state[id] = is_folded(s, &graph->nodes[id]) ? FOLDED : FREE;
    index_readers(s);
    walk(s);
}

nw_status nw_kernels_split(const nw_graph *graph, const nw_hw *hw, const char *precision,
                           nw_kernels **out, nw_error *err)
{
    nw_types types;
    nw_status status = nw_types_find(graph, hw, precision, &types, err);
    if (status != NW_OK)
        return status;
    nw_kernels *kernels = nw_zalloc(sizeof *kernels);
    kernels->store = nw_zalloc(sizeof *kernels->store);
    nw_splitter s;
    nw_split_run(&s, graph, hw, &types, NW_NONE);
    finish(&s, kernels);
    nw_split_fini(&s);
    nw_kernels_place(graph, hw, &types, kernels);
    kernels->is_assumed = types.is_assumed;
    nw_types_fini(&types);
    *out = kernels;
    return NW_OK;
}

void nw_kernels_free(nw_kernels *kernels)
{
    if (!kernels)
        return;
    nw_memory_fini(&kernels->memory);
    nw_arena_fini(&kernels->store->arena);
    free(kernels->store);
    free(kernels);
}
