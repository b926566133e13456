/* onnx_write.h - what the files of the ONNX writer share. Private to onnx*.c.
 *
 * The writer walks a graph in its schedule. An operator that ONNX has at opset 13 becomes one node
 * under its own name; another becomes the few nodes that it is made of, of which the last has the
 * name. Nodes are linked by edges: the tensors of the model that is being written.
 *
 * Layout. The convolutional operators of ONNX read N,C,H,W. In a graph that keeps N,H,W,C a map may
 * have two edges: `plain`, as the graph has it, and `first`, channels first. An operator takes the
 * form that it needs, or, if it does not care, the one that is there; the other one is made by a
 * Transpose when somebody first asks for it. Constants are written in the order asked for.
 *
 * Mistakes. The first one stays in w->status; functions then go on with an edge of no meaning, so
 * that callers need not look. Input is a sealed graph, but of any file.
 */
#ifndef NW_ONNX_WRITE_H
#define NW_ONNX_WRITE_H

#include "onnx.pb-c.h"

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/format/format.h"

#define NW_ONNX_OPSET 13

typedef struct nw_onnx_edge {
    const char *name;
    nw_dtype dtype;
    nw_shape shape;      /* rank -1: not known */
    bool is_main;        /* the node that writes it has the name of the graph's node */
    const float *scales; /* dequantised weights: one for all, or one for each output channel */
    int n_scales;
} nw_onnx_edge;

/* How a map is quantised where the model asks for it. */
typedef struct nw_onnx_scale {
    float scale; /* 0: it is not */
    int zero_point;
    nw_dtype dtype; /* int8 or uint8 */
} nw_onnx_scale;

/* What a constant without values stands for. */
typedef enum nw_onnx_role {
    NW_ONNX_ROLE_ANY,
    NW_ONNX_ROLE_WEIGHTS, /* fan_in says for how many products a sum */
    NW_ONNX_ROLE_BIAS,
    NW_ONNX_ROLE_FACTOR, /* about 1, positive: scales and variances */
    NW_ONNX_ROLE_SLOPE,  /* 0.25, of PReLU (He et al. 2015) */
} nw_onnx_role;

/* Per tensor of the graph. */
typedef struct nw_onnx_state {
    const char *name; /* unique */
    bool is_name_used, is_put_out;
    const nw_onnx_edge *plain, *first; /* NULL: not there yet */
    nw_onnx_scale scale;
    int n_uses;
    nw_node_id user; /* one of them */
    nw_onnx_role role;
    int64_t fan_in;
} nw_onnx_state;

typedef struct nw_onnx_made {
    Onnx__NodeProto *proto;
    const nw_onnx_edge **outputs; /* n_output of them */
    bool is_spare;                /* left out if nobody reads it: it is about constants */
} nw_onnx_made;

typedef struct nw_onnx_pending {
    nw_onnx_edge *edge;
    bool is_first;
} nw_onnx_pending;

typedef struct nw_onnx_writer {
    const nw_graph *graph;
    nw_onnx_options options;
    nw_error *err;
    nw_status status;
    nw_arena arena;
    bool is_nhwc;
    bool is_explicit;    /* the graph quantises by nodes of its own: integers stay integers */
    bool has_scales;     /* it is quantised otherwise: its maps have their scales */
    bool is_stripped;    /* by nodes of its own that the model is to do without */
    bool is_dequantised; /* it is quantised, the model is not */
    nw_onnx_state *states;
    nw_node_id at;            /* the node being written */
    nw_onnx_pending *pending; /* its outputs */
    nw_onnx_made *nodes;
    size_t n_nodes, node_capacity;
    Onnx__TensorProto **constants;
    const nw_onnx_edge **constant_edges;
    size_t n_constants, constant_capacity, edge_capacity;
    nw_map names, node_names; /* those taken; the value: the number to try next */
    nw_map made_constants;    /* by what was asked for: index into constant_edges */
    nw_map made_weights;      /* likewise into weight_edges: int8 weights, dequantised */
    const nw_onnx_edge **weight_edges;
    size_t n_weights, weight_capacity;
    nw_map side_file_index;
    nw_file **side_files;
    size_t n_side_files, side_file_capacity;
    size_t n_bytes; /* of constants */
    int n_made_up;  /* constants without values */
} nw_onnx_writer;

/* ---- onnx_write_node.c: the model's parts ---- */

/* where: the node being written; the message starts with its operator. */
void nw_onnx_write_fail(nw_onnx_writer *w, nw_status status, const char *format, ...)
    NW_PRINTF(3, 4);

/* A copy that is printable UTF-8, as protobuf wants its texts. */
char *nw_onnx_clean_text(nw_onnx_writer *w, const char *text);

/* base, or base with a number behind; base and suffix may be any bytes. */
const char *nw_onnx_new_name(nw_onnx_writer *w, const char *base, const char *suffix);

