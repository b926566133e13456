/* The workbench in a pseudo-terminal: what stands in its cells, what its keys do, and that the
 * terminal is as before when it is gone. The network is the built-in one. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/support_term.h"
#include "ui/keys.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

#define ENVIRONMENT(...) ((const char *const[]){__VA_ARGS__, NULL})
#define COLORS_256       ENVIRONMENT("TERM=xterm-256color", "LANG=C.UTF-8")

static terminal *start(int rows, int columns, const char *const *environment, const char *first,
                       const char *second)
{
    const char *const words[] = {nasw_program(), first, first ? second : NULL, NULL};
    return terminal_start(rows, columns, environment, words);
}

/* The last row of Layers and of the welcome ends so at every width. */
static void wait_for_layers(terminal *t)
{
    ck_assert(terminal_wait_for(t, "Layers]"));
    ck_assert(terminal_wait_for(t, "? help"));
    terminal_settle(t);
}

static terminal *start_layers(int rows, int columns, const char *const *environment)
{
    terminal *t = start(rows, columns, environment, "demo", NULL);
    ck_assert(terminal_wait_for(t, columns >= 100 ? "[3 Layers]" : "[3Layers]"));
    terminal_settle(t);
    return t;
}

static void leave(terminal *t)
{
    terminal_send(t, "q");
    ck_assert_int_eq(terminal_finish(t), 0);
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}

/* ---- first screens ---- */

static const struct {
    int rows, columns;
} sizes[] = {{16, 60}, {24, 80}, {36, 120}, {60, 200}};

START_TEST(the_demo_is_one_key_from_a_cold_start)
{
    terminal *t = start(sizes[_i].rows, sizes[_i].columns, COLORS_256, NULL, NULL);
    ck_assert(terminal_wait_for(t, "nasw explores how network shape meets accelerator shape."));
    ck_assert(terminal_wait_for(t, "hardware ne32"));
    ck_assert(terminal_wait_for(t, "? help"));
    ck_assert_int_eq(strncmp(terminal_row(t, 0), "nasw ", 5), 0);
    ck_assert_int_eq(strncmp(terminal_row(t, sizes[_i].rows - 1), "Enter demo", 10), 0);
    terminal_send(t, "\r");
    ck_assert(terminal_wait_for(t, sizes[_i].columns >= 100 ? "[3 Layers]" : "[3Layers]"));
    ck_assert(terminal_wait_for(t, "opened demo:"));
    ck_assert(terminal_wait_for(t, "ne32"));
    leave(t);
}
END_TEST

START_TEST(a_file_opens_in_layers_and_a_bad_one_is_said_on_the_welcome)
{
    leave(start_layers(24, 80, COLORS_256));
    terminal *t = start(24, 80, COLORS_256, "./no-such-file.onnx", NULL);
    ck_assert(terminal_wait_for(t, "nasw explores"));
    ck_assert(terminal_wait_for(t, "\nopen: ./no-such-file.onnx: "));
    terminal_send(t, "\t"); /* a message stays until the next key */
    ck_assert(terminal_wait_gone(t, "no-such-file"));
    leave(t);
}
END_TEST

/* The endless one ends by its budget, before anything is on the screen. */
static const char *const broken_inits[][2] = {
    {"error('boom')", "init.lua:1: boom"},
    {"while true do end", "init.lua:1: the script's budget"},
    {"nasw.bind('z', 'hw.next') nasw.bind('z', 'export')", "init.lua:1: z: is the key of hw.next"},
};

START_TEST(a_mistake_in_init_lua_is_not_hidden_by_the_file_that_opened)
{
    char line[256];
    snprintf(line, sizeof line,
             "mkdir -p .config/nasw && echo \"%s\" > .config/nasw/init.lua && exec \"$0\" demo",
             broken_inits[_i][0]);
    const char *const words[] = {"/bin/sh", "-c", line, nasw_program(), NULL};
    terminal *t = terminal_start(24, 120, COLORS_256, words);
    ck_assert(terminal_wait_for(t, "[3 Layers]"));
    ck_assert(terminal_wait_for(t, broken_inits[_i][1]));
    terminal_send(t, "M");
    ck_assert(terminal_wait_for(t, "opened demo:"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "opened demo:"));
    leave(t);
}
END_TEST

