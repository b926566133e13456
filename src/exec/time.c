/* time.c - kernels timed in companies, each after its producer. The protocol is in exec.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/exec/internal.h"

#define COMPANY_BYTES    ((size_t)24 << 20) /* of weights and maps: within a third-level cache */
#define DEFAULT_L2_BYTES ((size_t)1 << 20)
#define MAX_L2_BYTES     ((size_t)8 << 20)
#define N_BYSTANDERS     4
#define KERNEL_STEPS     1000 /* what a kernel counts for in progress */

typedef struct member {
    nw_exec_op *op;
    nw_exec_reading *reading; /* where the result goes */
    size_t n_bytes;           /* what a visit touches */
    double *visits;
    int n_visits, n_mean;
} member;

typedef struct company {
    nw_exec_engine *engine;
    member *members;
    int n;
    size_t capacity, n_bytes;
    uint8_t *arena; /* all maps lie in here, over each other */
    size_t arena_bytes;
    uint8_t *filler;
    size_t filler_bytes;
    nw_exec_op *bystanders[N_BYSTANDERS];
} company;

typedef struct list_work {
    const nw_kernel_shape *shapes;
    int n;
    nw_exec_options options;
    nw_exec_reading *readings; /* [process][shape], shared */
} list_work;

/* ---- what else a network would run ---- */

/* The middle of a small inverted bottleneck: enough to keep the library's own code in reach. */
static nw_kernel_shape bystander_shape(int i)
{
    static const struct {
        nw_kernel_kind kind;
        int side, in_c, out_c, kernel, residual;
    } rows[N_BYSTANDERS] = {{NW_KERNEL_CONV, 14, 32, 96, 1, 0},
                            {NW_KERNEL_DWCONV, 14, 96, 96, 3, 0},
                            {NW_KERNEL_CONV, 14, 96, 32, 1, 1},
                            {NW_KERNEL_CONV, 7, 64, 64, 1, 0}};
    nw_kernel_shape s;
    memset(&s, 0, sizeof s);
    s.n_parts = 1;
    s.bits = s.weight_bits = 32;
    s.is_float = 1;
    s.n_maps = 1;
    s.slow_op = -1;
    s.residual = rows[i].residual;
    s.act = s.residual ? NW_KERNEL_ACT_NONE : NW_KERNEL_ACT_CLAMP;
    s.parts[0] = (nw_kernel_part){.kind = rows[i].kind,
                                  .in_h = rows[i].side,
                                  .in_w = rows[i].side,
                                  .in_c = rows[i].in_c,
                                  .out_h = rows[i].side,
                                  .out_w = rows[i].side,
                                  .out_c = rows[i].out_c,
                                  .kernel_h = rows[i].kernel,
                                  .kernel_w = rows[i].kernel,
                                  .stride_h = 1,
                                  .stride_w = 1,
                                  .dilation_h = 1,
                                  .dilation_w = 1,
                                  .groups = rows[i].kind == NW_KERNEL_DWCONV ? rows[i].in_c : 1};
    return s;
}

static size_t l2_bytes(void)
{
    long n = -1;
#ifdef _SC_LEVEL2_CACHE_SIZE
    n = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    size_t known = n > 0 ? (size_t)n : DEFAULT_L2_BYTES;
    return known < MAX_L2_BYTES ? known : MAX_L2_BYTES;
}

static void read_filler(const company *c, size_t n_bytes)
{
    volatile uint8_t sink;
    unsigned sum = 0;
    for (size_t i = 0; i < n_bytes && i < c->filler_bytes; i += 64)
        sum += c->filler[i];
    sink = (uint8_t)sum;
    (void)sink;
}

/* Makes up for what a round does not touch by itself. */
static void run_bystanders(const company *c, size_t touched_bytes)
{
    if (touched_bytes >= c->filler_bytes)
        return;
    read_filler(c, c->filler_bytes - touched_bytes);
    for (int i = 0; i < N_BYSTANDERS; i++)
        if (c->bystanders[i])
            (void)nw_exec_op_run(c->bystanders[i]);
}

/* ---- maps ---- */

typedef struct places {
    size_t in, second, out, end; /* in the arena */
} places;

static places places_of(const nw_exec_sizes *s)
{
    places p = {.in = 0, .out = nw_exec_align(s->in_bytes)};
    p.second = p.out + nw_exec_align(s->out_bytes);
    p.end = p.second + nw_exec_align(s->second_bytes);
    if (s->is_in_place)
        p.second = p.out;
    return p;
}

