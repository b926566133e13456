/* command.h - the commands that print and end: estimate, hw, compare, ...
 *
 * Results go to stdout, talk to stderr. One table of commands and one of options (command.c,
 * options.c) feed parsing and help. The workbench and scripts, which need ui and lua, stand in
 * src/main.c and share the options.
 */
#ifndef NW_COMMAND_H
#define NW_COMMAND_H

#include <stdbool.h>

#include "src/base/arena.h"
#include "src/base/error.h"
#include "src/base/text.h"
#include "src/format/format.h"
#include "src/space/space.h"

/* Exit status of the program. Interrupted: what was finished is kept. */
enum { NW_EXIT_DONE = 0, NW_EXIT_BAD_FILE = 1, NW_EXIT_USAGE = 2, NW_EXIT_INTERRUPTED = 130 };

#define NW_MAX_INPUT_SIZES 64
#define NW_MAX_FILES       64
#define NW_MAX_EDITS       256

/* What runs when no command is named, in the list of options. */
#define NW_WORKBENCH "[FILE]"

typedef struct nw_options {
    const char *files[NW_MAX_FILES];
    int n_files;
    const char *hw, *estimator, *precision, *shapes, *emit, *out, *weights;
    const char *target, *group, *features, *network, *totals, *total_target, *test, *seed, *trees,
        *folds, *networks;
    const char *x, *y, *metric, *start, *from, *to, *svg;
    bool json, csv, md, verify, help;
    bool no_curate;               /* space: the hardware's times, no curation */
    bool is_curated;              /* landscape: the curated values alone */
    bool is_cpu;                  /* measure: on this machine */
    const char *color, *progress; /* checked; NULL: auto */
    bool ascii, no_mouse, fresh, keys, trust;
    nw_input_size sizes[NW_MAX_INPUT_SIZES];
    const char *size_texts[NW_MAX_INPUT_SIZES];
    int n_sizes;
    const char *edits[NW_MAX_EDITS]; /* --edit, in order; behind those of edits_file */
    int n_edits;
    const char *edits_file;
    const char *data_path;               /* where descriptions are looked up, colon-separated */
    const nw_model_loader *model_loader; /* of networks in Lua; NULL: there is none */
    const nw_space_loader *space_loader; /* of spaces in Lua; NULL: there is none */
} nw_options;

typedef struct nw_command {
    const char *name;
    int (*run)(nw_options *o); /* returns the exit status */
    const char *usage;
} nw_command;

/* NULL: no command has that name. */
const nw_command *nw_command_find(const char *name);

/* Reads the words behind the command, or behind the program's name for NW_WORKBENCH. False: it has
 * said on stderr what is wrong with the usage. */
bool nw_options_parse(nw_options *o, const char *command, int argc, char **argv, nw_arena *arena);

/* $NASW_DATA, the folder above the program (the build's), the installed one. */
const char *nw_options_data_path(nw_arena *arena);

int nw_command_print_help(void);
int nw_command_print_version(void);

/* ---- talking ---- */

int nw_command_fail_usage(const char *format, ...) NW_PRINTF(1, 2);
int nw_command_fail(const nw_error *err);
int nw_command_print(const nw_buf *buf); /* a result to stdout, or says that it could not */

#endif