/* An edge under a new name. shape NULL: not known. */
nw_onnx_edge *nw_onnx_new_edge(nw_onnx_writer *w, const char *base, const char *suffix,
                               nw_dtype dtype, const nw_shape *shape);

/* A node with one output; inputs that are NULL are left out. */
Onnx__NodeProto *nw_onnx_put(nw_onnx_writer *w, const char *type, const nw_onnx_edge *out,
                             int n_inputs, const nw_onnx_edge *const *inputs);
/* One more output of the node put last; NULL: left out. */
void nw_onnx_put_output(nw_onnx_writer *w, const nw_onnx_edge *out);

void nw_onnx_put_int(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name, int64_t value);
void nw_onnx_put_float(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name, float value);
void nw_onnx_put_text(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name,
                      const char *value);
void nw_onnx_put_ints(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name,
                      const int64_t *values, int n);
void nw_onnx_put_tensor(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name,
                        Onnx__TensorProto *tensor);

/* A node of one or two inputs in the middle of an operator: its result, of x's type and, where y
 * broadcasts to it, of x's shape. */
const nw_onnx_edge *nw_onnx_one(nw_onnx_writer *w, const char *type, const nw_onnx_edge *x);
const nw_onnx_edge *nw_onnx_two(nw_onnx_writer *w, const char *type, const nw_onnx_edge *x,
                                const nw_onnx_edge *y);

const nw_onnx_edge *nw_onnx_reshaped(nw_onnx_writer *w, const nw_onnx_edge *x,
                                     const nw_shape *shape);
const nw_onnx_edge *nw_onnx_transposed(nw_onnx_writer *w, const nw_onnx_edge *x, const int *perm);
const nw_onnx_edge *nw_onnx_cast(nw_onnx_writer *w, const nw_onnx_edge *x, nw_dtype dtype);

/* ---- onnx_write_bytes.c: the bytes of constants; NULL after a failure ---- */

void *nw_onnx_take_bytes(nw_onnx_writer *w, int64_t n, size_t width);

/* Values of a constant in its own type; made-up ones where it has none. */
const uint8_t *nw_onnx_find_bytes(nw_onnx_writer *w, nw_tensor_id id);

/* The same as real numbers: scale * (quantised - zero point). */
float *nw_onnx_find_floats(nw_onnx_writer *w, nw_tensor_id id);

/* Whether the scales of all its channels are known; a failure otherwise. */
bool nw_onnx_check_channels(nw_onnx_writer *w, nw_tensor_id id);

/* ---- onnx_write_values.c: constants ---- */

int32_t nw_onnx_data_type(nw_dtype dtype); /* of TensorProto; 0: none at opset 13 */

/* The type that a tensor of the graph has in the model: float32 where quantised maps are written
 * dequantised. */
nw_dtype nw_onnx_wire_type(const nw_onnx_writer *w, nw_tensor_id id);
bool nw_onnx_is_quantised(const nw_onnx_writer *w, nw_tensor_id id);

/* Whether nw_onnx_constant can write it. */
bool nw_onnx_has_constant(const nw_onnx_writer *w, nw_tensor_id id);

/* How the elements of a constant are to stand: as they are, seen as `shape`, then axis perm[i]
 * becomes axis i. */
typedef struct nw_onnx_order {
    nw_shape shape;
    int perm[NW_MAX_RANK];
} nw_onnx_order;

nw_onnx_order nw_onnx_as_it_is(const nw_shape *shape);
bool nw_onnx_is_moved(const nw_onnx_order *order);
nw_shape nw_onnx_moved_shape(const nw_onnx_order *order);
void nw_onnx_move_elements(const nw_onnx_order *order, const uint8_t *from, size_t width,
                           uint8_t *to);

/* An initializer with a tensor's values; the same edge for the same request. */
const nw_onnx_edge *nw_onnx_constant(nw_onnx_writer *w, nw_tensor_id id,
                                     const nw_onnx_order *order);

/* Its value as a TensorProto without a name. */
Onnx__TensorProto *nw_onnx_tensor_of(nw_onnx_writer *w, nw_tensor_id id);

/* One value, as a TensorProto of one dimension. */
Onnx__TensorProto *nw_onnx_one_value(nw_onnx_writer *w, nw_dtype dtype, double value);

#define NW_ONNX_ONE_SCALE (-1)
#define NW_ONNX_NO_SCALE  (-2) /* they stay in float */

/* The weights of an operator, in that order: in float, or, where the model quantises, as int8 and a
 * DequantizeLinear with a scale for each index of axis (of the result), or one for all. */
const nw_onnx_edge *nw_onnx_weights(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_order *order,
                                    int axis);
/* The bias that goes with them and with the map x. */
const nw_onnx_edge *nw_onnx_bias(nw_onnx_writer *w, nw_tensor_id id, nw_tensor_id x,
                                 const nw_onnx_edge *weights);