static void bind(const company *c, nw_exec_op *op)
{
    const nw_exec_sizes *s = nw_exec_op_sizes(op);
    places p = places_of(s);
    nw_exec_op_bind(op, c->arena + p.in, s->second_bytes ? c->arena + p.second : NULL,
                    c->arena + p.out);
}

static void widen_arena(company *c, const nw_exec_op *op)
{
    places p = places_of(nw_exec_op_sizes(op));
    c->arena_bytes = p.end > c->arena_bytes ? p.end : c->arena_bytes;
}

/* ---- visits ---- */

/* Negative: oneDNN failed. */
static double visit(const company *c, const member *m)
{
    const nw_exec_sizes *s = nw_exec_op_sizes(m->op);
    places p = places_of(s);
    if (s->second_bytes)
        nw_exec_produce(c->arena + p.second, s->second_bytes,
                        s->is_in_place ? s->out_is_float : s->in_is_float);
    if (!s->is_in_place)
        nw_exec_produce(c->arena + p.out, s->out_bytes, s->out_is_float);
    nw_exec_produce(c->arena + p.in, s->in_bytes, s->in_is_float);
    double begin_us = nw_exec_now_us();
    bool is_good = nw_exec_op_run(m->op);
    double end_us = nw_exec_now_us();
    return is_good ? end_us - begin_us : -1;
}

/* The first visits tell how many it takes. */
static bool plan_visits(company *c, int repeats, nw_exec_board *board)
{
    for (int i = 0; i < c->n; i++) {
        member *m = &c->members[i];
        nw_exec_beat(board);
        double first_us = visit(c, m), us = visit(c, m);
        if (first_us < 0 || us < 0)
            return false;
        us = us < first_us ? us : first_us;
        m->n_mean = nw_exec_visits_per_sample(us);
        m->n_visits = nw_exec_sample_count(us, repeats) * m->n_mean;
        m->visits = nw_alloc((size_t)m->n_visits * sizeof *m->visits);
    }
    return true;
}

static bool run_round(company *c, int round, nw_exec_board *board)
{
    size_t touched = 0;
    for (int i = 0; i < c->n; i++) {
        member *m = &c->members[i];
        if (round >= m->n_visits)
            continue;
        nw_exec_beat(board);
        m->visits[round] = visit(c, m);
        if (m->visits[round] < 0)
            return false;
        touched += m->n_bytes;
    }
    run_bystanders(c, touched);
    return true;
}

static bool run_rounds(company *c, int repeats, nw_exec_board *board)
{
    int n_rounds = 0;
    int64_t done = atomic_load(&board->done);
    for (int i = 0; i < N_BYSTANDERS; i++)
        if (c->bystanders[i])
            bind(c, c->bystanders[i]);
    for (int i = 0; i < c->n; i++)
        bind(c, c->members[i].op);
    if (!plan_visits(c, repeats, board))
        return false;
    for (int i = 0; i < c->n; i++)
        n_rounds = c->members[i].n_visits > n_rounds ? c->members[i].n_visits : n_rounds;
    for (int round = 0; round < n_rounds; round++) {
        nw_exec_leave_if_alone(board);
        if (!run_round(c, round, board))
            return false;
        atomic_store(&board->done, done + (int64_t)c->n * KERNEL_STEPS * (round + 1) / n_rounds);
    }
    for (int i = 0; i < c->n; i++) {
        member *m = &c->members[i];
        nw_exec_read_visits(m->visits, m->n_visits, m->n_mean, m->reading);
    }
    return true;
}

/* Times the company and sends it home. */
static bool dismiss(company *c, int repeats, nw_exec_board *board)
{
    c->arena = nw_exec_buffer(c->arena_bytes);
    nw_exec_produce(c->arena, c->arena_bytes, true);
    bool is_good = run_rounds(c, repeats, board);
    for (int i = 0; i < c->n; i++) {
        nw_exec_op_free(c->members[i].op);
        free(c->members[i].visits);
    }
    free(c->arena);
    c->arena = NULL;
    c->arena_bytes = c->n_bytes = 0;
    c->n = 0;
    return is_good;
}

static void company_init(company *c, nw_exec_engine *engine)
{
    char why[NW_EXEC_TEXT];
    *c = (company){.engine = engine, .filler_bytes = 2 * l2_bytes()};
    c->filler = nw_exec_buffer(c->filler_bytes);
    memset(c->filler, 1, c->filler_bytes);
    for (int i = 0; i < N_BYSTANDERS; i++) {
        nw_kernel_shape shape = bystander_shape(i);
        c->bystanders[i] = nw_exec_op_new(engine, &shape, NULL, why);
    }
}

