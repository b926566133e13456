#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/command/internal.h"

#ifndef NASW_PREFIX
#define NASW_PREFIX "/usr/local"
#endif

/* "NAME=1x3x320x320", or the shape alone for a network with one input. */
static bool parse_input_size(const char *text, nw_input_size *out, nw_arena *arena)
{
    const char *shape = strrchr(text, '=');
    out->name = shape ? nw_arena_strndup(arena, text, (size_t)(shape - text)) : "";
    shape = shape ? shape + 1 : text;
    out->shape.rank = 0;
    while (*shape) {
        char *end;
        errno = 0;
        long long value = strtoll(shape, &end, 10);
        if (end == shape || errno || value < 1 || value > NW_MAX_DIM ||
            out->shape.rank == NW_MAX_RANK || (*end && *end != 'x' && *end != ',') ||
            (*end && !end[1]))
            return false;
        out->shape.dims[out->shape.rank++] = value;
        shape = *end ? end + 1 : end;
    }
    return out->shape.rank > 0;
}

typedef enum option_type { TEXT, FLAG, SIZE, EDIT } option_type;

typedef struct option_row {
    const char *name;
    size_t offset; /* of a const char * or a bool in nw_options */
    option_type type;
    const char *commands; /* that know it, each in blanks; NULL: all */
} option_row;

static const option_row option_rows[] = {
    {"--hw", offsetof(nw_options, hw), TEXT,
     " estimate compare measure fit space landscape " NW_WORKBENCH " "},
    {"--estimator", offsetof(nw_options, estimator), TEXT,
     " estimate compare space landscape " NW_WORKBENCH " "},
    {"--verify", offsetof(nw_options, verify), FLAG, " estimate "},
    {"--precision", offsetof(nw_options, precision), TEXT,
     " estimate compare space landscape " NW_WORKBENCH " "},
    {"--input", 0, SIZE, " estimate compare score export " NW_WORKBENCH " "},
    {"--edit", 0, EDIT, " estimate export "},
    {"--edits", offsetof(nw_options, edits_file), TEXT, " estimate export "},
    {"--cpu", offsetof(nw_options, is_cpu), FLAG, " measure "},
    {"--shapes", offsetof(nw_options, shapes), TEXT, " measure "},
    {"--emit", offsetof(nw_options, emit), TEXT, " measure "},
    {"-o", offsetof(nw_options, out), TEXT, " export measure fit predict "},
    {"--weights", offsetof(nw_options, weights), TEXT, " export "},
    {"--target", offsetof(nw_options, target), TEXT, " fit "},
    {"--group", offsetof(nw_options, group), TEXT, " fit "},
    {"--features", offsetof(nw_options, features), TEXT, " fit "},
    {"--network", offsetof(nw_options, network), TEXT, " fit predict "},
    {"--totals", offsetof(nw_options, totals), TEXT, " fit "},
    {"--total-target", offsetof(nw_options, total_target), TEXT, " fit "},
    {"--test", offsetof(nw_options, test), TEXT, " fit "},
    {"--folds", offsetof(nw_options, folds), TEXT, " fit "},
    {"--networks", offsetof(nw_options, networks), TEXT, " measure "},
    {"--trees", offsetof(nw_options, trees), TEXT, " fit "},
    {"--seed", offsetof(nw_options, seed), TEXT, " fit measure landscape "},
    {"--x", offsetof(nw_options, x), TEXT, " landscape "},
    {"--y", offsetof(nw_options, y), TEXT, " landscape "},
    {"--from", offsetof(nw_options, from), TEXT, " landscape "},
    {"--to", offsetof(nw_options, to), TEXT, " landscape "},
    {"--metric", offsetof(nw_options, metric), TEXT, " landscape "},
    {"--start", offsetof(nw_options, start), TEXT, " landscape "},
    {"--curated", offsetof(nw_options, is_curated), FLAG, " landscape "},
    {"--no-curate", offsetof(nw_options, no_curate), FLAG, " space "},
    {"--svg", offsetof(nw_options, svg), TEXT, " landscape "},
    {"--json", offsetof(nw_options, json), FLAG, " estimate compare score fit space landscape "},
    {"--csv", offsetof(nw_options, csv), FLAG, " estimate compare "},
    {"--md", offsetof(nw_options, md), FLAG, " compare "},
    {"--color", offsetof(nw_options, color), TEXT, NULL},
    {"--progress", offsetof(nw_options, progress), TEXT, NULL},
    {"--ascii", offsetof(nw_options, ascii), FLAG, " " NW_WORKBENCH " "},
    {"--no-mouse", offsetof(nw_options, no_mouse), FLAG, " " NW_WORKBENCH " "},
    {"--fresh", offsetof(nw_options, fresh), FLAG, " " NW_WORKBENCH " "},
    {"--keys", offsetof(nw_options, keys), FLAG, " " NW_WORKBENCH " "},
    {"--trust", offsetof(nw_options, trust), FLAG, " space landscape " NW_WORKBENCH " "},
    {"--help", offsetof(nw_options, help), FLAG, NULL},
    {"-h", offsetof(nw_options, help), FLAG, NULL},
};

static const option_row *find_option(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof option_rows / sizeof *option_rows; i++)
        if (strlen(option_rows[i].name) == length &&
            strncmp(option_rows[i].name, text, length) == 0)
            return &option_rows[i];
    return NULL;
}

