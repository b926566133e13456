#define _XOPEN_SOURCE          700
#define _XOPEN_SOURCE_EXTENDED 1 /* wide characters in curses */

#include "ui/term.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "src/base/arena.h"
#include "src/base/text.h"
#include "ui/signals.h"
#include "ui/theme.h"

#undef columns /* a capability in term.h */

/* curses is one for the process, and so is this. */
static struct {
    SCREEN *screen;
    struct termios before;
    bool is_ascii, has_mouse, is_xterm;
    attr_t attributes[UI_ROLE_COUNT];
    int colors[UI_ROLE_COUNT], pairs[UI_ROLE_COUNT]; /* with the default background */
    bool has_color;
    ui_cell *shown; /* what curses has been told */
    int rows, columns;
    char show_cursor[32];
    ui_input input;
} term;

/* Mouse clicks and wheel, in the SGR encoding whatever the terminal's description says: that of
 * tmux knows only the old one, which ends at column 223. */
static const char mouse_on[] = "\033[?1000h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1000l";
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

static void send(const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t sent = write(STDOUT_FILENO, text, n);
        if (sent < 0 && errno != EINTR)
            return; /* a terminal that is gone shows up when we read */
        text += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
}

/* ---- what the terminal can show ---- */

static const char *asked_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return NULL;
}

static bool is_utf8_locale(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* The C locale that nobody asked for, or that came since the one asked for is not installed,
 * becomes C.UTF-8. Numbers keep the C locale's point. */
static void set_locale(void)
{
    const char *asked = asked_locale();
    bool is_set = setlocale(LC_CTYPE, "") != NULL;
    if (is_utf8_locale())
        return;
    bool wants_utf8 = asked && !is_set && (strstr(asked, "UTF-8") || strstr(asked, "utf8"));
    if (!asked || wants_utf8)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static bool needs_ascii(const ui_options *options)
{
    const char *name = getenv("TERM");
    if (options->ascii || !is_utf8_locale() ||
        (name && (strcmp(name, "linux") == 0 || strncmp(name, "vt100", 5) == 0)))
        return true;
    for (int i = 0; ui_glyph_used(i); i++)
        if (wcwidth((wchar_t)ui_glyph_used(i)) != 1)
            return true;
    return false;
}

static ui_tier choose_tier(ui_color color)
{
    const char *no_color = getenv("NO_COLOR");
    if (color == UI_COLOR_NEVER || (color == UI_COLOR_AUTO && no_color && *no_color) ||
        !has_colors() || start_color() == ERR)
        return UI_TIER_NONE;
    use_default_colors();
    return COLORS >= 1 << 24 ? UI_TIER_DIRECT
           : COLORS >= 256   ? UI_TIER_256
           : COLORS >= 8     ? UI_TIER_8
                             : UI_TIER_NONE;
}

static void set_looks(ui_tier tier)
{
    for (int role = 0; role < UI_ROLE_COUNT; role++) {
        ui_look look = ui_theme_look((ui_role)role, tier);
        term.attributes[role] = (look.bold ? WA_BOLD : 0) | (look.dim ? WA_DIM : 0) |
                                (look.underline ? WA_UNDERLINE : 0) |
                                (look.reverse ? WA_REVERSE : 0);
        term.colors[role] = look.color;
        int pair = look.color >= 0 ? alloc_pair(look.color, -1) : 0;
        term.pairs[role] = pair > 0 ? pair : 0;
    }
}

/* ---- coming and going ---- */

/* A capability without its padding, which only printing terminals need. */
static void add_capability(nw_buf *out, const char *name)
{
    const char *text = tigetstr(name);
    if (!text || text == (const char *)-1)
        return;
    while (*text) {
        const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
        if (end)
            text = end + 1;
        else
            nw_buf_add(out, text++, 1);
    }
}

static bool start_signals(void)
{
    nw_buf leave = {0};
    if (term.is_xterm) {
        nw_buf_puts(&leave, mouse_off);
        nw_buf_puts(&leave, paste_off);
    }
    add_capability(&leave, "sgr0");
    add_capability(&leave, "op");
    add_capability(&leave, "rmcup");
    add_capability(&leave, "cnorm");
    nw_buf_puts(&leave, "\r\n");
    nw_buf cursor = {0};
    add_capability(&cursor, "cnorm");
    snprintf(term.show_cursor, sizeof term.show_cursor, "%s", nw_buf_text(&cursor));
    nw_buf_fini(&cursor);
    bool is_started = ui_signals_start(nw_buf_text(&leave), &term.before);
    nw_buf_fini(&leave);
    return is_started;
}

static void set_modes(void)
{
    struct termios modes;
    cbreak();
    noecho();
    if (tcgetattr(STDIN_FILENO, &modes) != 0)
        return;
    /* Ctrl-C stays a signal: it has to reach a script that keeps us busy. The rest are keys. */
    modes.c_iflag &= ~(tcflag_t)(IXON | IXOFF | ICRNL | INLCR | IGNCR | ISTRIP);
    modes.c_lflag &= ~(tcflag_t)(IEXTEN | ICANON | ECHO);
    modes.c_lflag |= ISIG | NOFLSH;
    modes.c_cc[VINTR] = 3;
    modes.c_cc[VSUSP] = modes.c_cc[VQUIT] = _POSIX_VDISABLE;
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
    def_prog_mode();
}

static void learn_keys(void)
{
    static const struct {
        const char *capability;
        int key;
    } rows[] = {{"kcuu1", UI_KEY_UP},       {"kcud1", UI_KEY_DOWN},    {"kcub1", UI_KEY_LEFT},
                {"kcuf1", UI_KEY_RIGHT},    {"khome", UI_KEY_HOME},    {"kend", UI_KEY_END},
                {"kpp", UI_KEY_PAGE_UP},    {"knp", UI_KEY_PAGE_DOWN}, {"kdch1", UI_KEY_DELETE},
                {"kcbt", UI_KEY_SHIFT_TAB}, {"kbs", UI_KEY_BACKSPACE}};
    char name[8];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = tigetstr(rows[i].capability);
        if (text && text != (const char *)-1)
            ui_input_learn(&term.input, text, rows[i].key);
    }
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "kf%d", i + 1);
        const char *text = tigetstr(name);
        if (text && text != (const char *)-1)
            ui_input_learn(&term.input, text, UI_KEY_F1 + i);
    }
}

