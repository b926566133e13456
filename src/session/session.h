/* session.h - what is open now, its history, its messages, its background jobs.
 *
 * The workbench and the scripts drive the same session. It belongs to the main thread; jobs run on
 * workers with immutable inputs and hand their result back in nw_session_poll. Everything that a
 * view shows comes from here, const.
 */
#ifndef NW_SESSION_H
#define NW_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/advise/advise.h"
#include "src/arch/arch.h"
#include "src/base/error.h"
#include "src/base/text.h"
#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "src/session/action.h"

/* A network on a hardware, estimated. Immutable and shared: undo history, baseline and jobs hold
 * references. */
typedef struct nw_point {
    const char *model;     /* path as opened, or "demo" */
    const char *label;     /* short name for headers: the file's name without folder and ending */
    const nw_arch *arch;   /* the network's blocks, and the edits that led to it */
    const nw_graph *graph; /* of arch */
    const nw_hw *hw;
    const char *precision; /* as asked: "file", "int8", ... */
    nw_estimate estimate;
} nw_point;

const nw_point *nw_point_retain(const nw_point *point);
void nw_point_release(const nw_point *point); /* NULL is fine */

typedef enum nw_message_kind {
    NW_MESSAGE_INFO,
    NW_MESSAGE_WARNING,
    NW_MESSAGE_ERROR
} nw_message_kind;

typedef struct nw_message {
    nw_message_kind kind;
    const char *text; /* one printable line */
    int64_t unix_time_s;
} nw_message;

typedef struct nw_session_config {
    const char *data_path;  /* hardware descriptions, colon-separated folders */
    const char *hw;         /* at the start; NULL: "ne32" */
    const char *state_path; /* folder, made if need be, of history and autosave; NULL: none */
    int n_workers;          /* threads for jobs; 0: one less than the processors, at least one */
    nw_model_loader loader; /* of networks in Lua, called on the main thread; load NULL: none */
} nw_session_config;

NW_CHECKED nw_status nw_session_new(const nw_session_config *config, nw_session **out,
                                    nw_error *err);
void nw_session_free(nw_session *session); /* cancels and joins its jobs */

/* ---- what is open ---- */
const nw_point *nw_session_current(const nw_session *session);  /* NULL: nothing is open */
const nw_point *nw_session_baseline(const nw_session *session); /* NULL: none */
const nw_hw *nw_session_hw(const nw_session *session);          /* never NULL */
const char *nw_session_precision(const nw_session *session);    /* "file" by default */
const char *nw_session_estimator(const nw_session *session);    /* "device", "regression" */
/* The estimator itself, of what is open or, with nothing open, as chosen; release it. NULL: what
 * was chosen cannot be opened any more. */
const nw_estimator *nw_session_open_estimator(const nw_session *session);
bool nw_session_is_unsaved(const nw_session *session);
bool nw_session_wants_quit(const nw_session *session);
int nw_session_n_undo(const nw_session *session);
int nw_session_n_redo(const nw_session *session);

/* Counts up with every change of anything that a view may show; views redraw when it moved. */
uint64_t nw_session_version(const nw_session *session);

/* Names of the hardware descriptions found, sorted. */
const char *const *nw_session_hw_names(const nw_session *session, int *n);

/* ---- messages ---- */
const nw_message *nw_session_messages(const nw_session *session, int *n); /* oldest first */
void nw_session_say(nw_session *session, nw_message_kind kind, const char *format, ...)
    NW_PRINTF(3, 4);

/* ---- the log ---- */
/* Every logged action that succeeded, as a Lua script that replays to the same state. */
void nw_session_log_lua(const nw_session *session, nw_buf *out);
/* Lines typed at prompts, oldest first, kept between sessions ("open", "console", "palette"). The
 * list is valid until the next line is remembered. */
const char *const *nw_session_history(const nw_session *session, const char *prompt, int *n);
void nw_session_remember(nw_session *session, const char *prompt, const char *line);

/* ---- background jobs ---- */
typedef struct nw_job_view {
    const char *name; /* "estimate on 12 descriptions" */
    double progress;  /* 0 to 1; negative: not known */
    bool is_running, is_failed;
    const char *message; /* how it ended; "" while it runs */
} nw_job_view;

int nw_session_n_jobs(const nw_session *session); /* running and ended ones of this session */
nw_job_view nw_session_job(const nw_session *session, int index);

/* A byte arrives here when a job has something to say: poll it beside the keys. */
int nw_session_wake_fd(const nw_session *session);
/* Takes in what the workers finished; true if anything changed. Never blocks. */
bool nw_session_poll(nw_session *session);

/* The result of COMPARE_HW: a row a description, in the order of nw_session_hw_names; rows not
 * estimated yet have is_done false. NULL before the first. */
typedef struct nw_hw_row {
    const char *hw, *estimator; /* who estimated */
    bool is_done;
    int64_t latency_ps, energy_fj, peak_live_bytes;
    int n_unknown;
    bool fits;
    const char *error; /* "" if none */
} nw_hw_row;
const nw_hw_row *nw_session_hw_rows(const nw_session *session, int *n);
/* What was open when that comparison began; it may not be any more. NULL before the first. */
const nw_point *nw_session_hw_rows_point(const nw_session *session);
/* Whether they are of what is open now, by the estimator chosen now, whatever the hardware. */
bool nw_session_hw_rows_are_of_current(const nw_session *session);

/* ---- beside each other ---- */
#define NW_MAX_COMPARED 5
/* The baseline, what was kept, and what is open, as far as they are estimated alike (one hardware,
 * one estimator, one precision) and differ; the first is what the others are compared with.
 * Borrowed until the session changes. n_left_out (may be NULL): those that are not alike. */
int nw_session_compared(const nw_session *session, const nw_point *out[NW_MAX_COMPARED],
                        int *n_left_out);

/* ---- what if ---- */
/* From now on every edit one key away from what is open is tried in the background. */
void nw_session_follow_whatif(nw_session *session);
/* Those of what is open now, as far as they are; NULL: none yet, or nobody follows. Valid until the
 * session changes. */
const nw_whatif *nw_session_whatif(const nw_session *session);

/* ---- hooks of the faces ---- */
/* Runs RUN_SCRIPT; set by whoever has Lua (main.c). NULL: the action is refused. */
typedef nw_status (*nw_script_runner)(void *context, nw_session *session, const char *path,
                                      nw_error *err);
void nw_session_set_script_runner(nw_session *session, nw_script_runner run, void *context);

#endif