static bool knows(const char *command, const option_row *row)
{
    char word[32];
    snprintf(word, sizeof word, " %s ", command);
    return !row->commands || strstr(row->commands, word);
}

/* The value behind the equals sign or in the next word; NULL after a usage error. A next option is
 * no value, "-" (standard input or output) is one. */
static const char *find_value(const char *word, const char *equals, const char *next)
{
    const char *value = equals ? equals + 1 : next;
    if (value && *value && (equals || value[0] != '-' || !value[1]))
        return value;
    nw_command_fail_usage("%.*s needs a value; see nasw --help",
                          equals ? (int)(equals - word) : 1000, word);
    return NULL;
}

/* One option at argv[i]; returns how many words it took, 0 after a usage error. */
static int parse_option(nw_options *o, const char *command, char **argv, int i, int argc,
                        nw_arena *arena)
{
    const char *equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;
    size_t length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
    const option_row *row = find_option(argv[i], length);
    const char *value = NULL;
    if (!row) {
        nw_command_fail_usage("unknown option %s; see nasw --help", argv[i]);
        return 0;
    }
    if (!knows(command, row)) {
        nw_command_fail_usage("nasw %s has no option %s; see nasw --help", command, argv[i]);
        return 0;
    }
    if (row->type == FLAG) {
        if (equals)
            nw_command_fail_usage("%.*s takes no value", (int)length, argv[i]);
        *(bool *)((char *)o + row->offset) = true;
        return !equals;
    }
    value = find_value(argv[i], equals, i + 1 < argc ? argv[i + 1] : NULL);
    if (!value)
        return 0;
    if (row->type == TEXT) {
        *(const char **)((char *)o + row->offset) = value;
    } else if (row->type == EDIT) {
        if (o->n_edits == NW_MAX_EDITS) {
            nw_command_fail_usage("there are more than %d --edit; write them in a file: --edits F",
                                  NW_MAX_EDITS);
            return 0;
        }
        o->edits[o->n_edits++] = value;
    } else if (o->n_sizes == NW_MAX_INPUT_SIZES ||
               !parse_input_size(value, &o->sizes[o->n_sizes], arena)) {
        nw_command_fail_usage("--input %s: wanted NAME=1x3x320x320", value);
        return 0;
    } else {
        o->size_texts[o->n_sizes++] = value;
    }
    return equals ? 1 : 2;
}

static bool parse_words(nw_options *o, const char *command, int argc, char **argv, nw_arena *arena)
{
    bool only_files = false;
    for (int i = 0; i < argc;) {
        if (!only_files && strcmp(argv[i], "--") == 0) {
            only_files = true;
            i++;
        } else if (!only_files && argv[i][0] == '-' && argv[i][1]) {
            int used = parse_option(o, command, argv, i, argc, arena);
            if (!used)
                return false;
            i += used;
        } else if (o->n_files == NW_MAX_FILES) {
            nw_command_fail_usage("too many files");
            return false;
        } else {
            o->files[o->n_files++] = argv[i++];
        }
    }
    return true;
}

/* Options that every command takes, whether or not it has colours or takes long. */
static bool check_everywhere(const nw_options *o)
{
    static const char *const colors[] = {"auto", "always", "never"};
    bool is_known = !o->color;
    for (int i = 0; i < 3 && o->color; i++)
        is_known |= strcmp(o->color, colors[i]) == 0;
    if (!is_known) {
        nw_command_fail_usage("--color %s: there are auto, always and never", o->color);
        return false;
    }
    if (o->progress && strcmp(o->progress, "auto") != 0 && strcmp(o->progress, "json") != 0) {
        nw_command_fail_usage("--progress %s: there are auto and json", o->progress);
        return false;
    }
    return true;
}

bool nw_options_parse(nw_options *o, const char *command, int argc, char **argv, nw_arena *arena)
{
    if (!parse_words(o, command, argc, argv, arena))
        return false;
    if (o->help)
        return true;
    if (o->csv && (o->json || o->verify)) {
        nw_command_fail_usage("--%s and --csv: choose one", o->json ? "json" : "verify");
        return false;
    }
    if (o->md && (o->json || o->csv)) {
        nw_command_fail_usage("--%s and --md: choose one", o->json ? "json" : "csv");
        return false;
    }
    return check_everywhere(o);
}

const char *nw_options_data_path(nw_arena *arena)
{
    nw_buf path = {0};
    const char *given = getenv("NASW_DATA");
    if (given && *given)
        nw_buf_printf(&path, "%s:%s/hw:", given, given);
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = '\0';
        for (int up = 0; up < 3 && strrchr(program, '/'); up++) {
            *strrchr(program, '/') = '\0';
            nw_buf_printf(&path, "%s/hw:", program);
            if (!up)
                nw_buf_printf(&path, "%s/../share/nasw/hw:", program);
        }
    }
    nw_buf_puts(&path, NASW_PREFIX "/share/nasw/hw");
    const char *copy = nw_arena_strdup(arena, nw_buf_text(&path));
    nw_buf_fini(&path);
    return copy;
}

bool nw_command_parse_count(const char *name, const char *text, int64_t least, int64_t most,
                            int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = text ? strtoll(text, &end, 10) : *out;
    if (text && (*end || end == text || errno || value < least || value > most)) {
        nw_command_fail_usage("%s %s: wanted a whole number from %lld to %lld", name, text,
                              (long long)least, (long long)most);
        return false;
    }
    *out = value;
    return true;
}
