/* action.h - everything that changes a session, by name.
 *
 * One table feeds keys, footer, help, palette, mouse, Lua (nasw.act), the log, and `nasw --keys`.
 * An action is (id, target, value): what to do, to which row, with which value. Moving, scrolling
 * and panes are view commands, a second table in ui/. To add an action: its row in NW_ACTIONS, its
 * function in action.c.
 */
#ifndef NW_ACTION_H
#define NW_ACTION_H

#include <stdbool.h>

#include "src/base/error.h"

typedef struct nw_session nw_session;

typedef enum nw_value_kind {
    NW_VALUE_NONE,
    NW_VALUE_PATH,      /* a file; "demo" where a model is expected */
    NW_VALUE_HW,        /* a hardware description's name or path */
    NW_VALUE_ESTIMATOR, /* a choice of nw_estimator_open; "auto": its default */
    NW_VALUE_PRECISION, /* file, int8, ... */
    NW_VALUE_DIM,       /* a dimension of the space, by name */
    NW_VALUE_EDIT,      /* lines of nw_edit_write, "; " between */
    NW_VALUE_WORDS, /* may be left out: "2.1", "down 2.1", "kernel 2.1"; the target says the rest */
    NW_VALUE_TEXT
} nw_value_kind;

/* id, name, key, value, logged (replayed, undone), help in one line */
#define NW_ACTIONS(X)                                                                              \
    X(OPEN, "open", "o", NW_VALUE_PATH, true, "open a model: ONNX, TFLite, network JSON, demo")    \
    X(HW, "hw", "H", NW_VALUE_HW, true,                                                            \
      "switch the hardware; the old numbers become the baseline")                                  \
    X(HW_NEXT, "hw.next", "]", NW_VALUE_NONE, true, "the next hardware description in the list")   \
    X(HW_PREVIOUS, "hw.previous", "[", NW_VALUE_NONE, true, "the previous one")                    \
    X(PRECISION, "precision", "p", NW_VALUE_PRECISION, true,                                       \
      "element type: file, int8, int16, ...")                                                      \
    X(ESTIMATOR, "estimator", "", NW_VALUE_ESTIMATOR, true,                                        \
      "who estimates: regression, device, auto, or a model file of nasw fit")                      \
    X(ESTIMATOR_NEXT, "estimator.next", "E", NW_VALUE_NONE, true,                                  \
      "the other one, device or regression; the old numbers become the baseline")                  \
    X(INPUT, "input", "", NW_VALUE_TEXT, true, "sizes of the next model opened: NAME=1x3x320x320") \
    X(BASELINE, "baseline", "b", NW_VALUE_NONE, true, "pin what is open as the baseline")          \
    X(KEEP, "keep", "c", NW_VALUE_NONE, false, "keep what is open to compare it (8), up to three") \
    X(EDIT, "edit", "=", NW_VALUE_EDIT, true,                                                      \
      "change the network: variant 2.1 fused, channels 3 64, kernel 2.1 5, width 0.75, ...")       \
    X(FUSE, "fuse", "f", NW_VALUE_WORDS, true, "fuse or unfuse the block under the cursor")        \
    X(FUSE_ALL, "fuse.all", "F", NW_VALUE_NONE, true,                                              \
      "fuse every block that is faster fused here")                                                \
    X(ALIGN, "align", "a", NW_VALUE_WORDS, true,                                                   \
      "its channels to the hardware's step: nearest, down or up")                                  \
    X(ALIGN_ALL, "align.all", "A", NW_VALUE_NONE, true,                                            \
      "every group of channels to the hardware's step, where that is faster")                      \
    X(MORE, "more", "+", NW_VALUE_WORDS, true, "the next larger value: channels, kernel, ...")     \
    X(LESS, "less", "-", NW_VALUE_WORDS, true, "the next smaller one")                             \
    X(INSERT, "insert", "i", NW_VALUE_WORDS, true, "one more block in the stage")                  \
    X(DROP, "drop", "x", NW_VALUE_WORDS, true, "one block fewer in the stage")                     \
    X(SPACE, "space", "", NW_VALUE_PATH, true,                                                     \
      "the search space: a file in Lua, a model, or model: the usual dimensions of what is open")  \
    X(SPACE_CURATE, "space.curate", "C", NW_VALUE_NONE, true,                                      \
      "only the options worth having on this hardware, or all of them again")                      \
    X(OPTION_KEEP, "option.keep", "", NW_VALUE_TEXT, true,                                         \
      "an option stays whatever curation says: c3=48")                                             \
    X(OPTION_DROP, "option.drop", "", NW_VALUE_TEXT, true, "an option goes: c3=40")                \
    X(OPTION_FREE, "option.free", "", NW_VALUE_TEXT, true, "an option is curation's again: c3=40") \
    X(SPACE_OPEN, "space.open", "", NW_VALUE_TEXT, true,                                           \
      "open a network of the space by its genome: c3=48 v2.1=fused")                               \
    X(LANDSCAPE_X, "landscape.x", "X", NW_VALUE_DIM, true, "the dimension to the right")           \
    X(LANDSCAPE_Y, "landscape.y", "Y", NW_VALUE_DIM, true, "the dimension upwards")                \
    X(LANDSCAPE_METRIC, "landscape.metric", "m", NW_VALUE_WORDS, true,                             \
      "what the landscape's heights are: objective, latency, energy, memory, size; or the next")   \
    X(LANDSCAPE_START, "landscape.start", "r", NW_VALUE_WORDS, true,                               \
      "climb from the probe: x and y as options, 96 48; or from three quarters up")                \
    X(UNDO, "undo", "u", NW_VALUE_NONE, false, "undo the last change")                             \
    X(REDO, "redo", "C-r", NW_VALUE_NONE, false, "redo what was undone")                           \
    X(REPEAT, "repeat", ".", NW_VALUE_NONE, false, "repeat the last change")                       \
    X(SAVE, "save", "w", NW_VALUE_PATH, false,                                                     \
      "save the network as JSON, by default beside its file")                                      \
    X(EXPORT, "export", "e", NW_VALUE_PATH, false,                                                 \
      "write the breakdown (.json, .csv, .txt) or the comparison (.md)")                           \
    X(COPY, "copy", "y", NW_VALUE_NONE, false, "copy the row under the cursor, also to a file")    \
    X(COMPARE_HW, "hw.compare", "K", NW_VALUE_NONE, false,                                         \
      "estimate on every description, in the background")                                          \
    X(RUN_SCRIPT, "script", "", NW_VALUE_PATH, false, "run a Lua script on this session")          \
    X(RECOVER, "recover", "", NW_VALUE_NONE, false,                                                \
      "do again what the session before did, if it was killed")                                    \
    X(SAVE_SESSION, "save-session", "", NW_VALUE_PATH, false,                                      \
      "write this session's actions as a Lua script")                                              \
    X(STOP, "stop", "C-c", NW_VALUE_NONE, false, "stop the running task, never the program")       \
    X(QUIT, "quit", "q", NW_VALUE_NONE, false, "leave; asks only if something is unsaved")

typedef enum nw_action_id {
#define X(id, name, key, value, logged, help) NW_ACTION_##id,
    NW_ACTIONS(X)
#undef X
        NW_ACTION_COUNT
} nw_action_id;

typedef struct nw_action_def {
    const char *name, *key, *help;
    nw_value_kind value;
    bool is_logged;
} nw_action_def;

typedef struct nw_action {
    nw_action_id id;
    int target;        /* index of a kernel (edits: of its block), or -1 */
    const char *value; /* borrowed; NULL or "": none given. COPY: the text to copy */
} nw_action;

const nw_action_def *nw_action_def_of(nw_action_id id);
nw_action_id nw_action_find(const char *name); /* NW_ACTION_COUNT: none */

/* Whether the action makes sense now; else why not, in words (may be NULL). */
bool nw_action_is_possible(const nw_session *session, nw_action_id id, char *why, size_t size);

/* Does it. NW_INVALID: refused, err says why; nothing has changed then. Leaves a message in the
 * session either way. */
NW_CHECKED nw_status nw_session_act(nw_session *session, const nw_action *action, nw_error *err);

#endif
