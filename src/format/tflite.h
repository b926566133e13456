/* tflite.h - between the two halves of the TFLite reader; private to src/format.
 */
#ifndef NW_FORMAT_TFLITE_H
#define NW_FORMAT_TFLITE_H

#include "src/format/flatbuffer.h"
#include "src/graph/graph.h"

/* One operator on its way from the file's terms to ours. */
typedef struct nw_tflite_op {
    nw_graph *graph; /* holds every tensor, the constants with their data */
    nw_flat *flat;
    nw_flat_table options; /* absent: the file has none, or another operator's */
    const char *where;     /* for errors: "operator 12 (CONV_2D)" */
    nw_tensor_id *inputs;  /* in the file's order; rearranged in place */
    int n_inputs, n_outputs;
    nw_op op; /* the rest is the result */
    nw_attrs attrs;
    nw_act act;
} nw_tflite_op;

#define NW_TFLITE_CUSTOM 32 /* builtin code of operators that name themselves */

/* "CONV_2D", or NULL for a code that is not known. */
const char *nw_tflite_builtin_name(int32_t code);

/* Finds op, attrs and act of builtin operator `code` and brings inputs into our order. What cannot
 * be said in our terms stays NW_OP_OPAQUE with the file's inputs. options_type is the file's tag of
 * op->options; options of another type count as absent. NW_INVALID: missing inputs, options that
 * make no sense. Damage is left in op->flat. */
NW_CHECKED nw_status nw_tflite_translate(nw_tflite_op *op, int32_t code, int32_t options_type,
                                         nw_error *err);

/* The same for the custom operators that we know; options are their own bytes. The others stay
 * NW_OP_OPAQUE. */
void nw_tflite_translate_custom(nw_tflite_op *op, const char *file_type, nw_flat_vector options);

#endif
