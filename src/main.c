/* main.c - what needs all of src, ui and lua: the workbench, scripts, and the way to the commands.
 *
 * Results go to stdout, talk to stderr. Exit status: 0 done, 1 a bad file or a script's error, 2
 * wrong usage, 130 a script interrupted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lua/engine.h"
#include "src/command/command.h"
#include "src/session/explore.h"
#include "src/session/session.h"
#include "ui/ui.h"

/* A file opened later must not take the place of a standard stream that is closed. Each gets a
 * null device of the wrong direction, so that using it is still an error. */
static void fill_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* ---- the workbench ---- */

static ui_color parse_color(const char *text)
{
    bool is_always = text && strcmp(text, "always") == 0;
    bool is_never = text && strcmp(text, "never") == 0;
    return is_always ? UI_COLOR_ALWAYS : is_never ? UI_COLOR_NEVER : UI_COLOR_AUTO;
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
static void begin_session(nw_session *session, const nw_options *o, ui_options *ui)
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

static int run_with_lua(nw_session *session, const nw_options *o, ui_options *ui, nw_arena *arena)
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

static int run_workbench(nw_options *o, nw_arena *arena)
{
    lua_config files = {
        .data_path = o->data_path, .is_trusted = o->trust, .is_interrupted = was_stopped};
    nw_session_config config = {.data_path = o->data_path,
                                .hw = o->hw,
                                .state_path = o->fresh ? NULL : find_state_path(arena),
                                .loader = {&files, lua_engine_load_network}};
    ui_options ui = {.ascii = o->ascii, .no_mouse = o->no_mouse};
    nw_session *session;
    nw_error err;
    nw_buf out = {0};
    int code;
    if (o->n_files > 1)
        return nw_command_fail_usage("one model at a time: nasw [FILE] [--hw NAME]");
    ui.color = parse_color(o->color);
    const nw_space_loader loader = {&files, lua_engine_load_space};
    if (o->keys) {
        ui_print_keys(&out);
        code = nw_command_print(&out);
        nw_buf_fini(&out);
        return code;
    }
    if (!ui_has_terminal())
        return nw_command_fail_usage("no terminal: use --script");
    if (nw_session_new(&config, &session, &err) != NW_OK)
        return nw_command_fail(&err);
    nw_session_set_space_loader(session, &loader);
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
    return status == NW_OK          ? NW_EXIT_DONE
           : status == NW_CANCELLED ? NW_EXIT_INTERRUPTED
                                    : NW_EXIT_BAD_FILE;
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
            return nw_command_fail_usage(
                "%s: a script's own arguments stand behind --: nasw --script F.lua "
                "[--trust] [-- ARGS]",
                argv[i]);
    }
    if (!path || !*path)
        return nw_command_fail_usage(
            "usage: nasw --script F.lua [--trust] [-- ARGS]; - is standard input");
    i += i < argc;
    lua_config files = {
        .data_path = data_path, .is_trusted = is_trusted, .is_interrupted = was_interrupted};
    nw_session_config config = {.data_path = data_path,
                                .loader = {&files, lua_engine_load_network}};
    nw_session *session;
    nw_error err;
    if (nw_session_new(&config, &session, &err) != NW_OK)
        return nw_command_fail(&err);
    const nw_space_loader spaces = {&files, lua_engine_load_space};
    nw_session_set_space_loader(session, &spaces);
    int code = run_script_file(path, argv + i, argc - i, is_trusted, session, data_path);
    nw_session_free(session);
    return code;
}

static bool is_script_call(int argc, char **argv)
{
    int i = argc > 2 && strcmp(argv[1], "--trust") == 0 ? 2 : 1;
    return argc > i && (strcmp(argv[i], "--script") == 0 || strncmp(argv[i], "--script=", 9) == 0);
}

/* nasw COMMAND ... */
static int run_command(const nw_command *command, nw_options *o, int argc, char **argv,
                       nw_arena *arena)
{
    if (!nw_options_parse(o, argv[1], argc - 2, argv + 2, arena))
        return NW_EXIT_USAGE;
    if (o->help)
        return nw_command_print_help();
    lua_config config = {.data_path = o->data_path, .is_trusted = o->trust};
    const nw_model_loader models = {&config, lua_engine_load_network};
    const nw_space_loader spaces = {&config, lua_engine_load_space};
    o->model_loader = &models;
    o->space_loader = &spaces;
    return command->run(o);
}

static int run(int argc, char **argv, nw_arena *arena)
{
    nw_options o = {.data_path = nw_options_data_path(arena)};
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return nw_command_print_help();
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return nw_command_print_version();
    if (is_script_call(argc, argv))
        return run_script(argc, argv, o.data_path);
    const nw_command *command = argc > 1 ? nw_command_find(argv[1]) : NULL;
    if (command)
        return run_command(command, &o, argc, argv, arena);
    if (argc > 1 && !is_model_or_option(argv[1]))
        return nw_command_fail_usage("unknown command %s; see nasw --help", argv[1]);
    if (!nw_options_parse(&o, NW_WORKBENCH, argc - 1, argv + 1, arena))
        return NW_EXIT_USAGE;
    return o.help ? nw_command_print_help() : run_workbench(&o, arena);
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