/* HOME=/nonexistent is how systems say that an account has none. */
START_TEST(a_home_that_is_missing_is_not_made)
{
    const char *const words[] = {"/bin/sh", "-c",
                                 "HOME=$HOME/none \"$0\" demo; test -e none || echo none was made",
                                 nasw_program(), NULL};
    terminal *t = terminal_start(24, 80, COLORS_256, words);
    wait_for_layers(t);
    terminal_send(t, "y");
    ck_assert(terminal_wait_for(t, "copied (no file: nothing is kept)"));
    terminal_send(t, "q");
    ck_assert(terminal_wait_for(t, "none was made"));
    ck_assert_int_eq(terminal_finish(t), 0);
    terminal_free(t);
}
END_TEST

START_TEST(escapes_in_names_are_shown_never_sent)
{
    terminal *t = start(24, 80, COLORS_256,
                        "./a\033[31m\033[2J\xc2\x9b"
                        "5n.onnx",
                        NULL);
    ck_assert(terminal_wait_for(t, "./a\\x1b[31m\\x1b[2J\\xc2\\x9b5n.onnx"));
    ck_assert(terminal_wait_for(t, "nasw explores"));
    leave(t);
}
END_TEST

START_TEST(hardware_of_the_command_line_is_shown)
{
    terminal *t = start(24, 80, COLORS_256, "--hw=u55-256", NULL);
    ck_assert(terminal_wait_for(t, "hardware u55-256"));
    leave(t);
}
END_TEST

/* ---- no terminal ---- */

static const struct {
    const char *name, *terminal, *redirect, *said;
} unusable[] = {
    {"dumb", "dumb", "", "no terminal: use --script"},
    {"unset", "", "", "no terminal: use --script"},
    {"unknown", "nonsense-9", "", "no terminal: TERM=nonsense-9"},
    {"paper", "tty33", "", "no terminal: TERM=tty33"},
    {"no input", "xterm-256color", "</dev/null", "no terminal: use --script"},
    {"closed input", "xterm-256color", "<&-", "no terminal: use --script"},
    {"no output", "xterm-256color", ">/dev/null", "no terminal: use --script"},
};

START_TEST(without_a_terminal_there_is_one_line_and_status_2)
{
    char command[4096], term[64];
    snprintf(command, sizeof command, "%s %s", nasw_program(), unusable[_i].redirect);
    snprintf(term, sizeof term, "TERM=%s", unusable[_i].terminal);
    const char *const words[] = {"/bin/sh", "-c", command, NULL};
    terminal *t = terminal_start(24, 80, ENVIRONMENT(term), words);
    ck_assert_int_eq(terminal_finish(t), 2);
    ck_assert_ptr_nonnull(strstr(terminal_text(t), unusable[_i].said));
    ck_assert_str_eq(terminal_row(t, 1), "");
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}
END_TEST

/* ---- colours ---- */

/* The cell of the first "better" mark in the list of hardware: its colour is #00afff where colours
 * are direct, 39 among the 256, cyan among 8. libvterm has the levels of the 256's cube 51 apart:
 * 39 = 16 + 0 * 36 + 3 * 6 + 5 is red 0, green 3 * 51, blue 5 * 51. */
static terminal_cell better_cell(terminal *t, const char *mark, int *row, int *column)
{
    terminal_send(t, "H");
    ck_assert(terminal_wait_for(t, "13 estimated"));
    ck_assert(terminal_wait_for(t, "ne64"));
    terminal_settle(t);
    ck_assert(terminal_find(t, "ne64", row, column));
    int at = *column;
    while (terminal_cell_at(t, *row, at).glyph != '%')
        at++;
    *column = at + 2;
    terminal_cell cell = terminal_cell_at(t, *row, *column);
    ck_assert_uint_eq(cell.glyph, strcmp(mark, "v") == 0 ? 'v' : 0x25bc);
    return cell;
}

