/* internal.h - between the kinds of layers; private to src/layer.
 */
#ifndef NW_LAYER_INTERNAL_H
#define NW_LAYER_INTERNAL_H

#include "src/base/map.h"
#include "src/layer/layer.h"

enum { NW_LAYER_NAME_BYTES = 96 }; /* of a part of a layer */

/* What a tensor is: a map, or, with rank 2 and 3, values that have no place in the image. */
typedef struct nw_made {
    nw_hwc map; /* rank 3: h rows of c values; rank 2: c values */
    int rank;
} nw_made;

struct nw_layers {
    nw_graph *graph;
    nw_op act;
    nw_tensor_id input, at;
    nw_made *made; /* per tensor */
    size_t n_made, made_capacity;
    nw_map names; /* of nodes; of prefixes of made-up names, how many there are */
    nw_map counts;
    int n_outputs;
    bool is_failed;
    nw_error error;
};

/* Returns NW_NONE. The first failure stays. */
nw_tensor_id nw_layers_fail(nw_layers *b, nw_status status, const char *where, const char *format,
                            ...) NW_PRINTF(4, 5);

/* The layer's name, or a new one that begins with prefix. False: it is no name. */
bool nw_layers_take_name(nw_layers *b, const char *name, const char *prefix, char *dst,
                         size_t size);

/* value, or fallback where it is 0; fails unless it is within 1..most. */
int64_t nw_layers_count(nw_layers *b, const char *name, const char *what, int64_t value,
                        int64_t fallback, int64_t most);
/* channels * factor, rounded to multiples of `multiple`, at least that. */
int64_t nw_layers_scale(nw_layers *b, const char *name, const char *what, int64_t channels,
                        double factor, int64_t multiple);

/* The map that the next layer reads; fails where it is no map. */
bool nw_layers_read(nw_layers *b, const char *name, nw_hwc *out);

/* Adds an operator and goes to what it makes; NULL after a failure. Valid until the next. */
nw_node *nw_layers_add(nw_layers *b, nw_op op, const char *name, const char *file_type,
                       const nw_tensor_id *inputs, int n_inputs, nw_made made);
nw_tensor_id nw_layers_weights(nw_layers *b, const char *name, const char *part,
                               const int64_t *dims, int rank);

/* One convolution under exactly that name; c 0: depthwise. act: NW_OP_IDENTITY none. */
void nw_layers_conv(nw_layers *b, const char *name, int64_t c, int64_t kernel, int64_t stride,
                    int64_t dilation, int64_t groups, nw_op act);
/* "NAME/PART", which dst has NW_LAYER_NAME_BYTES for; dst is returned. */
const char *nw_layers_part(const char *name, const char *part, char *dst);
nw_op nw_layers_pick_act(const nw_layers *b, nw_op act);

#endif
