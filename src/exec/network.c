/* network.c - whole networks, kernel after kernel, in one arena.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/exec/internal.h"

#define MAX_BYTES    ((size_t)2 << 30)
#define RUN_STEPS    1000 /* what a process counts for in progress */
#define NOWHERE      SIZE_MAX
#define LEAST_ROUNDS 5

typedef struct network_work {
    const nw_graph *graph;
    const nw_kernels *kernels;
    nw_exec_options options;
    nw_exec_reading *readings; /* [process][kernel and, last, the whole], shared */
} network_work;

typedef struct network {
    const network_work *work;
    nw_exec_engine *engine;
    nw_exec_op **ops; /* a kernel each; NULL: nothing to run */
    size_t *offsets;  /* in the arena, a tensor each; NOWHERE */
    uint8_t *arena;
    size_t arena_bytes;
    double *totals;  /* [round] */
    double **visits; /* [kernel][round] */
    int n_rounds;
} network;

static bool is_view(const nw_kernel *kernel)
{
    return kernel->shape.parts[0].kind == NW_KERNEL_VIEW;
}

/* ---- making ---- */

static void find_offsets(network *net)
{
    const nw_memory *memory = &net->work->kernels->memory;
    size_t n = (size_t)net->work->graph->n_tensors;
    net->offsets = nw_alloc(n * sizeof *net->offsets);
    for (size_t i = 0; i < n; i++)
        net->offsets[i] = NOWHERE;
    for (int i = 0; i < memory->n_tensors; i++)
        net->offsets[memory->tensors[i].tensor] = (size_t)memory->tensors[i].offset;
}

/* Maps that the plan does not know, and what a kernel touches beyond its tensor (padding that it
 * takes in), stand behind the planned part. */
static uint8_t *place_of(const network *net, nw_tensor_id tensor)
{
    size_t offset = tensor == NW_NONE ? NOWHERE : net->offsets[tensor];
    return net->arena +
           (offset == NOWHERE ? (size_t)net->work->kernels->memory.arena_bytes : offset);
}

static int64_t elements_of(const network *net, nw_tensor_id tensor)
{
    return nw_shape_elements(&net->work->graph->tensors[tensor].shape);
}

/* The first map of a kernel is its main operator's input; of a product's two factors the larger
 * one, whichever stands first in the file. */
static void bind(const network *net, int index)
{
    const nw_kernel *kernel = &net->work->kernels->kernels[index];
    nw_exec_op *op = net->ops[index];
    const nw_exec_sizes *s = nw_exec_op_sizes(op);
    nw_tensor_id in = kernel->n_reads ? kernel->reads[0] : NW_NONE, second = in;
    if (kernel->n_reads > 1)
        second = kernel->reads[kernel->n_reads - 1];
    if (!s->is_in_place && in != second && elements_of(net, second) > elements_of(net, in)) {
        second = in;
        in = kernel->reads[kernel->n_reads - 1];
    }
    nw_exec_op_bind(op, place_of(net, in), s->second_bytes ? place_of(net, second) : NULL,
                    place_of(net, kernel->n_writes ? kernel->writes[0] : NW_NONE));
}

static bool too_big(const network *net, nw_exec_board *board)
{
    (void)nw_fail(&board->error, NW_LIMIT, net->work->graph->name,
                  "the network needs more than %zu MiB to run", MAX_BYTES >> 20);
    return false;
}

static bool make_ops(network *net, nw_exec_reading *readings, nw_exec_board *board)
{
    const nw_kernels *kernels = net->work->kernels;
    size_t weights = 0, largest = 0;
    net->ops = nw_zalloc((size_t)kernels->n_kernels * sizeof *net->ops);
    for (int i = 0; i < kernels->n_kernels; i++) {
        const nw_kernel *kernel = &kernels->kernels[i];
        if (is_view(kernel))
            continue;
        nw_exec_beat(board);
        net->ops[i] = nw_exec_op_new(net->engine, &kernel->shape, NULL, readings[i].reason);
        if (!net->ops[i])
            continue;
        const nw_exec_sizes *s = nw_exec_op_sizes(net->ops[i]);
        size_t maps = s->in_bytes + s->second_bytes + s->out_bytes;
        snprintf(readings[i].impl, sizeof readings[i].impl, "%s", nw_exec_op_impl(net->ops[i]));
        weights += s->weight_bytes;
        largest = maps > largest ? maps : largest;
        if (weights + largest > MAX_BYTES)
            return too_big(net, board);
    }
    if (kernels->memory.arena_bytes > (int64_t)MAX_BYTES)
        return too_big(net, board);
    net->arena_bytes = nw_exec_align((size_t)kernels->memory.arena_bytes) + largest;
    net->arena = nw_exec_buffer(net->arena_bytes);
    nw_exec_produce(net->arena, net->arena_bytes, true);
    for (int i = 0; i < kernels->n_kernels; i++)
        if (net->ops[i])
            bind(net, i);
    return true;
}