static const struct {
    const char *name, *environment[5], *option, *mark;
    int red, green, blue; /* -1: the default */
} coloured[] = {
    {"256", {"TERM=xterm-256color", "LANG=C.UTF-8"}, NULL, "▼", 0, 153, 0xff},
    {"direct", {"TERM=xterm-direct2", "LANG=C.UTF-8"}, NULL, "▼", 0, 0xaf, 0xff},
    {"NO_COLOR", {"TERM=xterm-256color", "NO_COLOR=1", "LANG=C.UTF-8"}, NULL, "▼", -1, -1, -1},
    {"never", {"TERM=xterm-256color", "LANG=C.UTF-8"}, "--color=never", "▼", -1, -1, -1},
    {"empty NO_COLOR", {"TERM=xterm-256color", "NO_COLOR="}, NULL, "▼", 0, 153, 0xff},
    {"always", {"TERM=xterm-256color", "NO_COLOR=1"}, "--color=always", "▼", 0, 153, 0xff},
    {"vt100", {"TERM=vt100", "LANG=C.UTF-8"}, NULL, "v", -1, -1, -1},
};

START_TEST(better_is_blue_where_there_is_blue)
{
    int row, column;
    terminal *t = start(30, 100, coloured[_i].environment, "demo", coloured[_i].option);
    wait_for_layers(t);
    terminal_cell cell = better_cell(t, coloured[_i].mark, &row, &column);
    ck_assert_int_eq(cell.red, coloured[_i].red);
    ck_assert_int_eq(cell.green, coloured[_i].green);
    ck_assert_int_eq(cell.blue, coloured[_i].blue);
    terminal_send(t, "q");
    ck_assert(terminal_wait_gone(t, "latency against now"));
    leave(t);
}
END_TEST

START_TEST(eight_colours_are_enough)
{
    int row, column;
    terminal *t = start_layers(30, 100, ENVIRONMENT("TERM=xterm", "LANG=C.UTF-8"));
    terminal_cell cell = better_cell(t, "▼", &row, &column);
    ck_assert_int_eq(cell.red, 0); /* cyan, however bright */
    ck_assert_int_gt(cell.green, 0);
    ck_assert_int_eq(cell.green, cell.blue);
    terminal_send(t, "q");
    leave(t);
}
END_TEST

START_TEST(the_rows_under_the_cursor_are_reversed_and_keys_bold)
{
    terminal *t = start(24, 80, COLORS_256, NULL, NULL);
    ck_assert(terminal_wait_for(t, "nasw explores"));
    terminal_settle(t);
    ck_assert(terminal_cell_at(t, 23, 0).bold); /* "Enter" of the footer */
    ck_assert(!terminal_cell_at(t, 23, 6).bold);
    terminal_send(t, "H");
    ck_assert(terminal_wait_for(t, "> ne32"));
    int row, column;
    ck_assert(terminal_find(t, "> ne32", &row, &column));
    ck_assert(terminal_cell_at(t, row, column).reverse);
    ck_assert(!terminal_cell_at(t, row - 1, column).reverse);
    terminal_send(t, "q");
    leave(t);
}
END_TEST

/* ---- locales ---- */

static const struct {
    const char *environment[5], *option;
    bool is_ascii;
} locales[] = {
    {{"TERM=xterm-256color"}, NULL, false}, /* nobody asked for C */
    {{"TERM=xterm-256color", "LC_ALL=", "LANG="}, NULL, false},
    {{"TERM=xterm-256color", "LANG=xx_YY.UTF-8"}, NULL, false}, /* not installed */
    {{"TERM=xterm-256color", "LC_ALL=C"}, NULL, true},
    {{"TERM=xterm-256color", "LANG=POSIX"}, NULL, true},
    {{"TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C"}, NULL, true},
    {{"TERM=xterm-256color", "LC_CTYPE=C.UTF-8"}, NULL, false},
    {{"TERM=linux", "LANG=C.UTF-8"}, NULL, true},
    {{"TERM=vt100", "LANG=C.UTF-8"}, NULL, true},
    {{"TERM=xterm-256color", "LANG=C.UTF-8"}, "--ascii", true},
};

START_TEST(glyphs_are_ascii_where_others_may_not_be_shown)
{
    terminal *t = start(24, 80, locales[_i].environment, "demo", locales[_i].option);
    bool has_others = false;
    wait_for_layers(t);
    for (const char *c = terminal_text(t); *c; c++)
        has_others |= (*c & 0x80) != 0;
    ck_assert_msg(has_others == !locales[_i].is_ascii, "%s", terminal_text(t));
    leave(t);
}
END_TEST