static bool has_capability(const char *name)
{
    const char *text = tigetstr(name);
    return text && text != (const char *)-1;
}

static void enter_extras(void)
{
    if (!term.is_xterm)
        return;
    send(paste_on);
    if (term.has_mouse)
        send(mouse_on);
}

/* The cursor comes last: a terminal may bring back that it was hidden, with the other screen. */
static void leave_screen(void)
{
    if (term.is_xterm) {
        send(mouse_off);
        send(paste_off);
    }
    endwin();
    send(term.show_cursor);
}

bool ui_has_terminal(void)
{
    const char *name = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && name && *name &&
           strcmp(name, "dumb") != 0;
}

/* newterm does not free all it has when it fails, so the description is looked at before. */
static bool is_known_terminal(void)
{
    int found;
    bool is_known = setupterm(NULL, STDOUT_FILENO, &found) == OK;
    if (is_known)
        del_curterm(cur_term);
    return is_known;
}

bool ui_term_open(const ui_options *options, char *why, size_t size)
{
    static bool is_at_exit;
    const char *name = getenv("TERM");
    if (!ui_has_terminal() || tcgetattr(STDIN_FILENO, &term.before) != 0) {
        snprintf(why, size, "no terminal: use --script");
        return false;
    }
    set_locale();
    if (is_known_terminal())
        term.screen = newterm(NULL, stdout, stdin);
    if (!term.screen || !has_capability("cup")) {
        char clean[64];
        snprintf(why, size, "no terminal: TERM=%s cannot show screens: use --script",
                 nw_text_visible(name, clean, sizeof clean));
        ui_term_close();
        return false;
    }
    term.is_ascii = needs_ascii(options);
    term.is_xterm = has_capability("smcup");
    term.has_mouse = term.is_xterm && !options->no_mouse && !getenv("SSH_CONNECTION");
    learn_keys();
    set_modes();
    typeahead(-1);
    curs_set(0);
    ui_tier tier = choose_tier(options->color);
    term.has_color = tier != UI_TIER_NONE;
    set_looks(tier);
    if (!start_signals()) {
        ui_term_close();
        snprintf(why, size, "no pipe for signals: %s", strerror(errno));
        return false;
    }
    if (!is_at_exit)
        is_at_exit = atexit(ui_term_close) == 0;
    nw_set_die_hook(ui_term_close);
    enter_extras();
    ui_term_resize();
    return true;
}

void ui_term_close(void)
{
    if (!term.screen)
        return;
    SCREEN *screen = term.screen;
    term.screen = NULL; /* first: nw_die may come from within */
    nw_set_die_hook(NULL);
    leave_screen();
    ui_signals_stop();
    delscreen(screen);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &term.before);
    free(term.shown);
    term.shown = NULL;
    term.input = (ui_input){.n_bytes = 0};
}

