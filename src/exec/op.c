/* op.c - one kernel as primitives with their weights, ready to run.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/exec/onednn.h"

/* libgomp's; not every compiler has its header. */
void omp_set_num_threads(int n);

struct nw_exec_engine {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

typedef struct step {
    dnnl_primitive_t primitive;
    dnnl_memory_t memories[NW_N_ARGS]; /* NULL: no such argument */
    dnnl_exec_arg_t args[NW_N_ARGS];
    int n_args;
    void *weights, *bias;
} step;

struct nw_exec_op {
    nw_exec_engine *engine;
    step steps[NW_KERNEL_PARTS];
    int n_steps;
    void *middle; /* the map between two steps */
    nw_exec_sizes sizes;
    const void *second;
    void *out;
    char impl[NW_EXEC_TEXT];
};

/* ---- engine ---- */

nw_status nw_exec_engine_new(nw_exec_engine **out, nw_error *err)
{
    nw_exec_engine engine = {0};
    omp_set_num_threads(1);
    if (dnnl_engine_create(&engine.engine, dnnl_cpu, 0) != dnnl_success)
        return nw_fail(err, NW_UNSUPPORTED, "oneDNN", "does not work on this processor");
    if (dnnl_stream_create(&engine.stream, engine.engine, dnnl_stream_default_flags) !=
        dnnl_success) {
        dnnl_engine_destroy(engine.engine);
        return nw_fail(err, NW_UNSUPPORTED, "oneDNN", "cannot make a stream");
    }
    *out = nw_alloc(sizeof engine);
    **out = engine;
    return NW_OK;
}

void nw_exec_engine_free(nw_exec_engine *engine)
{
    if (!engine)
        return;
    dnnl_stream_destroy(engine->stream);
    dnnl_engine_destroy(engine->engine);
    free(engine);
}

const char *nw_exec_version(char *dst, size_t size)
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(dst, size, "%d.%d.%d", version->major, version->minor, version->patch);
    return dst;
}

/* ---- weights ---- */

static size_t bytes_of(const dnnl_memory_desc_t *desc)
{
    return desc->ndims ? dnnl_memory_desc_get_size(desc) : 0;
}

static void *without_const(const void *memory)
{
    return (void *)(uintptr_t)memory; /* the library reads and writes through one type */
}

static bool reorder(nw_exec_engine *engine, const void *from, const dnnl_memory_desc_t *plain,
                    void *to, const dnnl_memory_desc_t *wanted)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_t source = NULL, target = NULL;
    bool is_good =
        dnnl_reorder_primitive_desc_create(&desc, plain, engine->engine, wanted, engine->engine,
                                           NULL) == dnnl_success &&
        dnnl_primitive_create(&primitive, desc) == dnnl_success &&
        dnnl_memory_create(&source, plain, engine->engine, without_const(from)) == dnnl_success &&
        dnnl_memory_create(&target, wanted, engine->engine, to) == dnnl_success;
    if (is_good) {
        const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}};
        is_good = dnnl_primitive_execute(primitive, engine->stream, 2, args) == dnnl_success &&
                  dnnl_stream_wait(engine->stream) == dnnl_success;
    }
    dnnl_memory_destroy(target);
    dnnl_memory_destroy(source);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(desc);
    return is_good;
}

/* Floats within He's uniform bound (He et al., Delving deep into rectifiers, 2015), so that maps
 * neither vanish nor explode. */
static void draw_weights(const nw_exec_plan *p, void *to, size_t n_bytes)
{
    double n = (double)p->part->in_c / p->part->groups * p->part->kernel_h * p->part->kernel_w;
    if (p->plain_weights.data_type == dnnl_f32)
        nw_exec_fill_floats(to, n_bytes / sizeof(float), (float)sqrt(6 / n), 1);
    else
        nw_exec_fill_bytes(to, n_bytes, 1);
}

static bool make_weights(nw_exec_engine *engine, const nw_exec_plan *p, const void *given,
                         const void *given_bias, step *out)
{
    const dnnl_memory_desc_t *wanted = &p->memories[NW_ARG_WEIGHTS];
    size_t n_bytes = bytes_of(&p->plain_weights), bias_bytes = bytes_of(&p->memories[NW_ARG_BIAS]);
    void *drawn = NULL;
    out->bias = nw_exec_buffer(bias_bytes);
    if (given_bias)
        memcpy(out->bias, given_bias, bias_bytes);
    else
        memset(out->bias, 0, bias_bytes);
    if (!given) {
        drawn = nw_exec_buffer(n_bytes);
        draw_weights(p, drawn, n_bytes);
    }
    out->weights = nw_exec_buffer(bytes_of(wanted));
    bool is_good = reorder(engine, given ? given : drawn, &p->plain_weights, out->weights, wanted);
    free(drawn);
    return is_good;
}

/* ---- making ---- */