/* ---- size ---- */

START_TEST(a_storm_of_sizes_ends_in_the_screen_of_its_last_one)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_send(t, "jjj");
    terminal_settle(t);
    char *before = strdup(terminal_text(t));
    unsigned x = 7;
    for (int i = 0; i < 150; i++) {
        x = x * 1664525u + 1013904223u;
        int rows = 1 + (int)(x >> 8) % 70;
        int columns = 1 + (int)(x >> 16) % 220;
        terminal_resize(t, i % 10 == 0 ? 1 : rows, i % 10 == 0 ? 1 : columns);
        if (i % 4 == 0)
            terminal_send(t, i % 8 == 0 ? "?" : "\033");
        if (i % 16 == 0)
            terminal_settle(t);
    }
    terminal_resize(t, 24, 80);
    terminal_settle(t);
    terminal_send(t, "\033");
    terminal_settle(t);
    terminal_send(t, "\033");
    ck_assert(terminal_wait_for(t, "[3Layers]"));
    ck_assert(terminal_wait_gone(t, "type to filter"));
    terminal_settle(t);
    ck_assert_str_eq(terminal_text(t), before);
    free(before);
    leave(t);
}
END_TEST

START_TEST(below_the_smallest_size_one_line_says_so_and_q_quits)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_resize(t, 15, 60);
    ck_assert(terminal_wait_for(t, "60x15: too small, nasw needs 60x16; q quits"));
    ck_assert_str_eq(terminal_row(t, 1), "");
    terminal_resize(t, 16, 60);
    ck_assert(terminal_wait_for(t, "[3Layers]"));
    terminal_resize(t, 24, 59);
    ck_assert(terminal_wait_for(t, "59x24: too small"));
    terminal_resize(t, 1, 1);
    terminal_settle(t);
    leave(t);
    t = start(1, 1, COLORS_256, "demo", NULL);
    terminal_settle(t);
    leave(t);
}
END_TEST

/* ---- keys ---- */

START_TEST(help_lists_filters_and_runs)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_send(t, "?");
    ck_assert(terminal_wait_for(t, "Help: Layers"));
    terminal_send(t, "mess");
    ck_assert(terminal_wait_for(t, "1 possible here"));
    ck_assert(terminal_wait_for(t, "all messages"));
    terminal_send(t, "\r");
    ck_assert(terminal_wait_for(t, "─ Messages ─"));
    ck_assert(terminal_wait_for(t, "opened demo"));
    terminal_send(t, "q"); /* backs out */
    ck_assert(terminal_wait_gone(t, "─ Messages ─"));
    terminal_send(t, "\033OP");
    ck_assert(terminal_wait_for(t, "Help: Layers"));
    terminal_send(t, "q"); /* is text here */
    ck_assert(terminal_wait_for(t, "> q"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "Help: Layers"));
    leave(t);
}
END_TEST

START_TEST(help_lists_only_what_is_possible)
{
    terminal *t = start(36, 120, COLORS_256, NULL, NULL);
    ck_assert(terminal_wait_for(t, "nasw explores"));
    terminal_send(t, "?");
    ck_assert(terminal_wait_for(t, "Help: Welcome"));
    ck_assert_ptr_null(strstr(terminal_text(t), "undo the last change"));
    ck_assert_ptr_null(strstr(terminal_text(t), "sort.left"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "Help: Welcome"));
    terminal_send(t, "\r");
    wait_for_layers(t);
    terminal_send(t, "?");
    ck_assert(terminal_wait_for(t, "undo the last change"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "Help: Layers"));
    leave(t);
}
END_TEST

