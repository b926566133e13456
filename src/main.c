/* main.c - the command line. The only file that sees src, ui and lua.
 *
 * Results go to stdout, talk to stderr. Exit status: 0 done, 1 a bad file or a script's error, 2
 * wrong usage, 130 a script interrupted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lua/engine.h"
#include "src/base/arena.h"
#include "src/base/text.h"
#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "src/hw/hw.h"
#include "src/measure/measure.h"
#include "src/report/report.h"
#include "src/session/session.h"
#include "ui/ui.h"

enum { EXIT_DONE = 0, EXIT_BAD_FILE = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

#define MAX_INPUT_SIZES 64
#define MAX_FILES       64
#define MAX_TABLE_BYTES ((size_t)256 << 20)

typedef struct options {
    const char *files[MAX_FILES];
    int n_files;
    const char *hw, *estimator, *precision, *shapes, *out;
    bool json, csv, help;
    const char *color, *progress; /* of the workbench; of long tasks */
    bool ascii, no_mouse, fresh, keys, trust;
    nw_input_size sizes[MAX_INPUT_SIZES];
    const char *size_texts[MAX_INPUT_SIZES];
    int n_sizes;
    const char *data_path; /* where descriptions are looked up, colon-separated */
} options;

/* ---- talking ---- */

static int fail_usage(const char *format, ...) NW_PRINTF(1, 2);

static int fail_usage(const char *format, ...)
{
    char raw[512], clean[512];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    fprintf(stderr, "nasw: %s\n", nw_text_visible(raw, clean, sizeof clean));
    return EXIT_USAGE;
}

static int fail_error(const nw_error *err)
{
    fprintf(stderr, "nasw: %s%s%s\n", err->where, err->where[0] ? ": " : "", err->message);
    return strcmp(err->where, "--precision") == 0 ? EXIT_USAGE : EXIT_BAD_FILE;
}

/* Writes a result to stdout, or says that it could not. */
static int print_result(const nw_buf *buf)
{
    if (fwrite(nw_buf_text(buf), 1, buf->length, stdout) == buf->length && fflush(stdout) == 0)
        return EXIT_DONE;
    fprintf(stderr, "nasw: standard output: cannot write: %s\n", strerror(errno));
    return EXIT_BAD_FILE;
}

static int screen_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

/* ---- options ---- */

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

/* What runs when no command is named, in the list of options. */
#define WORKBENCH "[FILE]"

typedef enum option_type { TEXT, FLAG, SIZE } option_type;

typedef struct option_row {
    const char *name;
    size_t offset; /* of a const char * or a bool in options */
    option_type type;
    const char *commands; /* that know it, each in blanks; NULL: all */
} option_row;

static const option_row option_rows[] = {
    {"--hw", offsetof(options, hw), TEXT, " estimate measure " WORKBENCH " "},
    {"--estimator", offsetof(options, estimator), TEXT, " estimate " WORKBENCH " "},
    {"--precision", offsetof(options, precision), TEXT, " estimate " WORKBENCH " "},
    {"--input", 0, SIZE, " estimate " WORKBENCH " "},
    {"--shapes", offsetof(options, shapes), TEXT, " measure "},
    {"-o", offsetof(options, out), TEXT, " measure "},
    {"--json", offsetof(options, json), FLAG, " estimate "},
    {"--csv", offsetof(options, csv), FLAG, " estimate "},
    {"--color", offsetof(options, color), TEXT, NULL},
    {"--progress", offsetof(options, progress), TEXT, NULL},
    {"--ascii", offsetof(options, ascii), FLAG, " " WORKBENCH " "},
    {"--no-mouse", offsetof(options, no_mouse), FLAG, " " WORKBENCH " "},
    {"--fresh", offsetof(options, fresh), FLAG, " " WORKBENCH " "},
    {"--keys", offsetof(options, keys), FLAG, " " WORKBENCH " "},
    {"--trust", offsetof(options, trust), FLAG, " " WORKBENCH " "},
    {"--help", offsetof(options, help), FLAG, NULL},
    {"-h", offsetof(options, help), FLAG, NULL},
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
    fail_usage("%.*s needs a value; see nasw --help", equals ? (int)(equals - word) : 1000, word);
    return NULL;
}

