/* support_models.h - the real model files of NASW_SHARED, lifted.
 */
#ifndef NW_TESTS_SUPPORT_MODELS_H
#define NW_TESTS_SUPPORT_MODELS_H

#include "src/arch/arch.h"

typedef struct lift_model {
    const char *name;
    bool is_ibn; /* a network of inverted bottlenecks */
} lift_model;

/* All of them; *n: how many. */
const lift_model *lift_models(int *n);

/* NULL: the file is not there (which is printed) or cannot be read. The caller releases it. */
const nw_arch *lift_model_file(const char *name);

/* MACs in blocks of several convolutions, over all: 0 to 1. */
double lift_share_of_several(const nw_arch *arch);

#endif