START_TEST(the_palette_finds_by_letters_and_takes_values)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_send(t, ":");
    ck_assert(terminal_wait_for(t, "─ Commands ─"));
    terminal_send(t, "bsln"); /* letters of baseline in their order */
    ck_assert(terminal_wait_for(t, "pin what is open"));
    terminal_send(t, "\x15hw ne16\r");
    ck_assert(terminal_wait_for(t, "hw ne32 -> ne16"));
    ck_assert(terminal_wait_gone(t, "─ Commands ─"));
    terminal_send(t, "\020"); /* C-p */
    ck_assert(terminal_wait_for(t, "─ Commands ─"));
    terminal_send(t, "precision\r"); /* wants a value: a prompt */
    ck_assert(terminal_wait_for(t, "precision: "));
    terminal_send(t, "nonsense\r");
    ck_assert(terminal_wait_for(t, "nonsense"));
    ck_assert(terminal_wait_for(t, "precision: nonsense")); /* it stays, with what is wrong */
    terminal_send(t, "\x15int\t");
    ck_assert(terminal_wait_for(t, "int16"));
    terminal_send(t, "8\r");
    ck_assert(terminal_wait_gone(t, "precision: int8"));
    ck_assert(terminal_wait_for(t, "precision file -> int8"));
    leave(t);
}
END_TEST

START_TEST(opening_completes_paths_and_says_what_is_wrong_in_place)
{
    char folder[] = "/tmp/nasw-open-XXXXXX", path[128], line[160];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/bad-model.json", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("{\"schema\": 1}", file);
    fclose(file);
    terminal *t = start(24, 80, COLORS_256, NULL, NULL);
    ck_assert(terminal_wait_for(t, "nasw explores"));
    snprintf(line, sizeof line, "o%s/\t", folder);
    terminal_send(t, line);
    ck_assert(terminal_wait_for(t, "/bad-model.json"));
    terminal_send(t, "\r");
    snprintf(line, sizeof line, "│ %s: ", path);
    ck_assert(terminal_wait_for(t, line));
    terminal_send(t, "\x15"
                     "demo\r");
    wait_for_layers(t);
    terminal_send(t, "o\033[A"); /* typed before */
    ck_assert(terminal_wait_for(t, "open: demo"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "open: demo"));
    leave(t);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(a_path_dropped_on_the_screen_is_one_to_open)
{
    terminal *t = start(24, 80, COLORS_256, NULL, NULL);
    ck_assert(terminal_wait_for(t, "nasw explores"));
    terminal_send(t, "\033[200~'./q no such\r.onnx' \033[201~");
    ck_assert(terminal_wait_for(t, "open: './q no such.onnx'"));
    terminal_send(t, "\r");
    ck_assert(terminal_wait_for(t, "│ ./q no such.onnx: "));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "open: "));
    leave(t);
}
END_TEST

START_TEST(an_undone_switch_of_hardware_restores_the_screen)
{
    terminal *t = start_layers(36, 120, COLORS_256);
    terminal_send(t, "\t\t"); /* the message of the start goes */
    ck_assert(terminal_wait_gone(t, "opened demo"));
    terminal_settle(t);
    char *before = strdup(terminal_text(t));
    terminal_send(t, "]");
    ck_assert(terminal_wait_for(t, "hw ne32 -> ne64"));
    terminal_send(t, "u");
    ck_assert(terminal_wait_for(t, "undid"));
    terminal_send(t, "\t\t");
    ck_assert(terminal_wait_gone(t, "undid"));
    terminal_settle(t);
    ck_assert_str_eq(terminal_text(t), before);
    free(before);
    leave(t);
}
END_TEST

/* Where a key of an entry may change nothing and say nothing: at the start of a list. */
static bool is_quiet(const char *name)
{
    static const char *const quiet[] = {"up", "left", "right", "top", "page.up", "back", "redraw"};
    for (int i = 0; i < N_OF(quiet); i++)
        if (strcmp(quiet[i], name) == 0)
            return true;
    return false;
}

/* What leaves something unsaved, which F10 asks about. */
static bool is_edit(const char *name)
{
    static const char *const edits[] = {"fuse", "fuse.all", "align",  "align.all",
                                        "more", "less",     "insert", "drop"};
    for (int i = 0; i < N_OF(edits); i++)
        if (strcmp(edits[i], name) == 0)
            return true;
    return false;
}