/* Initializers that are no tensors of the graph. */
const nw_onnx_edge *nw_onnx_list(nw_onnx_writer *w, const char *suffix, const int64_t *values,
                                 int n);
const nw_onnx_edge *nw_onnx_shape_list(nw_onnx_writer *w, const char *suffix,
                                       const nw_shape *shape);
const nw_onnx_edge *nw_onnx_scalar(nw_onnx_writer *w, const char *suffix, nw_dtype dtype,
                                   double value);
const nw_onnx_edge *nw_onnx_floats_list(nw_onnx_writer *w, const char *suffix, const float *values,
                                        int n);
const nw_onnx_edge *nw_onnx_raw(nw_onnx_writer *w, const char *suffix, nw_dtype dtype,
                                const nw_shape *shape, const void *bytes, size_t n_bytes);

/* ---- onnx_write_form.c: edges of the graph's tensors ---- */

/* The axis of a tensor of that rank, and its shape, when its channels come first. */
int nw_onnx_first_axis(int rank, int axis);
nw_shape nw_onnx_first_shape(const nw_shape *shape);
const int *nw_onnx_first_perm(int rank, bool is_back);

const nw_onnx_edge *nw_onnx_plain(nw_onnx_writer *w, nw_tensor_id id);
const nw_onnx_edge *nw_onnx_first(nw_onnx_writer *w, nw_tensor_id id);
bool nw_onnx_has_first(const nw_onnx_writer *w, nw_tensor_id id);

/* Inputs of the node being written; a missing one is a mistake, or NULL if it may be left out. */
nw_tensor_id nw_onnx_id(const nw_onnx_writer *w, int i); /* NW_NONE */
const nw_onnx_edge *nw_onnx_in(nw_onnx_writer *w, int i);
const nw_onnx_edge *nw_onnx_in_maybe(nw_onnx_writer *w, int i);
const nw_onnx_edge *nw_onnx_in_first(nw_onnx_writer *w, int i);

/* All inputs in one form, broadcasting alike; returns whether it is channels first. */
bool nw_onnx_in_all(nw_onnx_writer *w, const nw_onnx_edge **edges);

/* Input 0 as it is there; true: channels first. */
bool nw_onnx_in_any(nw_onnx_writer *w, const nw_onnx_edge **x);

/* Output k of the node being written; NULL if nobody wants it. Activation and quantisation are put
 * behind it when the node is done. */
nw_onnx_edge *nw_onnx_result(nw_onnx_writer *w, int k, bool is_first);

/* The output is an edge that is there already. */
void nw_onnx_alias(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_edge *edge, bool is_first);

void nw_onnx_finish_node(nw_onnx_writer *w);
void nw_onnx_put_input(nw_onnx_writer *w, nw_tensor_id id, nw_onnx_edge *edge);

/* The list of integers that a parameter is: attrs.ints or the value of input i; false: not known.
 */
bool nw_onnx_known(const nw_onnx_writer *w, int i, const int64_t **values, int64_t *n);

/* ---- the operators ---- */

typedef void nw_onnx_rule(nw_onnx_writer *w, const nw_node *node);

/* onnx_write_window.c */
nw_onnx_rule nw_onnx_write_conv, nw_onnx_write_conv_transpose, nw_onnx_write_pool,
    nw_onnx_write_global_pool, nw_onnx_write_fully_connected, nw_onnx_write_matmul;
/* onnx_write_space.c */
nw_onnx_rule nw_onnx_write_resize, nw_onnx_write_depth_to_space, nw_onnx_write_space_to_depth,
    nw_onnx_write_space_to_batch, nw_onnx_write_batch_to_space, nw_onnx_write_channel_shuffle,
    nw_onnx_write_pad;
/* onnx_write_math.c */
nw_onnx_rule nw_onnx_write_activation, nw_onnx_write_unary, nw_onnx_write_binary,
    nw_onnx_write_compare, nw_onnx_write_where, nw_onnx_write_prelu, nw_onnx_write_reduce,
    nw_onnx_write_arg_max, nw_onnx_write_top_k, nw_onnx_write_softmax, nw_onnx_write_cum_sum,
    nw_onnx_write_batch_norm, nw_onnx_write_layer_norm, nw_onnx_write_instance_norm;
/* onnx_write_move.c */
nw_onnx_rule nw_onnx_write_concat, nw_onnx_write_stack, nw_onnx_write_unstack, nw_onnx_write_split,
    nw_onnx_write_slice, nw_onnx_write_gather, nw_onnx_write_reshape, nw_onnx_write_transpose,
    nw_onnx_write_expand, nw_onnx_write_scatter, nw_onnx_write_one_hot, nw_onnx_write_quantize,
    nw_onnx_write_dequantize, nw_onnx_write_cast, nw_onnx_write_identity, nw_onnx_write_constant,
    nw_onnx_write_fill, nw_onnx_write_shape, nw_onnx_write_range;

#endif
