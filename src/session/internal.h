/* internal.h - private to src/session: the session's inside and what its files do for each other.
 *
 * session.c: life, history of states, messages. point.c: what is shared. action.c: the table.
 * space.c: the space and the choices about it. explore.c, grid.c, landscape.c, scene.c: what is
 * computed of it.
 * sweep.c: a figure of the hardware moved.
 * files.c: what the user asks to write. jobs.c: background work. state.c: what is kept between
 * sessions.
 */
#ifndef NW_SESSION_INTERNAL_H
#define NW_SESSION_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/advise/advise.h"
#include "src/base/arena.h"
#include "src/base/pool.h"
#include "src/session/explore.h"
#include "src/session/session.h"
#include "src/session/sweep.h"

#define NW_MAX_MESSAGES 1000
#define NW_MAX_UNDO     500
#define NW_MAX_HISTORY  500 /* lines a prompt */
#define NW_MAX_KEPT     (NW_MAX_COMPARED - 2)
#define NW_MAX_JOBS     100 /* listed */

/* A file as it was at some time. */
typedef struct nw_written {
    uint64_t device, inode;
    int64_t n_bytes, changed_s, changed_ns;
} nw_written;

struct stat;
nw_written nw_written_of(const struct stat *info);
bool nw_written_is(const nw_written *a, const nw_written *b); /* nobody wrote in between */

/* ---- point.c: immutable, counted, thread-safe to retain and release ---- */

typedef struct nw_shared_model {
    atomic_int n_users;
    const nw_arch *arch;
    const nw_graph *graph; /* of arch */
    char *path, *label;
} nw_shared_model;

/* An estimator as it was opened: asked for again it is the same one, so that estimates can be
 * compared, unless its file has changed since. */
typedef struct nw_opened {
    char *choice;
    const nw_estimator *estimator;
    nw_written file; /* zeros: none */
} nw_opened;

#define NW_MAX_OPENED 8 /* a description; the oldest goes */

/* A description, and who has estimated on it. */
typedef struct nw_shared_hw {
    atomic_int n_users;
    nw_hw *hw;
    char *search_path;
    pthread_mutex_t lock; /* of the two below */
    nw_opened opened[NW_MAX_OPENED];
    int n_opened;
} nw_shared_hw;

NW_CHECKED nw_status nw_shared_model_load(const char *path, const nw_input_size *sizes, int n_sizes,
                                          const nw_model_loader *loader, nw_shared_model **out,
                                          nw_error *err);
/* The same file, edited; takes arch. */
nw_shared_model *nw_shared_model_edited(const nw_shared_model *model, const nw_arch *arch);
/* A network that no file holds, under a space's source and name; retains arch. */
nw_shared_model *nw_shared_model_of(const nw_arch *arch, const char *path, const char *label);
nw_shared_model *nw_shared_model_retain(nw_shared_model *model);
void nw_shared_model_release(nw_shared_model *model);

NW_CHECKED nw_status nw_shared_hw_load(const char *name, const char *search_path,
                                       nw_shared_hw **out, nw_error *err);
nw_shared_hw *nw_shared_hw_retain(nw_shared_hw *hw);
void nw_shared_hw_release(nw_shared_hw *hw);

/* choice as in nw_estimator_open, "": the regression where there is one. Release the result. */
NW_CHECKED nw_status nw_shared_hw_estimator(nw_shared_hw *hw, const char *choice,
                                            const nw_estimator **out, nw_error *err);

/* Estimates; retains model and hardware. */
NW_CHECKED nw_status nw_point_new(nw_shared_model *model, nw_shared_hw *hw, const char *precision,
                                  const char *estimator, const nw_point **out, nw_error *err);
nw_shared_model *nw_point_model(const nw_point *point); /* borrowed */

/* ---- session.c: what undo brings back ---- */

/* What the expert decided about an option. */
typedef struct nw_hand_row {
    int dim, option;
    nw_hand hand;
} nw_hand_row;

/* The space and the choices about it; names of dimensions "": the first that serve. */
typedef struct nw_quest {
    const nw_space *space; /* NULL: none */
    bool is_curated;
    nw_hand_row *hands;
    int n_hands;
    char x[64], y[64];
    nw_metric metric;
    bool has_start;
    nw_option start_x, start_y;
} nw_quest;

