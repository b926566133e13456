#include "tests/support_tflite.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 65536

/* Parents come before what they refer to, since offsets lead forward. */
typedef struct writer {
    uint8_t *bytes;
    size_t n;
} writer;

static void put(writer *w, size_t at, uint64_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        w->bytes[at + (size_t)i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const writer *w, size_t at, int n_bytes)
{
    uint64_t value = 0;
    for (int i = n_bytes - 1; i >= 0; i--)
        value = value << 8 | w->bytes[at + (size_t)i];
    return value;
}

static size_t extend(writer *w, size_t n_bytes, size_t align)
{
    w->n = (w->n + align - 1) / align * align;
    size_t at = w->n;
    w->n += n_bytes;
    if (w->n > MAX_BYTES)
        abort();
    return at;
}

/* A table with a field for every digit of sizes; the reference at `from` leads to it. */
static size_t add_table(writer *w, size_t from, const char *sizes)
{
    size_t n_slots = strlen(sizes), table_bytes = 4;
    size_t vtable = extend(w, 4 + 2 * n_slots, 2);
    for (size_t i = 0; i < n_slots; i++) {
        size_t size = (size_t)(sizes[i] - '0');
        if (!size)
            continue;
        table_bytes = (table_bytes + size - 1) / size * size;
        put(w, vtable + 4 + 2 * i, table_bytes, 2);
        table_bytes += size;
    }
    size_t table = extend(w, table_bytes, 8);
    put(w, vtable, 4 + 2 * n_slots, 2);
    put(w, vtable + 2, table_bytes, 2);
    put(w, table, table - vtable, 4);
    put(w, from, table - from, 4);
    return table;
}

static size_t field(const writer *w, size_t table, int slot)
{
    size_t vtable = table - (size_t)get(w, table, 4);
    return table + (size_t)get(w, vtable + 4 + 2 * (size_t)slot, 2);
}

/* A vector behind the reference at `from`; its first element is returned. */
static size_t add_vector(writer *w, size_t from, size_t n, size_t element_bytes)
{
    size_t at = extend(w, 4, 4);
    if (element_bytes == 8 && (at + 4) % 8)
        at = extend(w, 4, 4);
    put(w, from, at - from, 4);
    put(w, at, n, 4);
    return extend(w, n * element_bytes, 4);
}

static void add_text(writer *w, size_t from, const char *text)
{
    size_t at = add_vector(w, from, strlen(text), 1);
    memcpy(w->bytes + at, text, strlen(text));
    extend(w, 1, 1);
}

static void add_ints(writer *w, size_t from, const int *values, int n)
{
    size_t at = add_vector(w, from, (size_t)n, 4);
    for (int i = 0; i < n; i++)
        put(w, at + 4 * (size_t)i, (uint32_t)values[i], 4);
}

static void add_quant(writer *w, size_t from, const made_tensor *tensor)
{
    size_t table = add_table(w, from, "0044004");
    size_t scales = add_vector(w, field(w, table, 2), (size_t)tensor->n_scales, 4);
    for (int i = 0; i < tensor->n_scales; i++) {
        float scale = (float)i + 0.5f;
        uint32_t bits;
        memcpy(&bits, &scale, sizeof bits);
        put(w, scales + 4 * (size_t)i, bits, 4);
    }
    size_t points = add_vector(w, field(w, table, 3), (size_t)tensor->n_scales, 8);
    for (int i = 0; i < tensor->n_scales; i++)
        put(w, points + 8 * (size_t)i, (uint64_t)(i + 3), 8);
    put(w, field(w, table, 6), (uint32_t)tensor->axis, 4);
}

static void add_tensor(writer *w, size_t from, const made_tensor *tensor, int buffer)
{
    char sizes[] = "414400001";
    sizes[4] = tensor->n_scales ? '4' : '0';
    sizes[5] = tensor->is_variable ? '1' : '0';
    sizes[6] = tensor->is_sparse ? '4' : '0';
    size_t table = add_table(w, from, sizes);
    put(w, field(w, table, 1), (uint8_t)tensor->type, 1);
    put(w, field(w, table, 2), (uint32_t)buffer, 4);
    put(w, field(w, table, 8), tensor->has_rank, 1);
    if (tensor->is_variable)
        put(w, field(w, table, 5), 1, 1);
    add_ints(w, field(w, table, 0), tensor->dims, tensor->rank);
    add_text(w, field(w, table, 3), tensor->name);
    if (tensor->n_scales)
        add_quant(w, field(w, table, 4), tensor);
    if (tensor->is_sparse)
        add_table(w, field(w, table, 6), "");
}

static void add_op(writer *w, size_t from, const made_op *op, int index)
{
    char sizes[] = "444100";
    sizes[4] = op->option_sizes ? '4' : '0';
    sizes[5] = op->n_custom_bytes ? '4' : '0';
    size_t table = add_table(w, from, sizes);
    put(w, field(w, table, 0), (uint32_t)index, 4);
    put(w, field(w, table, 3), (uint8_t)op->options_type, 1);
    add_ints(w, field(w, table, 1), op->inputs, op->n_inputs);
    add_ints(w, field(w, table, 2), op->outputs, op->n_outputs);
    if (op->n_custom_bytes)
        add_vector(w, field(w, table, 5), (size_t)op->n_custom_bytes, 1);
    if (!op->option_sizes)
        return;
    size_t options = add_table(w, field(w, table, 4), op->option_sizes);
    for (int i = 0; op->option_sizes[i]; i++)
        if (op->option_sizes[i] != '0' && !(op->n_list && i == 0))
            put(w, field(w, options, i), (uint32_t)op->options[i], op->option_sizes[i] - '0');
    if (op->n_list)
        add_ints(w, field(w, options, 0), op->list, op->n_list);
}

/* Buffer 0 is empty; buffer i + 1 belongs to tensor i. */
static void add_buffers(writer *w, size_t from, const made_model *model)
{
    size_t list = add_vector(w, from, (size_t)model->n_tensors + 1, 4);
    add_table(w, list, "");
    size_t behind[64] = {0};
    for (int i = 0; i < model->n_tensors; i++) {
        const made_tensor *tensor = &model->tensors[i];
        size_t ref = list + 4 * (size_t)(i + 1);
        if (!tensor->data) {
            add_table(w, ref, "");
        } else if (tensor->is_behind) {
            behind[i] = add_table(w, ref, "088");
        } else {
            size_t at = add_vector(w, field(w, add_table(w, ref, "4"), 0), tensor->n_bytes, 1);
            memcpy(w->bytes + at, tensor->data, tensor->n_bytes);
        }
    }
    for (int i = 0; i < model->n_tensors; i++) {
        if (!behind[i])
            continue;
        size_t at = extend(w, model->tensors[i].n_bytes, 16);
        memcpy(w->bytes + at, model->tensors[i].data, model->tensors[i].n_bytes);
        put(w, field(w, behind[i], 1), at, 8);
        put(w, field(w, behind[i], 2), model->tensors[i].n_bytes, 8);
    }
}

static void share_op(writer *w, size_t list, size_t n)
{
    size_t table = add_table(w, list, "444");
    for (size_t i = 0; i < n; i++)
        put(w, list + 4 * i, table - (list + 4 * i), 4);
    add_vector(w, field(w, table, 1), n, 4); /* all of them tensor 0 */
    add_vector(w, field(w, table, 2), 0, 4);
}

static void add_subgraph(writer *w, size_t from, const made_model *model)
{
    size_t table = add_table(w, from, "44444");
    add_text(w, field(w, table, 4), "main");
    add_ints(w, field(w, table, 1), model->inputs, model->n_inputs);
    add_ints(w, field(w, table, 2), model->outputs, model->n_outputs);
    size_t list = add_vector(w, field(w, table, 0), (size_t)model->n_tensors, 4);
    for (int i = 0; i < model->n_tensors; i++)
        add_tensor(w, list + 4 * (size_t)i, &model->tensors[i], i + 1);
    size_t n_refs = (size_t)(model->n_shared ? model->n_shared : model->n_ops);
    list = add_vector(w, field(w, table, 3), n_refs, 4);
    if (model->n_shared) {
        share_op(w, list, n_refs);
        return;
    }
    for (int i = 0; i < model->n_ops; i++)
        add_op(w, list + 4 * (size_t)i, &model->ops[i], i);
}

static void add_codes(writer *w, size_t from, const made_model *model)
{
    size_t list = add_vector(w, from, (size_t)model->n_ops, 4);
    for (int i = 0; i < model->n_ops; i++) {
        const made_op *op = &model->ops[i];
        size_t table = add_table(w, list + 4 * (size_t)i, op->custom ? "1444" : "1044");
        put(w, field(w, table, 0), op->code < 127 ? (uint8_t)op->code : 127, 1);
        put(w, field(w, table, 2), 1, 4);
        put(w, field(w, table, 3), (uint32_t)op->code, 4);
        if (op->custom)
            add_text(w, field(w, table, 1), op->custom);
    }
}

uint8_t *make_tflite(const made_model *model, size_t *n_bytes)
{
    writer w = {.bytes = calloc(1, MAX_BYTES)};
    extend(&w, 8, 1);
    memcpy(w.bytes + 4, "TFL3", 4);
    size_t root = add_table(&w, 0, "44404");
    put(&w, field(&w, root, 0), 3, 4);
    add_codes(&w, field(&w, root, 1), model);
    int n_subgraphs = model->n_subgraphs ? model->n_subgraphs : 1;
    size_t list = add_vector(&w, field(&w, root, 2), (size_t)n_subgraphs, 4);
    for (int i = 0; i < n_subgraphs; i++)
        add_subgraph(&w, list + 4 * (size_t)i, model);
    add_buffers(&w, field(&w, root, 4), model);
    *n_bytes = w.n;
    return w.bytes;
}

static const int8_t small_weights[4 * 3 * 3 * 2] = {1, -2, 3};
static const int32_t small_bias[4] = {10, 20, 30, 40};

static const made_tensor small_tensors[] = {
    {"image", 9, 4, {1, 8, 8, 2}, .n_scales = 1},
    {"weights", 9, 4, {4, 3, 3, 2}, small_weights, sizeof small_weights, .n_scales = 4},
    {"bias", 2, 1, {4}, small_bias, sizeof small_bias},
    {"features", 9, 4, {1, 4, 4, 4}, .n_scales = 1},
    {"sum", 9, 4, {1, 4, 4, 4}, .n_scales = 1},
};

static const made_op small_ops[] = {
    /* Conv2DOptions: SAME, stride 2 x 2, RELU6, dilation 1 x 1 */
    {3, NULL, 3, {0, 1, 2}, 1, {3}, 1, "144144", {0, 2, 2, 3, 1, 1}},
    /* AddOptions: RELU */
    {0, NULL, 2, {3, 3}, 1, {4}, 11, "1", {1}},
};

const made_model small_model = {small_tensors, small_ops, 5, 2, 1, {0}, 1, {4}};