/* ---- running ---- */

static void produce_tensor(const network *net, nw_tensor_id tensor, const nw_kernel_shape *as)
{
    size_t n = (size_t)elements_of(net, tensor);
    uint8_t *at = place_of(net, tensor);
    size_t room = net->arena_bytes - (size_t)(at - net->arena);
    size_t n_bytes = n * (size_t)(as->bits > 0 ? (as->bits + 7) / 8 : 1);
    nw_exec_produce(at, n_bytes < room ? n_bytes : room, as->is_float && as->bits == 32);
}

/* The network's inputs, as whoever asks for an answer has just written them. */
static void produce_inputs(const network *net)
{
    const nw_kernels *kernels = net->work->kernels;
    for (int i = 0; i < kernels->n_kernels; i++) {
        const nw_kernel *kernel = &kernels->kernels[i];
        for (int k = 0; k < kernel->n_reads; k++)
            if (net->work->graph->tensors[kernel->reads[k]].is_input)
                produce_tensor(net, kernel->reads[k], &kernel->shape);
    }
}

static void stand_in_for(const network *net, const nw_kernel *kernel)
{
    for (int k = 0; k < kernel->n_writes; k++)
        produce_tensor(net, kernel->writes[k], &kernel->shape);
}

/* From start to end; the clock stands still where a kernel is left out. Negative: failed. */
static double run_whole(const network *net)
{
    const nw_kernels *kernels = net->work->kernels;
    double total_us = 0;
    produce_inputs(net);
    double begin_us = nw_exec_now_us();
    for (int i = 0; i < kernels->n_kernels; i++) {
        if (is_view(&kernels->kernels[i]))
            continue;
        if (net->ops[i]) {
            if (!nw_exec_op_run(net->ops[i]))
                return -1;
            continue;
        }
        total_us += nw_exec_now_us() - begin_us;
        stand_in_for(net, &kernels->kernels[i]);
        begin_us = nw_exec_now_us();
    }
    return total_us + nw_exec_now_us() - begin_us;
}

static bool run_by_kernel(const network *net, int round)
{
    const nw_kernels *kernels = net->work->kernels;
    produce_inputs(net);
    double begin_us = nw_exec_now_us();
    for (int i = 0; i < kernels->n_kernels; i++) {
        if (is_view(&kernels->kernels[i]))
            continue;
        if (!net->ops[i])
            stand_in_for(net, &kernels->kernels[i]);
        else if (!nw_exec_op_run(net->ops[i]))
            return false;
        double end_us = nw_exec_now_us();
        if (net->ops[i])
            net->visits[i][round] = end_us - begin_us;
        begin_us = end_us;
    }
    return true;
}

static bool run_rounds(network *net, nw_exec_board *board)
{
    int n_kernels = net->work->kernels->n_kernels;
    double first_us = run_whole(net), us = run_whole(net);
    if (first_us < 0 || us < 0)
        return false;
    us = us < first_us ? us : first_us;
    /* As many as its short kernels need, where time allows. */
    net->n_rounds =
        nw_exec_sample_count(us, net->work->options.repeats * NW_EXEC_MAX_VISITS_PER_SAMPLE);
    net->totals = nw_alloc((size_t)net->n_rounds * sizeof *net->totals);
    net->visits = nw_zalloc((size_t)n_kernels * sizeof *net->visits);
    for (int i = 0; i < n_kernels; i++)
        if (net->ops[i])
            net->visits[i] = nw_alloc((size_t)net->n_rounds * sizeof **net->visits);
    int64_t done = atomic_load(&board->done);
    for (int round = 0; round < net->n_rounds; round++) {
        nw_exec_beat(board);
        nw_exec_leave_if_alone(board);
        net->totals[round] = run_whole(net);
        if (net->totals[round] < 0 || !run_by_kernel(net, round))
            return false;
        atomic_store(&board->done, done + (int64_t)RUN_STEPS * (round + 1) / net->n_rounds);
    }
    return true;
}