static void company_fini(company *c)
{
    for (int i = 0; i < N_BYSTANDERS; i++)
        nw_exec_op_free(c->bystanders[i]);
    free(c->filler);
    free(c->members);
}

static void admit(company *c, nw_exec_op *op, nw_exec_reading *reading, size_t n_bytes)
{
    for (int i = 0; i < N_BYSTANDERS; i++)
        if (c->bystanders[i])
            widen_arena(c, c->bystanders[i]);
    widen_arena(c, op);
    c->members = nw_grow(c->members, (size_t)c->n, &c->capacity, sizeof *c->members);
    c->members[c->n++] = (member){.op = op, .reading = reading, .n_bytes = n_bytes};
    c->n_bytes += n_bytes;
}

static bool take(company *c, const list_work *work, int index, nw_exec_reading *reading,
                 nw_exec_board *board)
{
    nw_exec_beat(board);
    nw_exec_op *op = nw_exec_op_new(c->engine, &work->shapes[index], NULL, reading->reason);
    if (!op) {
        atomic_fetch_add(&board->done, KERNEL_STEPS);
        return true;
    }
    const nw_exec_sizes *s = nw_exec_op_sizes(op);
    size_t n_bytes = s->weight_bytes + s->in_bytes + s->out_bytes + s->second_bytes;
    snprintf(reading->impl, sizeof reading->impl, "%s", nw_exec_op_impl(op));
    bool is_good =
        !c->n || c->n_bytes + n_bytes <= COMPANY_BYTES || dismiss(c, work->options.repeats, board);
    admit(c, op, reading, n_bytes);
    return is_good;
}

static void time_list(void *context, int process, nw_exec_board *board)
{
    const list_work *work = context;
    nw_exec_reading *readings = work->readings + (size_t)process * (size_t)work->n;
    nw_exec_engine *engine = NULL;
    company c;
    if (nw_exec_engine_new(&engine, &board->error) != NW_OK)
        return;
    company_init(&c, engine);
    bool is_good = true;
    for (int i = 0; i < work->n && is_good; i++)
        is_good = take(&c, work, i, &readings[i], board);
    if (c.n)
        is_good = dismiss(&c, work->options.repeats, board) && is_good;
    company_fini(&c);
    nw_exec_engine_free(engine);
    if (!is_good)
        (void)nw_fail(&board->error, NW_UNSUPPORTED, "oneDNN", "a kernel failed while it ran");
}

nw_status nw_exec_time(const nw_kernel_shape *shapes, int n, const nw_exec_options *options,
                       const nw_exec_watch *watch, nw_exec_timing *out, nw_error *err)
{
    list_work list = {.shapes = shapes, .n = n, .options = nw_exec_options_used(options)};
    int n_processes = list.options.processes;
    size_t n_bytes = (size_t)n_processes * (size_t)n * sizeof *list.readings;
    if (n == 0)
        return NW_OK;
    list.readings = nw_exec_share(n_bytes);
    if (!list.readings)
        return nw_fail(err, NW_IO, "", "cannot share memory with a process");
    nw_exec_work work = {.run = time_list,
                         .context = &list,
                         .n_processes = n_processes,
                         .total = (int64_t)n_processes * n * KERNEL_STEPS};
    nw_status status = nw_exec_in_processes(&work, watch, err);
    for (int i = 0; status == NW_OK && i < n; i++)
        nw_exec_sum_up(&list.readings[i], n, n_processes, &out[i]);
    nw_exec_unshare(list.readings, n_bytes);
    return status;
}

nw_status nw_exec_run(const nw_kernel_shape *shape, const nw_exec_data *data, nw_error *err)
{
    char why[NW_EXEC_TEXT], name[64];
    nw_exec_engine *engine;
    nw_status status = nw_exec_engine_new(&engine, err);
    if (status != NW_OK)
        return status;
    nw_exec_op *op = nw_exec_op_new(engine, shape, data, why);
    nw_kernel_shape_name(shape, name, sizeof name);
    if (!op) {
        status = nw_fail(err, NW_UNSUPPORTED, name, "%s", why);
    } else if (nw_exec_op_sizes(op)->second_bytes && !data->second) {
        status = nw_fail(err, NW_INVALID, name, "reads a second map, which is missing");
    } else {
        nw_exec_op_bind(op, data->in, data->second, data->out);
        if (!nw_exec_op_run(op))
            status = nw_fail(err, NW_UNSUPPORTED, name, "oneDNN failed while it ran");
    }
    nw_exec_op_free(op);
    nw_exec_engine_free(engine);
    return status;
}
