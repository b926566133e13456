/* support_regression.h - regressions for tests: fitted to the simulated device here and now, or
 * written by hand so that every number on a screen has a reason. Whatever goes wrong in here is
 * printed and aborts the test.
 */
#ifndef NW_TESTS_SUPPORT_REGRESSION_H
#define NW_TESTS_SUPPORT_REGRESSION_H

#include "src/estimator/estimator.h"

/* A few dozen convolutions, depthwise convolutions and additions, measured on the device; the
 * caller frees the table. n: how many rows of each, up to 200. */
nw_table *measured_table(const nw_hw *hw, int n);

/* Trained on it; release. */
nw_regression *fitted_regression(const nw_hw *hw, const nw_table *table, uint32_t seed);

/* What the hand-written model says, in us and relative. */
#define HAND_CONV_US(out_elements)   (2 + 0.0003 * (out_elements)) /* also conv+act and conv+add */
#define HAND_CONV_BIT_US             0.2 /* an activation's bit, 8 of them included above */
#define HAND_DWCONV_US(out_elements) (1 + 0.001 * (out_elements))
#define HAND_ADD_US(out_elements)    (0.5 + 0.0002 * (out_elements))
#define HAND_CONV_SPREAD             0.04
#define HAND_DWCONV_SPREAD           0.02
#define HAND_CONV_MAX_OUT_C          960 /* a twentieth of the range beyond: extrapolated */
#define HAND_DWCONV_MAX_IN_H         80
#define HAND_TOTAL_LOW               -1.5 /* of the band's unit, and HIGH above */
#define HAND_TOTAL_HIGH              1.8
#define HAND_DIFFERENCE              1.4 /* either way */

/* Writes that model for hw to path: no trees, the rules above, made-up scores, bands, worst rows
 * and sample. source: "simulated", or where its measurements are said to come from. */
void write_hand_model(const char *path, const nw_hw *hw, const char *source);

/* A folder with hw/NAME.json copied from the presets and the hand-written model in
 * estimators/NAME.json, in a new temporary folder; the search path of descriptions in it.
 * hand_folder_free removes it. */
char *hand_folder_new(const char *hw_name);
const char *hand_folder_path(const char *folder); /* "FOLDER/hw"; until the next call */
void hand_folder_free(char *folder);

#endif