/* One option at argv[i]; returns how many words it took, 0 after a usage error. */
static int parse_option(options *o, const char *command, char **argv, int i, int argc,
                        nw_arena *arena)
{
    const char *equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;
    size_t length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
    const option_row *row = find_option(argv[i], length);
    const char *value = NULL;
    if (!row) {
        fail_usage("unknown option %s; see nasw --help", argv[i]);
        return 0;
    }
    if (!knows(command, row)) {
        fail_usage("nasw %s has no option %s; see nasw --help", command, argv[i]);
        return 0;
    }
    if (row->type == FLAG) {
        if (equals)
            fail_usage("%.*s takes no value", (int)length, argv[i]);
        *(bool *)((char *)o + row->offset) = true;
        return !equals;
    }
    value = find_value(argv[i], equals, i + 1 < argc ? argv[i + 1] : NULL);
    if (!value)
        return 0;
    if (row->type == TEXT) {
        *(const char **)((char *)o + row->offset) = value;
    } else if (o->n_sizes == MAX_INPUT_SIZES ||
               !parse_input_size(value, &o->sizes[o->n_sizes], arena)) {
        fail_usage("--input %s: wanted NAME=1x3x320x320", value);
        return 0;
    } else {
        o->size_texts[o->n_sizes++] = value;
    }
    return equals ? 1 : 2;
}

static bool parse_options(options *o, const char *command, int argc, char **argv, nw_arena *arena)
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
        } else if (o->n_files == MAX_FILES) {
            fail_usage("too many files");
            return false;
        } else {
            o->files[o->n_files++] = argv[i++];
        }
    }
    return true;
}

/* $NASW_DATA, the folder above the program (the build's), the installed one. */
static const char *find_data_path(nw_arena *arena)
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
            nw_buf_printf(&path, "%s/%s:", program, up ? "hw" : "../share/nasw/hw");
        }
    }
    nw_buf_puts(&path, NASW_PREFIX "/share/nasw/hw");
    const char *copy = nw_arena_strdup(arena, nw_buf_text(&path));
    nw_buf_fini(&path);
    return copy;
}

/* A file opened later must not take the place of a standard stream that is closed. Each gets a
 * null device of the wrong direction, so that using it is still an error. */
static void fill_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* ---- commands ---- */

static int run_estimate(options *o)
{
    if (o->n_files != 1 || !o->hw)
        return fail_usage("usage: nasw estimate FILE --hw NAME [--precision P] [--estimator "
                          "device] [--input NAME=1x3x320x320] [--json|--csv]");
    const char *name = o->estimator ? o->estimator : "device";
    const nw_estimator *estimator = nw_estimator_find(name);
    if (!estimator)
        return fail_usage("--estimator %s: no such estimator; there is device", name);
    nw_error err;
    nw_hw *hw = NULL;
    nw_graph *graph = NULL;
    nw_estimate estimate;
    nw_buf out = {0};
    int code = EXIT_DONE;
    if (nw_hw_load(o->hw, o->data_path, &hw, &err) != NW_OK ||
        nw_model_load(o->files[0], o->sizes, o->n_sizes, &graph, &err) != NW_OK ||
        nw_estimate_graph(estimator, graph, hw, o->precision, &estimate, &err) != NW_OK) {
        code = fail_error(&err);
    } else {
        nw_breakdown breakdown = {o->files[0], graph, hw, &estimate};
        for (int i = 0; (o->json || o->csv) && i < graph->n_warnings; i++)
            fprintf(stderr, "nasw: warning: %s\n", graph->warnings[i]);
        if (o->json)
            nw_breakdown_json(&breakdown, &out);
        else if (o->csv)
            nw_breakdown_csv(&breakdown, &out);
        else
            nw_breakdown_text(&breakdown, screen_width(), &out);
        code = print_result(&out);
        nw_estimate_fini(&estimate);
    }
    nw_buf_fini(&out);
    nw_graph_free(graph);
    nw_hw_free(hw);
    return code;
}

static int show_hw(const options *o)
{
    nw_error err;
    nw_hw *hw;
    if (nw_hw_load(o->files[0], o->data_path, &hw, &err) != NW_OK)
        return fail_error(&err);
    char *text = nw_hw_describe(hw);
    nw_buf out = {0};
    nw_buf_printf(&out, "%s\n", text);
    int code = print_result(&out);
    char clean[256];
    if (code == EXIT_DONE)
        fprintf(stderr, "nasw: %s: valid\n", nw_text_visible(hw->path, clean, sizeof clean));
    nw_buf_fini(&out);
    free(text);
    nw_hw_free(hw);
    return code;
}