typedef struct nw_state {
    nw_quest quest;
    const nw_point *current, *baseline;
    nw_shared_hw *hw;
    char precision[24];
    char estimator[256];  /* the choice; "": the regression where there is one */
    char regression[256]; /* the last choice that was one; "": none was made */
    char **inputs;        /* sizes for the next model, as typed */
    int n_inputs;
} nw_state;

nw_state nw_state_copy(const nw_state *state);
void nw_state_fini(nw_state *state);

/* A change that was made or taken back: its entry in the log, and the state on its other side. */
typedef struct nw_change {
    nw_action_id id;
    char *value; /* NULL: none */
    nw_state other;
} nw_change;

/* Makes next the state (and owns it), logged as the given action. */
void nw_session_change(nw_session *session, nw_action_id id, const char *value, nw_state *next);
void nw_session_undo(nw_session *session);
void nw_session_redo(nw_session *session);

/* A copy on the heap; NULL stays NULL. */
char *nw_copy_text(const char *text);

/* ---- edit.c: what changes the network ---- */

/* Reads edits with "; " between. The caller frees *out. */
NW_CHECKED nw_status nw_session_read_edits(const char *line, nw_edit **out, int *n, nw_error *err);
NW_CHECKED nw_status nw_session_edit(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_fuse(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_align(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_more(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_less(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_insert(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_drop(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_fuse_all(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_align_all(nw_session *s, const nw_action *action, nw_error *err);
/* The edits of a line, aimed at the block of the target (a kernel, or -1) instead of the one block
 * or stage that they were made for. The caller frees it. */
char *nw_session_aim(const nw_session *session, const char *line, int target);
/* "1.598 -> 0.912 ms (-42.9 %)": two times in one unit (action.c). */
const char *nw_format_change(int64_t old_ps, int64_t new_ps, char *dst, size_t size);

/* ---- space.c: the space and the choices about it ---- */

nw_quest nw_quest_copy(const nw_quest *quest);
void nw_quest_fini(nw_quest *quest);
/* A file in Lua that returns a space opens as its network, and as the space. */
void nw_session_find_space(const nw_session *s, const char *path, nw_state *next);
NW_CHECKED nw_status nw_session_open_space(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_curate(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_hand_option(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_open_genome(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_choose_x(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_choose_y(nw_session *s, const nw_action *action, nw_error *err);
NW_CHECKED nw_status nw_session_choose_metric(nw_session *s, const nw_action *action,
                                              nw_error *err);
NW_CHECKED nw_status nw_session_choose_start(nw_session *s, const nw_action *action, nw_error *err);
/* The axes as chosen, or those that serve; *y is -1 where there is one dimension. */
void nw_session_axes(const nw_session *s, int *x, int *y);

/* ---- explore.c: curation in the background ---- */

typedef struct nw_prospect nw_prospect;
/* On a worker: a plan by the estimator of a choice. hw must outlive it. */
NW_CHECKED nw_status nw_session_make_plan(const nw_space *space, nw_shared_hw *hw,
                                          const char *choice, const char *precision,
                                          const nw_cancel *cancel, nw_plan **out, nw_error *err);
void nw_session_update_curation(nw_session *s);
void nw_session_forget_curation(nw_session *s);
void nw_session_stop_curation(nw_session *s); /* until it is asked for again */
bool nw_session_is_curating(const nw_task *task);
void nw_session_take_curating(nw_session *s, nw_task *task, bool is_over); /* over: only free it */

/* ---- grid.c ---- */

/* On a worker: nw_grid_space of two dimensions (y -1: a line), and where a side has more than
 * NW_LANDSCAPE_SIDE options only multiples of 2, 4, ... of it, its ends, its base, and the space's
 * options that kept (a byte an option of x and y; NULL: not known) says so of. */
NW_CHECKED nw_status nw_session_make_grid(const nw_space *space, int x, int y,
                                          const uint16_t *genome, const uint8_t *const kept[2],
                                          const nw_space **out, nw_error *err);

/* ---- landscape.c ---- */

typedef struct nw_scene nw_scene;
void nw_session_update_landscape(nw_session *s);
bool nw_session_is_filling(const nw_session *s); /* points of it are missing */
void nw_session_forget_landscape(nw_session *s);
void nw_session_stop_landscape(nw_session *s); /* until something about it changes */
bool nw_session_is_scene(const nw_task *task);
void nw_session_take_scene(nw_session *s, nw_task *task, bool is_over);

/* ---- files.c ---- */

NW_CHECKED nw_status nw_session_save(nw_session *session, const char *path, nw_error *err);
NW_CHECKED nw_status nw_session_export(nw_session *session, const char *path, nw_error *err);
NW_CHECKED nw_status nw_session_save_log(nw_session *session, const char *path, nw_error *err);

/* ---- jobs.c ---- */

typedef struct nw_job {
    char *name, *message;
    nw_cancel cancel;
    int n_tasks, n_taken; /* given to the pool and come back */
    bool is_running, is_failed;
} nw_job;

void nw_session_compare_hw(nw_session *session);
void nw_session_stop_newest(nw_session *session); /* one must be running */
void nw_session_end_jobs(nw_session *session);

/* ---- whatif.c ---- */

void nw_session_update_whatif(nw_session *session); /* begins a new list if what is open changed */
void nw_session_forget_whatif(nw_session *session);
bool nw_session_is_whatif(const nw_task *task);
void nw_session_take_whatif(nw_session *session, nw_task *task);
void nw_session_drop_whatif(nw_session *session, nw_task *task);

/* ---- sweep.c ---- */

typedef struct nw_sweeping nw_sweeping;
void nw_session_update_sweep(nw_session *session); /* begins anew if what it is about changed */
void nw_session_forget_sweep(nw_session *session);
bool nw_session_is_sweeping(const nw_task *task);
void nw_session_take_sweeping(nw_session *session, nw_task *task);

/* ---- state.c ---- */

typedef struct nw_history {
    char *prompt;
    char **lines;
    size_t n, capacity;
    bool needs_newline; /* the file ends in the middle of a line */
} nw_history;

typedef struct nw_keeper {
    char *folder; /* NULL: nothing is kept */
    nw_history *histories;
    size_t n, capacity;
    bool is_dirty;  /* the log has changed since the last autosave */
    bool is_marked; /* the folder says that this session runs */
    int64_t saved_ms;
} nw_keeper;

NW_CHECKED nw_status nw_session_keep_copy(nw_session *session, const char *text, nw_error *err);
void nw_session_autosave(nw_session *session, bool is_last);
/* The log of a session that was killed: whether there is one, and where; the caller frees it. */
bool nw_session_has_left(const nw_session *session);
char *nw_session_left_path(const nw_session *session);
void nw_session_begin_keeping(nw_session *session, const char *folder); /* may be NULL */
void nw_session_end_keeping(nw_session *session);

/* ---- the session ---- */

struct nw_session {
    char *data_path, *start_hw; /* start_hw NULL: the default */
    nw_model_loader loader;
    char **hw_names;
    int n_hw_names;

    nw_state state;
    nw_change *steps; /* n_done made, the rest taken back; states before first_kept are gone */
    size_t step_capacity;
    int n_steps, n_done, first_kept;
    nw_action_id repeat_id; /* NW_ACTION_COUNT: nothing to repeat */
    char *repeat_value;
    bool wants_quit;
    const nw_arch *saved; /* as last written; NULL: never */

    nw_message *messages;
    int n_messages;
    uint64_t version;

    nw_written *written;
    size_t n_written, written_capacity;

    nw_pool *pool;
    nw_job **jobs;
    size_t job_capacity;
    int n_jobs;
    nw_job *rows_job; /* fills rows; NULL once it ended */
    nw_hw_row *rows;
    int n_rows;
    const nw_point *rows_point;
    char rows_estimator[256]; /* the choice they were made with */
    nw_arena rows_text;

    const nw_point *kept[NW_MAX_KEPT]; /* to compare; the oldest goes */
    int n_kept;

    bool follows_whatif;
    nw_whatif *whatif;            /* NULL: none yet */
    nw_task *whatif_task;         /* under way; NULL: none */
    const nw_point *whatif_point; /* what it is about */

    nw_sweep_figure swept; /* NW_SWEEP_COUNT: none */
    nw_sweeping *sweeping; /* under way or done; NULL: none */

    bool follows_curation, follows_landscape;
    nw_prospect *prospect;     /* of the space on the hardware; NULL: none */
    const nw_space *curated;   /* as prospect and hand leave it; NULL: not known */
    nw_hand_row *curated_with; /* the hands that it was made with */
    int n_curated_with;
    nw_scene *scene; /* NULL: none */

    nw_keeper keeper;

    nw_space_loader space_loader; /* load NULL: none */
    nw_script_runner run_script;
    void *script_context;
    int script_depth;
};

#endif
