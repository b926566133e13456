/* calibration.h - the parts of the calibration view; private to overlay_calibration.c and
 * calibration_*.c.
 *
 * What is shown is a function of the session's estimator and this state: a row a kernel type under
 * one for all of them, and pictures and lists of the row under the cursor. Every figure of a
 * regression is out of fold.
 */
#ifndef UI_CALIBRATION_H
#define UI_CALIBRATION_H

#include "src/session/session.h"
#include "ui/canvas.h"

typedef struct ui_calibration {
    int cursor; /* 0: all types */
    int pane;   /* what the second pane shows, counted up */
    int scroll; /* lines of the words that are above it */
} ui_calibration;

typedef enum ui_calibration_part {
    UI_CALIBRATION_SCATTER,
    UI_CALIBRATION_RESIDUALS,
    UI_CALIBRATION_WORST,
    UI_CALIBRATION_WORDS,
    UI_CALIBRATION_PARTS
} ui_calibration_part;

/* The regression's groups as the view counts them: 0 is all, NULL. */
const nw_fit_group *ui_calibration_group(const nw_regression *regression, int row);
int ui_calibration_rows(const nw_regression *regression); /* all included */
/* "us": of the target, from the end of its name. */
const char *ui_calibration_unit(const nw_regression *regression);

/* ---- pictures (calibration_plot.c) ---- */
/* Predicted against measured, both logarithmic; and the errors in percent against measured. The
 * titles name what goes up, say how many of the rows are drawn, and how many errors stand at the
 * edges. */
const char *ui_calibration_scatter_title(const nw_regression *regression, int row, int columns,
                                         char *dst, size_t size);
const char *ui_calibration_residuals_title(const nw_regression *regression, int row, char *dst,
                                           size_t size);
void ui_calibration_draw_scatter(ui_canvas *canvas, ui_rect rect, const nw_regression *regression,
                                 int row);
void ui_calibration_draw_residuals(ui_canvas *canvas, ui_rect rect, const nw_regression *regression,
                                   int row);

/* ---- tables and words (calibration_text.c) ---- */
void ui_calibration_draw_table(ui_canvas *canvas, ui_rect rect, const nw_regression *regression,
                               int cursor);
void ui_calibration_draw_worst(ui_canvas *canvas, ui_rect rect, const nw_regression *regression,
                               int row);
/* Where the numbers come from. Lines before skip are left out; returns all there are at that width.
 * canvas NULL: only counts. */
int ui_calibration_draw_words(ui_canvas *canvas, ui_rect rect, const nw_estimator *estimator,
                              const nw_session *session, int skip);

#endif