static int run_hw(options *o)
{
    if (o->n_files > 1)
        return fail_usage("usage: nasw hw [NAME|FILE]");
    if (o->n_files == 1)
        return show_hw(o);
    nw_buf out = {0};
    nw_error err;
    nw_status status = nw_report_hw_list(o->data_path, &out, &err);
    int code = status == NW_OK ? print_result(&out) : fail_error(&err);
    nw_buf_fini(&out);
    return code;
}

static int write_file(const char *path, const nw_buf *buf)
{
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(nw_buf_text(buf), 1, buf->length, file) == buf->length;
    if (file && fclose(file) != 0)
        is_written = false;
    if (is_written)
        return EXIT_DONE;
    char clean[256];
    fprintf(stderr, "nasw: %s: cannot write: %s\n", nw_text_visible(path, clean, sizeof clean),
            strerror(errno));
    return EXIT_BAD_FILE;
}

static int run_measure(options *o)
{
    if (o->n_files || !o->hw || !o->shapes || !o->out)
        return fail_usage("usage: nasw measure --hw NAME --shapes F.csv -o OUT.csv");
    nw_error err;
    nw_hw *hw;
    if (nw_hw_load(o->hw, o->data_path, &hw, &err) != NW_OK)
        return fail_error(&err);
    nw_buf out = {0};
    nw_file *table = NULL;
    int code;
    if (nw_file_read(o->shapes, MAX_TABLE_BYTES, &table, &err) != NW_OK ||
        nw_measure_shapes(table, hw, &out, &err) != NW_OK)
        code = fail_error(&err);
    else
        code = strcmp(o->out, "-") == 0 ? print_result(&out) : write_file(o->out, &out);
    nw_file_release(table);
    nw_buf_fini(&out);
    nw_hw_free(hw);
    return code;
}

/* ---- the workbench ---- */

static bool parse_color(const char *text, ui_color *out)
{
    static const char *const names[] = {"auto", "always", "never"};
    *out = UI_COLOR_AUTO;
    for (int i = 0; text && i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (ui_color)i;
            return true;
        }
    }
    return !text;
}

/* $XDG_STATE_HOME/nasw, or below the home folder; NULL: there is neither. */
static const char *find_state_path(nw_arena *arena)
{
    nw_buf path = {0};
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        nw_buf_printf(&path, "%s/nasw", state);
    else if (home && home[0] == '/' && access(home, F_OK) == 0) /* a home is not ours to make */
        nw_buf_printf(&path, "%s/.local/state/nasw", home);
    const char *copy = path.length ? nw_arena_strdup(arena, path.text) : NULL;
    nw_buf_fini(&path);
    return copy;
}

static nw_status act(nw_session *session, nw_action_id id, const char *value)
{
    nw_action action = {id, -1, value};
    return value ? nw_session_act(session, &action, NULL) : NW_OK;
}

/* What the options say, as the user would do it. What fails is a message on the screen. */
static void begin_session(nw_session *session, const options *o, ui_options *ui)
{
    nw_status status = act(session, NW_ACTION_ESTIMATOR, o->estimator);
    if (status == NW_OK)
        status = act(session, NW_ACTION_PRECISION, o->precision);
    for (int i = 0; i < o->n_sizes && status == NW_OK; i++)
        status = act(session, NW_ACTION_INPUT, o->size_texts[i]);
    if (o->n_files && status == NW_OK && act(session, NW_ACTION_OPEN, o->files[0]) == NW_OK)
        ui->first_screen = "Layers";
}

/* ---- Lua in the workbench ---- */

static nw_status bind_key(void *context, const char *key, const char *name, nw_error *err)
{
    (void)context;
    return ui_bind(key, name, err);
}

static nw_status set_color(void *context, const char *role, const char *color, nw_error *err)
{
    (void)context;
    return ui_set_color(role, color, err);
}

static const char *find_init_path(nw_arena *arena)
{
    nw_buf path = {0};
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && config[0] == '/')
        nw_buf_printf(&path, "%s/nasw/init.lua", config);
    else if (home && home[0] == '/')
        nw_buf_printf(&path, "%s/.config/nasw/init.lua", home);
    const char *copy = path.length ? nw_arena_strdup(arena, path.text) : NULL;
    nw_buf_fini(&path);
    return copy && access(copy, R_OK) == 0 ? copy : NULL;
}

enum { INIT_BUDGET = 30 * 1000 * 1000 }; /* a fraction of a second: the screen waits for it */

