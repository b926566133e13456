/* support_tflite.h - writes small TFLite files from a description, so that suites know every byte.
 */
#ifndef NW_TESTS_SUPPORT_TFLITE_H
#define NW_TESTS_SUPPORT_TFLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Descriptions leave out what is not there. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

typedef struct made_tensor {
    const char *name;
    int type; /* 0 float32, 2 int32, 9 int8 */
    int rank;
    int32_t dims[10];
    const void *data; /* NULL: no buffer */
    size_t n_bytes;
    int n_scales; /* quantised: scales 0.5, 1.5, 2.5...; zero points 3, 4, 5... */
    int axis;
    bool is_variable, is_sparse, has_rank;
    bool is_behind; /* data by offset and size, behind the tables */
} made_tensor;

typedef struct made_op {
    int code;           /* builtin code */
    const char *custom; /* code 32: its name */
    int n_inputs, inputs[6];
    int n_outputs, outputs[4];
    int options_type;
    const char *option_sizes; /* bytes of each slot, a digit each: "144" */
    int32_t options[8];
    int n_list; /* slot 0 is a list of these instead */
    int32_t list[8];
    int n_custom_bytes;
} made_op;

typedef struct made_model {
    const made_tensor *tensors;
    const made_op *ops;
    int n_tensors, n_ops;
    int n_inputs, inputs[4];
    int n_outputs, outputs[4];
    int n_subgraphs; /* copies of it; 0 means 1 */
    int n_shared;    /* this many operators that all share one table, with one list of as many
                      * inputs; 0: none */
} made_model;

/* The caller frees the bytes. */
uint8_t *make_tflite(const made_model *model, size_t *n_bytes);

/* A 3x3 convolution with stride 2 and an addition over 8x8 pixels, int8. */
extern const made_model small_model;

#endif