void ui_term_suspend(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL}, ours;
    leave_screen();
    sigaction(SIGTSTP, &usual, &ours);
    kill(0, SIGTSTP);
    sigaction(SIGTSTP, &ours, NULL);
    ui_term_redraw();
    refresh();
    set_modes();
    enter_extras();
    ui_term_resize();
}

/* ---- size ---- */

bool ui_term_is_ascii(void)
{
    return term.is_ascii;
}

bool ui_term_has_color(void)
{
    return term.has_color;
}

void ui_term_size(int *rows, int *columns)
{
    *rows = term.rows;
    *columns = term.columns;
}

void ui_term_resize(void)
{
    enum { LARGEST = 1000 };
    struct winsize size;
    int rows = LINES, columns = COLS;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
        rows = size.ws_row > LARGEST ? LARGEST : size.ws_row;
        columns = size.ws_col > LARGEST ? LARGEST : size.ws_col;
    }
    if (rows == term.rows && columns == term.columns && term.shown) {
        ui_term_redraw(); /* it may have been smaller in between, and lost what stood there */
        return;
    }
    resizeterm(rows, columns);
    term.rows = rows;
    term.columns = columns;
    size_t n = (size_t)rows * (size_t)columns;
    free(term.shown);
    term.shown = nw_zalloc(n * sizeof *term.shown);
    erase();
    clearok(curscr, TRUE);
}

/* ---- painting ---- */

static void put_cell(int row, int column, const ui_cell *cell)
{
    wchar_t text[2] = {cell->glyph ? (wchar_t)cell->glyph : L' ', L'\0'};
    attr_t attributes = term.attributes[cell->role] | (cell->reverse ? WA_REVERSE : 0);
    int pair = term.pairs[cell->role], back = cell->back ? term.colors[cell->back] : -1;
    if (back >= 0) {
        int both = alloc_pair(term.colors[cell->role], back);
        pair = both > 0 ? both : pair;
    }
    cchar_t out;
    setcchar(&out, text, attributes, (short)pair, &pair);
    mvadd_wch(row, column, &out);
}

static bool is_same(const ui_cell *a, const ui_cell *b)
{
    return a->glyph == b->glyph && a->role == b->role && a->back == b->back &&
           a->reverse == b->reverse;
}

void ui_term_paint(const ui_canvas *canvas)
{
    int rows = canvas->rows < term.rows ? canvas->rows : term.rows;
    int columns = canvas->columns < term.columns ? canvas->columns : term.columns;
    for (int row = 0; row < rows; row++) {
        const ui_cell *new = canvas->cells + (size_t)row *(size_t)canvas->columns;
        ui_cell *old = term.shown + (size_t)row * (size_t)term.columns;
        for (int column = 0; column < columns; column++) {
            if (is_same(&new[column], &old[column]))
                continue;
            old[column] = new[column];
            put_cell(row, column, &new[column]);
        }
    }
    refresh();
}

void ui_term_redraw(void)
{
    clearok(curscr, TRUE);
}

/* ---- input ---- */

bool ui_term_read(void)
{
    char bytes[4096];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0) {
        ui_input_feed(&term.input, bytes, (size_t)n);
        return true;
    }
    return n < 0 && (errno == EINTR || errno == EAGAIN);
}

bool ui_term_next(bool is_late, ui_event *out)
{
    return ui_input_next(&term.input, is_late, out);
}

bool ui_term_has_partial(void)
{
    return term.input.n_bytes > 0;
}

bool ui_term_has_mouse(void)
{
    return term.has_mouse;
}

void ui_term_set_mouse(bool is_on)
{
    term.has_mouse = is_on && term.is_xterm;
    if (term.is_xterm)
        send(term.has_mouse ? mouse_on : mouse_off);
}

void ui_term_copy(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!term.is_xterm)
        return;
    nw_buf out = {0};
    const unsigned char *s = (const unsigned char *)text;
    nw_buf_puts(&out, "\033]52;c;");
    for (size_t left = strlen(text); left > 0; left -= left < 3 ? left : 3, s += 3) {
        unsigned bits =
            (unsigned)s[0] << 16 | (left > 1 ? (unsigned)s[1] << 8 : 0) | (left > 2 ? s[2] : 0);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        nw_buf_add(&out, four, 4);
    }
    nw_buf_puts(&out, "\a");
    send(nw_buf_text(&out));
    nw_buf_fini(&out);
}