/* What a terminal sends for a key. */
static const char *bytes_of(const char *key)
{
    static const struct {
        const char *name, *bytes;
    } named[] = {{"Tab", "\t"},       {"Enter", "\r"},       {"Esc", "\033"},
                 {"Space", " "},      {"Backspace", "\x7f"}, {"Up", "\033[A"},
                 {"Down", "\033[B"},  {"Left", "\033[D"},    {"Right", "\033[C"},
                 {"PgUp", "\033[5~"}, {"PgDn", "\033[6~"},   {"Home", "\033[H"},
                 {"End", "\033[F"},   {"S-Tab", "\033[Z"},   {"F1", "\033OP"},
                 {"F2", "\033OQ"},    {"F10", "\033[21~"}};
    static char bytes[8];
    for (int i = 0; i < N_OF(named); i++)
        if (strcmp(named[i].name, key) == 0)
            return named[i].bytes;
    if (strncmp(key, "C-", 2) == 0)
        snprintf(bytes, sizeof bytes, "%c", key[2] & 31);
    else if (strncmp(key, "A-", 2) == 0)
        snprintf(bytes, sizeof bytes, "\033%s", key + 2);
    else
        snprintf(bytes, sizeof bytes, "%s", key);
    return bytes;
}

/* Each key of the two tables, on a Layers screen with the cursor in the list: something moves, or
 * the message row says why not; the program lives on. */
START_TEST(every_key_of_the_tables_does_something_or_says_why_not)
{
    ui_entry entry = _i;
    const char *name = ui_entry_name(entry);
    char keys[64], *rest;
    ui_entry_keys(entry, keys, sizeof keys);
    if (strcmp(name, "quit") == 0 || strcmp(name, "suspend") == 0 || !keys[0])
        return; /* tests of their own; no key */
    for (char *key = strtok_r(keys, " ", &rest); key; key = strtok_r(NULL, " ", &rest)) {
        terminal *t = start_layers(24, 80, COLORS_256);
        terminal_send(t, "jjj\t\t");
        ck_assert(terminal_wait_gone(t, "opened demo"));
        terminal_settle(t);
        uint64_t before = terminal_hash(t);
        terminal_send(t, bytes_of(key));
        ck_assert_msg(is_quiet(name) || terminal_wait_other(t, before), "%s (%s)\n%s", key, name,
                      terminal_text(t));
        terminal_settle(t);
        terminal_send(t, "\033");
        terminal_settle(t);
        terminal_send(t, "\033");
        terminal_settle(t);
        terminal_send(t, "\033[21~"); /* F10 */
        if (is_edit(name) && terminal_wait_for(t, "something is unsaved"))
            terminal_send(t, "y");
        ck_assert_int_eq(terminal_finish(t), 0);
        ck_assert(terminal_is_restored(t));
        terminal_free(t);
    }
}
END_TEST

START_TEST(a_key_that_is_none_says_so)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_send(t, "\033[20~");
    ck_assert(terminal_wait_for(t, "F9 is no key here; ? lists those that are"));
    leave(t);
}
END_TEST

/* ---- mouse ---- */

START_TEST(clicks_and_the_wheel_move_the_cursor)
{
    terminal *t = start(24, 80, COLORS_256, NULL, NULL);
    ck_assert(terminal_wait_for(t, "nasw explores"));
    terminal_send(t, "H");
    ck_assert(terminal_wait_for(t, "> ne32"));
    terminal_settle(t);
    int row, column;
    char bytes[64];
    ck_assert(terminal_find(t, "ne64", &row, &column));
    ck_assert(!terminal_cell_at(t, row, column).reverse);
    snprintf(bytes, sizeof bytes, "\033[<0;%d;%dM\033[<0;%d;%dm", column + 1, row + 1, column + 1,
             row + 1);
    terminal_send(t, bytes);
    terminal_settle(t);
    ck_assert(terminal_cell_at(t, row, column).reverse);
    snprintf(bytes, sizeof bytes, "\033[<65;%d;%dM", column + 1, row + 1); /* wheel down */
    terminal_send(t, bytes);
    terminal_settle(t);
    ck_assert(!terminal_cell_at(t, row, column).reverse);
    ck_assert(terminal_cell_at(t, row + 1, column).reverse);
    terminal_send(t, "\r");
    ck_assert(terminal_wait_for(t, "hw systolic16-is"));
    leave(t);
}
END_TEST

static const struct {
    const char *environment[4], *option;
    bool has_mouse;
} mice[] = {
    {{"TERM=xterm-256color"}, NULL, true},
    {{"TERM=tmux-256color"}, NULL, true},
    {{"TERM=xterm-256color"}, "--no-mouse", false},
    {{"TERM=xterm-256color", "SSH_CONNECTION=x"}, NULL, false},
    {{"TERM=vt100"}, NULL, false},
};

