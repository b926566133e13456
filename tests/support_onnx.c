#include "tests/support_onnx.h"

#include <string.h>

void onnx_put_varint(nw_buf *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        nw_buf_add(b, &(char){(char)(value | 0x80)}, 1);
    nw_buf_add(b, &(char){(char)value}, 1);
}

void onnx_put_int(nw_buf *b, int field, int64_t value)
{
    onnx_put_varint(b, (uint64_t)field << 3);
    onnx_put_varint(b, (uint64_t)value);
}

void onnx_put_bytes(nw_buf *b, int field, const void *bytes, size_t n)
{
    onnx_put_varint(b, (uint64_t)field << 3 | 2);
    onnx_put_varint(b, n);
    nw_buf_add(b, bytes, n);
}

void onnx_put_text(nw_buf *b, int field, const char *text)
{
    onnx_put_bytes(b, field, text, strlen(text));
}

/* Appends and releases the message. */
void onnx_put_message(nw_buf *b, int field, nw_buf *message)
{
    onnx_put_bytes(b, field, nw_buf_text(message), message->length);
    nw_buf_fini(message);
}

nw_buf onnx_tensor(const char *name, int type, int n_dims, const int64_t *dims)
{
    nw_buf b = {0};
    for (int i = 0; i < n_dims; i++)
        onnx_put_int(&b, 1, dims[i]);
    onnx_put_int(&b, 2, type);
    onnx_put_text(&b, 8, name);
    return b;
}

nw_buf onnx_raw_tensor(const char *name, int type, int64_t n, const void *bytes, size_t n_bytes)
{
    nw_buf b = onnx_tensor(name, type, 1, &n);
    onnx_put_bytes(&b, 9, bytes, n_bytes);
    return b;
}

nw_buf onnx_float_scalar(const char *name, float value)
{
    nw_buf b = onnx_tensor(name, ONNX_FLOAT, 0, NULL);
    onnx_put_bytes(&b, 9, &value, sizeof value);
    return b;
}

/* A value with sizes; 0 is an open size called "n". */
nw_buf onnx_value(const char *name, int n_dims, const int64_t *dims)
{
    nw_buf shape = {0}, type = {0}, outer = {0}, b = {0};
    for (int i = 0; i < n_dims; i++) {
        nw_buf dim = {0};
        if (dims[i])
            onnx_put_int(&dim, 1, dims[i]);
        else
            onnx_put_text(&dim, 2, "n");
        onnx_put_message(&shape, 1, &dim);
    }
    onnx_put_int(&type, 1, ONNX_FLOAT);
    onnx_put_message(&type, 2, &shape);
    onnx_put_message(&outer, 1, &type);
    onnx_put_text(&b, 1, name);
    onnx_put_message(&b, 2, &outer);
    return b;
}

static void put_names(nw_buf *b, int field, const char *names)
{
    while (*names) {
        size_t n = strcspn(names, " ");
        onnx_put_bytes(b, field, strncmp(names, "-", n) == 0 ? "" : names,
                       strncmp(names, "-", n) == 0 ? 0 : n);
        names += n + (names[n] == ' ');
    }
}

/* Names are separated by blanks; "-" is an input left out. */
nw_buf onnx_node(const char *type, const char *inputs, const char *outputs)
{
    nw_buf b = {0};
    put_names(&b, 1, inputs);
    put_names(&b, 2, outputs);
    onnx_put_text(&b, 4, type);
    return b;
}

void onnx_add_ints(nw_buf *node_bytes, const char *name, int n, const int64_t *values)
{
    nw_buf b = {0};
    onnx_put_text(&b, 1, name);
    onnx_put_int(&b, 20, 7);
    for (int i = 0; i < n; i++)
        onnx_put_int(&b, 8, values[i]);
    onnx_put_message(node_bytes, 5, &b);
}

void onnx_add_int(nw_buf *node_bytes, const char *name, int64_t value)
{
    nw_buf b = {0};
    onnx_put_text(&b, 1, name);
    onnx_put_int(&b, 20, 2);
    onnx_put_int(&b, 3, value);
    onnx_put_message(node_bytes, 5, &b);
}

void onnx_add_message(nw_buf *node_bytes, const char *name, int type, int field, nw_buf *message)
{
    nw_buf b = {0};
    onnx_put_text(&b, 1, name);
    onnx_put_int(&b, 20, type);
    onnx_put_message(&b, field, message);
    onnx_put_message(node_bytes, 5, &b);
}

void onnx_add_node(nw_buf *graph, const char *type, const char *inputs, const char *outputs)
{
    nw_buf b = onnx_node(type, inputs, outputs);
    onnx_put_message(graph, 1, &b);
}

void onnx_add_value(nw_buf *graph, int field, const char *name, int n, const int64_t *dims)
{
    nw_buf b = onnx_value(name, n, dims);
    onnx_put_message(graph, field, &b);
}

void onnx_add_weights(nw_buf *graph, const char *name, const float *values, int n)
{
    nw_buf b = onnx_raw_tensor(name, ONNX_FLOAT, n, values, (size_t)n * sizeof *values);
    onnx_put_message(graph, 5, &b);
}

const int64_t onnx_image[4] = {1, 3, 8, 8};

/* x [1,3,8,8] in and y out; the caller says what is between. */
nw_buf onnx_graph_of_xy(void)
{
    nw_buf b = {0};
    onnx_add_value(&b, 11, "x", 4, onnx_image);
    onnx_add_value(&b, 12, "y", 4, onnx_image);
    return b;
}

nw_buf onnx_model(nw_buf *graph, int opset)
{
    nw_buf b = {0}, import = {0};
    onnx_put_int(&b, 1, 7);
    onnx_put_int(&import, 2, opset);
    onnx_put_message(&b, 8, &import);
    onnx_put_message(&b, 7, graph);
    return b;
}