static void read_visits(const network *net, nw_exec_reading *readings)
{
    int n_kernels = net->work->kernels->n_kernels;
    for (int i = 0; i < n_kernels; i++) {
        if (!net->ops[i])
            continue;
        int n_mean = nw_exec_visits_per_sample(nw_exec_least(net->visits[i], net->n_rounds));
        n_mean = n_mean < net->n_rounds ? n_mean : net->n_rounds;
        nw_exec_read_visits(net->visits[i], net->n_rounds, n_mean, &readings[i]);
    }
    nw_exec_read_visits(net->totals, net->n_rounds, 1, &readings[n_kernels]);
}

static void network_fini(network *net)
{
    for (int i = 0; i < net->work->kernels->n_kernels; i++) {
        if (net->ops)
            nw_exec_op_free(net->ops[i]);
        if (net->visits)
            free(net->visits[i]);
    }
    free(net->ops);
    free(net->visits);
    free(net->totals);
    free(net->offsets);
    free(net->arena);
    nw_exec_engine_free(net->engine);
}

static void time_network(void *context, int process, nw_exec_board *board)
{
    network net = {.work = context};
    int n_readings = net.work->kernels->n_kernels + 1;
    nw_exec_reading *readings = net.work->readings + (size_t)process * (size_t)n_readings;
    if (nw_exec_engine_new(&net.engine, &board->error) != NW_OK)
        return;
    find_offsets(&net);
    if (make_ops(&net, readings, board)) {
        if (run_rounds(&net, board))
            read_visits(&net, readings);
        else
            (void)nw_fail(&board->error, NW_UNSUPPORTED, "oneDNN", "a kernel failed while it ran");
    }
    network_fini(&net);
}

/* ---- for the caller ---- */

static void sum_up(const network_work *work, nw_exec_network_timing *out)
{
    int n = work->kernels->n_kernels;
    *out = (nw_exec_network_timing){.n_kernels = n,
                                    .kernels = nw_zalloc((size_t)n * sizeof *out->kernels)};
    for (int i = 0; i < n; i++) {
        nw_exec_timing *timing = &out->kernels[i];
        nw_exec_sum_up(&work->readings[i], n + 1, work->options.processes, timing);
        out->n_views += is_view(&work->kernels->kernels[i]);
        out->n_run += timing->is_timed;
        out->sum_min_us += timing->min_us;
    }
    out->n_left_out = n - out->n_views - out->n_run;
    nw_exec_sum_up(&work->readings[n], n + 1, work->options.processes, &out->total);
}

nw_status nw_exec_network(const nw_graph *graph, const nw_kernels *kernels,
                          const nw_exec_options *options, const nw_exec_watch *watch,
                          nw_exec_network_timing *out, nw_error *err)
{
    network_work whole = {
        .graph = graph, .kernels = kernels, .options = nw_exec_options_used(options)};
    size_t n_bytes =
        (size_t)whole.options.processes * ((size_t)kernels->n_kernels + 1) * sizeof *whole.readings;
    whole.readings = nw_exec_share(n_bytes);
    if (!whole.readings)
        return nw_fail(err, NW_IO, "", "cannot share memory with a process");
    nw_exec_work work = {.run = time_network,
                         .context = &whole,
                         .n_processes = whole.options.processes,
                         .total = (int64_t)whole.options.processes * RUN_STEPS};
    nw_status status = nw_exec_in_processes(&work, watch, err);
    if (status == NW_OK)
        sum_up(&whole, out);
    nw_exec_unshare(whole.readings, n_bytes);
    return status;
}

void nw_exec_network_timing_fini(nw_exec_network_timing *timing)
{
    free(timing->kernels);
    *timing = (nw_exec_network_timing){0};
}
