/* fold.h - how the parts of value folding share values; private to src/graph.
 *
 * A fold writes a node's values into fresh memory and hands them over with nw_fold_commit; until
 * then, or if it gives up, the output stays unknown. Node shapes have been inferred and checked.
 */
#ifndef NW_GRAPH_FOLD_H
#define NW_GRAPH_FOLD_H

#include "src/graph/infer.h"

typedef struct nw_values {
    int64_t *ints; /* one of the two is set */
    double *floats;
    int64_t n;
    nw_dtype dtype;
} nw_values;

bool nw_fold_has_value(const nw_tensor *tensor); /* false for NULL */

/* Room for output i, in ints or floats as its type says. False: no such output, shape or type not
 * known, too large, or the work limit is reached. extra_work: elements read beyond one for each
 * element written. */
bool nw_fold_begin(const nw_infer *in, int output, int64_t extra_work, nw_values *out);
/* The same where all elements are one number (in ints or floats, as the output's type says), which
 * is then committed: tensors full of the same number share memory. */
void nw_fold_fill(const nw_infer *in, int output, int64_t integer, double real);
/* Whether a tensor's value was made by nw_fold_fill. */
bool nw_fold_is_filled(const nw_infer *in, const nw_tensor *x);
void nw_fold_commit(const nw_infer *in, int output, const nw_values *values);

/* Element `from` of a tensor of known value becomes element `to`; both hold the same class. */
void nw_fold_copy(const nw_values *values, int64_t to, const nw_tensor *x, int64_t from);
/* Whether x holds integers (or floats) just as values does. */
bool nw_fold_same_class(const nw_values *values, const nw_tensor *x);

int64_t nw_fold_wrap(nw_dtype dtype, int64_t value); /* as the integer type holds it */
double nw_fold_round(nw_dtype dtype, double value);  /* as the floating type holds it */

typedef void nw_fold_rule(const nw_infer *in);

/* fold_math.c */
nw_fold_rule nw_fold_arithmetic, nw_fold_compare, nw_fold_where, nw_fold_unary, nw_fold_cast,
    nw_fold_reduce;

#endif
