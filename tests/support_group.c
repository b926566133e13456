#include "tests/support_group.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- networks whose constants number their elements ---- */

static void number_constants(nw_graph *graph)
{
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        const nw_tensor *tensor = &graph->tensors[id];
        size_t n = (size_t)nw_shape_elements(&tensor->shape);
        if (!tensor->is_const || tensor->data || tensor->dtype != NW_DTYPE_FLOAT32)
            continue;
        float *values = nw_graph_alloc(graph, n * sizeof *values);
        for (size_t i = 0; i < n; i++)
            values[i] = (float)i;
        nw_graph_set_data(graph, id, values, n * sizeof *values, -1);
    }
}

group_net group_net_end(net *n)
{
    number_constants(n->graph);
    nw_graph *graph = net_end(n);
    return (group_net){graph, nw_groups_find(graph)};
}

void group_net_free(group_net *b)
{
    nw_groups_free(b->groups);
    nw_graph_free(b->graph);
}

const nw_channel_group *channels_of(const group_net *b, nw_tensor_id tensor)
{
    int n, index = nw_groups_of(b->groups, tensor, NULL, 0);
    const nw_channel_group *list = nw_groups_list(b->groups, &n);
    return index < 0 ? NULL : &list[index];
}

bool are_one_group(const group_net *b, nw_tensor_id x, nw_tensor_id y)
{
    return channels_of(b, x) && channels_of(b, x) == channels_of(b, y);
}

nw_graph *resize_channels(const group_net *b, nw_tensor_id tensor, int64_t n)
{
    nw_error err;
    nw_graph *out;
    nw_resize size = {nw_groups_of(b->groups, tensor, NULL, 0), n};
    if (nw_resize_groups(b->groups, &size, 1, &out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return out;
}

void check_refused(const group_net *b, nw_tensor_id tensor, int64_t n, const char *part)
{
    nw_error err;
    nw_graph *out;
    nw_resize size = {nw_groups_of(b->groups, tensor, NULL, 0), n};
    ck_assert_int_eq(nw_resize_groups(b->groups, &size, 1, &out, &err), NW_INVALID);
    ck_assert_msg(strstr(err.message, part), "'%s' lacks '%s'", err.message, part);
}

void check_fixed(const group_net *b, nw_tensor_id tensor, const char *why)
{
    const nw_channel_group *group = channels_of(b, tensor);
    ck_assert(group && group->is_fixed);
    ck_assert_str_eq(group->why, why);
}

void check_shape(const nw_graph *graph, nw_tensor_id id, int rank, int64_t a, int64_t b, int64_t c,
                 int64_t d)
{
    nw_shape shape = {.rank = rank, .dims = {a, b, c, d}};
    ck_assert_msg(nw_shape_equal(&graph->tensors[id].shape, &shape), "%s: %d: %d %d %d %d",
                  graph->tensors[id].name, graph->tensors[id].shape.rank,
                  (int)graph->tensors[id].shape.dims[0], (int)graph->tensors[id].shape.dims[1],
                  (int)graph->tensors[id].shape.dims[2], (int)graph->tensors[id].shape.dims[3]);
}

/* The first n values of a constant of the resized graph; -1 stands for any new one. */
void check_values(const nw_graph *graph, nw_tensor_id id, int n, const float *expected)
{
    void *bytes;
    size_t n_bytes;
    nw_dtype dtype;
    nw_error err;
    if (nw_tensor_values(&graph->tensors[id], 1, &bytes, &n_bytes, &dtype, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert_uint_ge(n_bytes, (size_t)n * sizeof(float));
    const float *values = bytes;
    for (int i = 0; i < n; i++)
        if (expected[i] >= 0)
            ck_assert_msg(values[i] == expected[i], "%s: value %d is %g, not %g",
                          graph->tensors[id].name, i, (double)values[i], (double)expected[i]);
        else /* He's weights are small, no number of an element */
            ck_assert_msg(values[i] != (float)(int)values[i], "%s: value %d is not new: %g",
                          graph->tensors[id].name, i, (double)values[i]);
    free(bytes);
}

/* The weights that the operator writing a tensor reads, in any graph of these ids. */
nw_tensor_id weights_of(const nw_graph *graph, nw_tensor_id out)
{
    return graph->nodes[graph->tensors[out].producer].inputs[1];
}

nw_tensor_id net_grouped_conv(net *n, int c_out, int groups)
{
    nw_tensor_id in[2] = {n->at, net_constant(n, NW_DTYPE_FLOAT32, 4, c_out, n->c / groups, 1, 1)};
    nw_node *node = net_layer(n, NW_OP_CONV2D, "Conv", in, 2);
    node->attrs.weight_layout = NW_WEIGHTS_OIHW;
    node->attrs.groups = groups;
    n->c = c_out;
    return n->at;
}

nw_tensor_id net_list(net *n, const int64_t *values, int count)
{
    return nw_graph_add_ints(n->graph, "list", values, count);
}

void net_reshape_list(net *n, const int64_t *dims, int rank)
{
    nw_tensor_id in[2] = {n->at, net_list(n, dims, rank)};
    net_layer(n, NW_OP_RESHAPE, "Reshape", in, 2);
}

void net_transpose_list(net *n, const int64_t *perm, int rank)
{
    nw_tensor_id in[2] = {n->at, net_list(n, perm, rank)};
    net_layer(n, NW_OP_TRANSPOSE, "Transpose", in, 2);
}