/* A mistake in init.lua is a message; the workbench opens all the same. */
static void run_init(lua_engine *engine, nw_session *session, nw_arena *arena)
{
    const char *path = find_init_path(arena);
    nw_buf problem = {0};
    lua_engine_set_budget(engine, INIT_BUDGET);
    if (path && lua_engine_run_file(engine, path, NULL, 0, &problem) != NW_OK) {
        const char *text = nw_buf_text(&problem);
        nw_session_say(session, NW_MESSAGE_ERROR, "%.*s", (int)strcspn(text, "\n"), text);
    }
    lua_engine_set_budget(engine, 0);
    nw_buf_fini(&problem);
}

static bool was_stopped(void *context)
{
    (void)context;
    return ui_is_interrupted();
}

static int run_with_lua(nw_session *session, const options *o, ui_options *ui, nw_arena *arena)
{
    const lua_face face = {.bind = bind_key, .set_color = set_color};
    lua_config config = {.session = session,
                         .data_path = o->data_path,
                         .is_trusted = o->trust,
                         .is_captured = true,
                         .face = &face,
                         .is_interrupted = was_stopped};
    lua_engine *engine = lua_engine_new(&config);
    const ui_evaluator evaluator = {.context = engine,
                                    .evaluate = lua_engine_evaluate,
                                    .complete = lua_engine_complete,
                                    .hint = lua_engine_hint};
    ui->evaluator = &evaluator;
    nw_session_set_script_runner(session, lua_engine_run_script, engine);
    run_init(engine, session, arena);
    begin_session(session, o, ui);
    int code = ui_run(session, ui);
    nw_session_set_script_runner(session, NULL, NULL);
    lua_engine_free(engine);
    return code;
}

static int run_workbench(options *o, nw_arena *arena)
{
    nw_session_config config = {.data_path = o->data_path,
                                .hw = o->hw,
                                .state_path = o->fresh ? NULL : find_state_path(arena)};
    ui_options ui = {.ascii = o->ascii, .no_mouse = o->no_mouse};
    nw_session *session;
    nw_error err;
    nw_buf out = {0};
    int code;
    if (o->n_files > 1)
        return fail_usage("one model at a time: nasw [FILE] [--hw NAME]");
    (void)parse_color(o->color, &ui.color); /* checked */
    if (o->keys) {
        ui_print_keys(&out);
        code = print_result(&out);
        nw_buf_fini(&out);
        return code;
    }
    if (!ui_has_terminal())
        return fail_usage("no terminal: use --script");
    if (nw_session_new(&config, &session, &err) != NW_OK)
        return fail_error(&err);
    code = run_with_lua(session, o, &ui, arena);
    nw_session_free(session);
    return code;
}

/* A word that is neither a command nor a file was meant as a command. */
static bool is_model_or_option(const char *word)
{
    return word[0] == '-' || strcmp(word, "demo") == 0 || strpbrk(word, "./") ||
           access(word, F_OK) == 0;
}

typedef struct command {
    const char *name;
    int (*run)(options *o);
    const char *usage;
} command;

static const command commands[] = {
    {"estimate", run_estimate,
     "nasw estimate FILE --hw NAME [--precision P] [--estimator device]\n"
     "              [--input NAME=1x3x320x320] [--json|--csv]\n"
     "      where the time of a network goes, kernel by kernel"},
    {"hw", run_hw,
     "nasw hw [NAME|FILE]\n"
     "      list, show and validate hardware descriptions"},
    {"measure", run_measure,
     "nasw measure --hw NAME --shapes F.csv -o OUT.csv\n"
     "      measure the listed kernels on the simulated device"},
};