static const char *make_memories(nw_exec_engine *engine, const nw_exec_plan *p, step *out)
{
    static const int numbers[NW_N_ARGS] = {DNNL_ARG_SRC, DNNL_ARG_SRC_1, DNNL_ARG_WEIGHTS,
                                           DNNL_ARG_BIAS, DNNL_ARG_DST};
    for (int i = 0; i < NW_N_ARGS; i++) {
        void *handle = i == NW_ARG_WEIGHTS ? out->weights : i == NW_ARG_BIAS ? out->bias : NULL;
        int number = numbers[i];
        if (!p->memories[i].ndims)
            continue;
        if (i == NW_ARG_SECOND && p->part->kind == NW_KERNEL_MATMUL)
            number = DNNL_ARG_WEIGHTS;
        if (dnnl_memory_create(&out->memories[i], &p->memories[i], engine->engine,
                               handle ? handle : DNNL_MEMORY_NONE) != dnnl_success)
            return "oneDNN ran out of memory";
        out->args[out->n_args++] = (dnnl_exec_arg_t){number, out->memories[i]};
    }
    return NULL;
}

static const char *make_step(nw_exec_engine *engine, const nw_exec_plan *p, const void *weights,
                             const void *bias, step *out)
{
    if (dnnl_primitive_create(&out->primitive, p->chosen) != dnnl_success)
        return "oneDNN could not make its code";
    if (p->plain_weights.ndims && !make_weights(engine, p, weights, bias, out))
        return "oneDNN could not lay out the weights";
    return make_memories(engine, p, out);
}

static void step_fini(step *s)
{
    for (int i = 0; i < NW_N_ARGS; i++)
        dnnl_memory_destroy(s->memories[i]);
    dnnl_primitive_destroy(s->primitive);
    free(s->weights);
    free(s->bias);
}

static void find_sizes(nw_exec_op *op, bool has_residual, const nw_exec_plan *first,
                       const nw_exec_plan *last)
{
    nw_exec_sizes *s = &op->sizes;
    s->in_bytes = bytes_of(&first->memories[NW_ARG_IN]);
    s->second_bytes = bytes_of(&first->memories[NW_ARG_SECOND]);
    s->out_bytes = bytes_of(&last->memories[NW_ARG_OUT]);
    s->weight_bytes = bytes_of(&first->memories[NW_ARG_WEIGHTS]);
    if (last != first) {
        s->weight_bytes += bytes_of(&last->memories[NW_ARG_WEIGHTS]);
        op->middle = nw_exec_buffer(bytes_of(&first->memories[NW_ARG_OUT]));
    }
    s->in_is_float = first->memories[NW_ARG_IN].data_type == dnnl_f32;
    s->out_is_float = last->memories[NW_ARG_OUT].data_type == dnnl_f32;
    if (has_residual) {
        s->second_bytes = s->out_bytes;
        s->is_in_place = true;
    }
}

nw_exec_op *nw_exec_op_new(nw_exec_engine *engine, const nw_kernel_shape *shape,
                           const nw_exec_data *constants, char *why)
{
    nw_exec_plan plans[NW_KERNEL_PARTS];
    const nw_exec_data *c = constants;
    const char *reason = nw_exec_check_shape(shape);
    nw_exec_op *op = nw_zalloc(sizeof *op);
    op->engine = engine;
    for (int i = 0; !reason && i < shape->n_parts; i++) {
        reason = nw_exec_plan_init(&plans[i], engine->engine, shape, i, c ? &c->scale[i] : NULL,
                                   op->impl);
        op->n_steps++;
        if (!reason)
            reason = make_step(engine, &plans[i], c ? c->weights[i] : NULL, c ? c->bias[i] : NULL,
                               &op->steps[i]);
    }
    if (!reason)
        find_sizes(op, shape->residual != 0, &plans[0], &plans[op->n_steps - 1]);
    for (int i = 0; i < op->n_steps; i++)
        nw_exec_plan_fini(&plans[i]);
    if (!reason)
        return op;
    snprintf(why, NW_EXEC_TEXT, "%s%s%.40s", reason, op->impl[0] ? ": " : "", op->impl);
    nw_exec_op_free(op);
    return NULL;
}

void nw_exec_op_free(nw_exec_op *op)
{
    if (!op)
        return;
    for (int i = 0; i < op->n_steps; i++)
        step_fini(&op->steps[i]);
    free(op->middle);
    free(op);
}

const nw_exec_sizes *nw_exec_op_sizes(const nw_exec_op *op)
{
    return &op->sizes;
}

const char *nw_exec_op_impl(const nw_exec_op *op)
{
    return op->impl;
}

/* ---- running ---- */

static void put(const step *s, int arg, const void *at)
{
    if (s->memories[arg])
        dnnl_memory_set_data_handle(s->memories[arg], without_const(at));
}

void nw_exec_op_bind(nw_exec_op *op, const void *in, const void *second, void *out)
{
    step *first = &op->steps[0], *last = &op->steps[op->n_steps - 1];
    if (op->n_steps > 1) {
        put(first, NW_ARG_OUT, op->middle);
        put(last, NW_ARG_IN, op->middle);
    }
    put(first, NW_ARG_IN, in);
    put(first, NW_ARG_SECOND, second);
    put(last, NW_ARG_OUT, out);
    op->second = second;
    op->out = out;
}

bool nw_exec_op_run(nw_exec_op *op)
{
    if (op->sizes.is_in_place && op->second != op->out)
        memcpy(op->out, op->second, op->sizes.out_bytes);
    for (int i = 0; i < op->n_steps; i++)
        if (dnnl_primitive_execute(op->steps[i].primitive, op->engine->stream, op->steps[i].n_args,
                                   op->steps[i].args) != dnnl_success)
            return false;
    return dnnl_stream_wait(op->engine->stream) == dnnl_success;
}
