/* internal.h - between the commands.
 */
#ifndef NW_COMMAND_INTERNAL_H
#define NW_COMMAND_INTERNAL_H

#include "src/arch/arch.h"
#include "src/base/pool.h"
#include "src/command/command.h"
#include "src/estimator/fit.h"

int nw_command_estimate(nw_options *o);
int nw_command_compare(nw_options *o);
int nw_command_score(nw_options *o);
int nw_command_export(nw_options *o);
int nw_command_hw(nw_options *o);
int nw_command_space(nw_options *o);
int nw_command_landscape(nw_options *o);
int nw_command_measure(nw_options *o);
int nw_command_measure_cpu(nw_options *o);
int nw_command_measure_emit(nw_options *o);
int nw_command_fit(nw_options *o);
int nw_command_predict(nw_options *o);

/* The network of files[0] with the edits of --edits and --edit; what an edit of many blocks left as
 * it was is said on stderr. Release it. err->where of an edit that is no edit begins with its file
 * and line, or "--edit". */
NW_CHECKED nw_status nw_command_load(const nw_options *o, const nw_arch **out, nw_error *err);

/* The value of an option that is a whole number; NULL leaves *out. False: it has said what is
 * wrong. */
bool nw_command_parse_count(const char *name, const char *text, int64_t least, int64_t most,
                            int64_t *out);
#define NW_MAX_SEED 0xffffffff

/* A table of the shapes that a plan measures, for whoever gives no list; hw: what joins kernels.
 * NW_CANCELLED: an option is wrong, it has been said. */
NW_CHECKED nw_status nw_command_plan_shapes(nw_options *o, const char *hw, nw_file **out,
                                            nw_error *err);

/* How far a long command is, on stderr; hand show and the object itself to the work. From begin on
 * SIGINT and SIGTERM stop it where it is safe: show returns false then. */
typedef struct nw_command_progress {
    nw_progress show;
    bool is_json, is_shown;
    double began_s, shown_s;
} nw_command_progress;

void nw_command_progress_begin(nw_command_progress *progress, const nw_options *o);
/* Set by them, for work that says nothing of how far it is. */
const nw_cancel *nw_command_cancel(void);
void nw_command_progress_end(nw_command_progress *progress);

/* Columns of the screen; 0: stdout is none. */
int nw_command_screen_width(void);

/* Writes a result to path, "-" for stdout; says what went wrong and returns the exit status. */
int nw_command_write(const char *path, const nw_buf *buf);

#endif