START_TEST(the_mouse_is_taken_only_where_it_is_wanted)
{
    terminal *t = start(24, 80, mice[_i].environment, "demo", mice[_i].option);
    wait_for_layers(t);
    ck_assert_int_eq(terminal_has_mouse(t), mice[_i].has_mouse);
    if (mice[_i].has_mouse) {
        terminal_send(t, ":mouse\r");
        ck_assert(terminal_wait_for(t, "the mouse is the terminal's"));
        ck_assert(!terminal_has_mouse(t));
    }
    leave(t);
}
END_TEST

START_TEST(clicks_on_tabs_and_footer_are_their_keys)
{
    terminal *t = start(24, 80, COLORS_256, NULL, NULL);
    int row, column;
    char bytes[64];
    ck_assert(terminal_wait_for(t, "nasw explores"));
    terminal_settle(t);
    ck_assert(terminal_find(t, "3Layers", &row, &column));
    snprintf(bytes, sizeof bytes, "\033[<0;%d;%dM", column + 1, row + 1);
    terminal_send(t, bytes);
    ck_assert(terminal_wait_for(t, "[3Layers]"));
    terminal_settle(t);
    ck_assert(terminal_find(t, "? help", &row, &column));
    snprintf(bytes, sizeof bytes, "\033[<0;%d;%dM", column + 1, row + 1);
    terminal_send(t, bytes);
    ck_assert(terminal_wait_for(t, "Help: Layers"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "Help: Layers"));
    leave(t);
}
END_TEST

/* ---- signals ---- */

static const struct {
    const char *name;
    int number, status;
} signals[] = {
    {"SIGTERM", SIGTERM, 128 + SIGTERM},
    {"SIGHUP", SIGHUP, 128 + SIGHUP},
    {"SIGABRT", SIGABRT, 256 + SIGABRT},
    {"SIGSEGV", SIGSEGV, 256 + SIGSEGV},
};

START_TEST(signals_end_the_program_with_the_terminal_restored)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_signal(t, signals[_i].number);
    int status = terminal_finish(t);
    /* A sanitizer reports a crash in its own way. */
    ck_assert_msg(status == signals[_i].status ||
                      (signals[_i].number == SIGSEGV && status != 0 && status != -1),
                  "%s: %d", signals[_i].name, status);
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}
END_TEST

START_TEST(ctrl_c_stops_tasks_never_the_program)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_send(t, "\x03");
    ck_assert(terminal_wait_for(t, "stop: nothing is running"));
    terminal_signal(t, SIGINT);
    terminal_settle(t);
    ck_assert(terminal_wait_for(t, "stop: nothing is running"));
    terminal_send(t, "?\x03");
    ck_assert(terminal_wait_for(t, "Help: Layers"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "Help: Layers"));
    leave(t);
}
END_TEST

START_TEST(a_terminal_that_goes_away_ends_the_program)
{
    terminal *t = start_layers(24, 80, COLORS_256);
    terminal_hang_up(t);
    int status = terminal_finish(t);
    ck_assert_msg(status == 1 || status == 128 + SIGHUP, "%d", status);
    terminal_free(t);
}
END_TEST

/* ---- one run in tmux ---- */

static int run_quietly(const char *command)
{
    char line[2048];
    snprintf(line, sizeof line, "{ %s; } >/dev/null 2>&1", command);
    return system(line);
}

#define TMUX "tmux -L nasw-test-$PPID -f /dev/null "

/* Polls the pane for half a minute. */
static bool tmux_shows(const char *text)
{
    char line[512];
    snprintf(line, sizeof line, TMUX "capture-pane -p -t x | grep -qF -- '%s'", text);
    for (int i = 0; i < 300; i++) {
        if (run_quietly(line) == 0)
            return true;
        usleep(100000);
    }
    system(TMUX "capture-pane -p -t x");
    return false;
}