static int print_help(void)
{
    nw_buf out = {0};
    nw_buf_puts(&out, "nasw - neural-architecture search on special-purpose hardware\n\n"
                      "  nasw [FILE] [--hw NAME] [--color=auto|always|never] [--ascii] "
                      "[--no-mouse]\n"
                      "       [--fresh]\n"
                      "      the workbench; nasw --keys prints its keys\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        nw_buf_printf(&out, "  %s\n", commands[i].usage);
    nw_buf_puts(&out,
                "  nasw --script F.lua [--trust] [-- ARGS]\n"
                "      run a Lua script on a session; --trust lifts its sandbox\n"
                "\nFILE is an ONNX or TFLite model, a nasw network JSON, - for standard input, "
                "or demo.\nNAME is a description listed by nasw hw, or the path of one "
                "(also found in $NASW_DATA).\nP is file (the file's own types), int8, "
                "int16, float16, ...\n");
    int code = print_result(&out);
    nw_buf_fini(&out);
    return code;
}

static int print_version(void)
{
    nw_buf out = {0};
    nw_buf_puts(&out, "nasw " NASW_VERSION "\n");
    int code = print_result(&out);
    nw_buf_fini(&out);
    return code;
}

/* ---- scripts ---- */

static volatile sig_atomic_t is_interrupted; /* a signal handler has nowhere else to write */

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

static bool was_interrupted(void *context)
{
    (void)context;
    return is_interrupted != 0;
}

static int run_script_file(const char *path, char *const *args, int n_args, bool is_trusted,
                           nw_session *session, const char *data_path)
{
    lua_config config = {.session = session,
                         .data_path = data_path,
                         .is_trusted = is_trusted,
                         .is_interrupted = was_interrupted};
    lua_engine *engine = lua_engine_new(&config);
    nw_session_set_script_runner(session, lua_engine_run_script, engine);
    /* The first Ctrl-C stops the script, a second one the program, whatever it is doing. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    nw_buf problem = {0};
    nw_status status = lua_engine_run_file(engine, path, args, n_args, &problem);
    signal(SIGINT, SIG_DFL);
    for (const char *line = nw_buf_text(&problem); *line; line += strcspn(line, "\n") + 1)
        fprintf(stderr, "nasw: %.*s\n", (int)strcspn(line, "\n"), line);
    nw_buf_fini(&problem);
    nw_session_set_script_runner(session, NULL, NULL);
    lua_engine_free(engine);
    return status == NW_OK ? EXIT_DONE : status == NW_CANCELLED ? EXIT_INTERRUPTED : EXIT_BAD_FILE;
}

/* nasw [--trust] --script F.lua [--trust] [-- ARGS] */
static int run_script(int argc, char **argv, const char *data_path)
{
    const char *path = NULL;
    bool is_trusted = false;
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--trust") == 0)
            is_trusted = true;
        else if (!path && strncmp(argv[i], "--script=", 9) == 0)
            path = argv[i] + 9;
        else if (!path && strcmp(argv[i], "--script") == 0 && i + 1 < argc)
            path = argv[++i];
        else
            return fail_usage("%s: a script's own arguments stand behind --: nasw --script F.lua "
                              "[--trust] [-- ARGS]",
                              argv[i]);
    }
    if (!path || !*path)
        return fail_usage("usage: nasw --script F.lua [--trust] [-- ARGS]; - is standard input");
    i += i < argc;
    nw_session_config config = {.data_path = data_path};
    nw_session *session;
    nw_error err;
    if (nw_session_new(&config, &session, &err) != NW_OK)
        return fail_error(&err);
    int code = run_script_file(path, argv + i, argc - i, is_trusted, session, data_path);
    nw_session_free(session);
    return code;
}

static bool is_script_call(int argc, char **argv)
{
    int i = argc > 2 && strcmp(argv[1], "--trust") == 0 ? 2 : 1;
    return argc > i && (strcmp(argv[i], "--script") == 0 || strncmp(argv[i], "--script=", 9) == 0);
}

/* Options that every command takes, whether or not it has colours or takes long. */
static bool check_everywhere(const options *o)
{
    ui_color color;
    if (!parse_color(o->color, &color)) {
        fail_usage("--color %s: there are auto, always and never", o->color);
        return false;
    }
    if (o->progress && strcmp(o->progress, "auto") != 0 && strcmp(o->progress, "json") != 0) {
        fail_usage("--progress %s: there are auto and json", o->progress);
        return false;
    }
    return true;
}

static int run(int argc, char **argv, nw_arena *arena)
{
    options o = {.data_path = find_data_path(arena)};
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return print_help();
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return print_version();
    if (is_script_call(argc, argv))
        return run_script(argc, argv, o.data_path);
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (!parse_options(&o, argv[1], argc - 2, argv + 2, arena))
            return EXIT_USAGE;
        if (o.help)
            return print_help();
        if (o.json && o.csv)
            return fail_usage("--json and --csv: choose one");
        if (!check_everywhere(&o))
            return EXIT_USAGE;
        return commands[i].run(&o);
    }
    if (argc > 1 && !is_model_or_option(argv[1]))
        return fail_usage("unknown command %s; see nasw --help", argv[1]);
    if (!parse_options(&o, WORKBENCH, argc - 1, argv + 1, arena) || !check_everywhere(&o))
        return EXIT_USAGE;
    return o.help ? print_help() : run_workbench(&o, arena);
}

int main(int argc, char **argv)
{
    fill_closed_streams();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe becomes an error that we can name */
    nw_arena arena = {0};
    int code = run(argc, argv, &arena);
    nw_arena_fini(&arena);
    return code;
}