START_TEST(a_session_in_tmux_from_the_shell_and_back)
{
    char line[1024];
    if (run_quietly("command -v tmux") != 0) {
        printf("skipped: tmux is not installed\n");
        return;
    }
    snprintf(line, sizeof line,
             "HOME=$(mktemp -d) LC_ALL=C.UTF-8 " TMUX
             "new-session -d -s x -x 100 -y 30 'PS1=ready: sh -i'");
    if (run_quietly(line) != 0) {
        printf("skipped: tmux does not start\n");
        return;
    }
    bool is_right = tmux_shows("ready:");
    snprintf(line, sizeof line, TMUX "send-keys -t x 'unset NO_COLOR; %s' Enter", nasw_program());
    run_quietly(line);
    is_right = is_right && tmux_shows("nasw explores");
    run_quietly(TMUX "send-keys -t x Enter");
    is_right = is_right && tmux_shows("[3 Layers]") && tmux_shows("▼");
    run_quietly(TMUX "send-keys -t x C-z");
    is_right = is_right && tmux_shows("ready:") && tmux_shows("Stopped");
    run_quietly(TMUX "send-keys -t x fg Enter");
    is_right = is_right && tmux_shows("[3 Layers]");
    run_quietly(TMUX "resize-window -t x -x 70 -y 20");
    is_right = is_right && tmux_shows("[3Layers]");
    run_quietly(TMUX "send-keys -t x q");
    is_right = is_right && tmux_shows("Stopped"); /* the shell's screen is back */
    run_quietly(TMUX "send-keys -t x 'echo status $?' Enter");
    is_right = is_right && tmux_shows("status 0");
    run_quietly(TMUX "kill-server");
    ck_assert(is_right);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ui_screens");
    TCase *c = tcase_create("screens");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, the_demo_is_one_key_from_a_cold_start, 0, N_OF(sizes));
    tcase_add_test(c, a_file_opens_in_layers_and_a_bad_one_is_said_on_the_welcome);
    tcase_add_loop_test(c, a_mistake_in_init_lua_is_not_hidden_by_the_file_that_opened, 0,
                        N_OF(broken_inits));
    tcase_add_test(c, a_home_that_is_missing_is_not_made);
    tcase_add_test(c, escapes_in_names_are_shown_never_sent);
    tcase_add_test(c, hardware_of_the_command_line_is_shown);
    tcase_add_loop_test(c, without_a_terminal_there_is_one_line_and_status_2, 0, N_OF(unusable));
    tcase_add_loop_test(c, better_is_blue_where_there_is_blue, 0, N_OF(coloured));
    tcase_add_test(c, eight_colours_are_enough);
    tcase_add_test(c, the_rows_under_the_cursor_are_reversed_and_keys_bold);
    tcase_add_loop_test(c, glyphs_are_ascii_where_others_may_not_be_shown, 0, N_OF(locales));
    tcase_add_test(c, a_storm_of_sizes_ends_in_the_screen_of_its_last_one);
    tcase_add_test(c, below_the_smallest_size_one_line_says_so_and_q_quits);
    suite_add_tcase(suite, c);
    c = tcase_create("keys");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, help_lists_filters_and_runs);
    tcase_add_test(c, help_lists_only_what_is_possible);
    tcase_add_test(c, the_palette_finds_by_letters_and_takes_values);
    tcase_add_test(c, opening_completes_paths_and_says_what_is_wrong_in_place);
    tcase_add_test(c, a_path_dropped_on_the_screen_is_one_to_open);
    tcase_add_test(c, an_undone_switch_of_hardware_restores_the_screen);
    tcase_add_loop_test(c, every_key_of_the_tables_does_something_or_says_why_not, 0,
                        UI_ENTRY_COUNT);
    tcase_add_test(c, a_key_that_is_none_says_so);
    tcase_add_test(c, clicks_and_the_wheel_move_the_cursor);
    tcase_add_loop_test(c, the_mouse_is_taken_only_where_it_is_wanted, 0, N_OF(mice));
    tcase_add_test(c, clicks_on_tabs_and_footer_are_their_keys);
    suite_add_tcase(suite, c);
    c = tcase_create("ends");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, signals_end_the_program_with_the_terminal_restored, 0, N_OF(signals));
    tcase_add_test(c, ctrl_c_stops_tasks_never_the_program);
    tcase_add_test(c, a_terminal_that_goes_away_ends_the_program);
    tcase_add_test(c, a_session_in_tmux_from_the_shell_and_back);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
