#include "tests/support_term.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>
#include <vterm.h>

#include "src/base/map.h"

enum { LIMIT_MS = 30000, QUIET_MS = 60 };

struct terminal {
    pid_t child;
    int master, slave; /* the slave stays open here, so that its modes outlive the program */
    struct termios before;
    VTerm *vt;
    VTermScreen *screen;
    int rows, columns;
    bool is_alternate, is_cursor_visible, has_mouse;
    bool has_paste; /* libvterm does not tell, so the bytes do */
    bool has_ended;
    int status;
    char home[64];
    char *text;
    char tail[16]; /* the last bytes, for sequences cut in two */
};

/* ---- what the program writes ---- */

static int set_property(VTermProp property, VTermValue *value, void *user)
{
    terminal *t = user;
    if (property == VTERM_PROP_ALTSCREEN)
        t->is_alternate = value->boolean;
    else if (property == VTERM_PROP_CURSORVISIBLE)
        t->is_cursor_visible = value->boolean;
    else if (property == VTERM_PROP_MOUSE)
        t->has_mouse = value->number != VTERM_PROP_MOUSE_NONE;
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = set_property};

static void watch_pastes(terminal *t, const char *bytes, size_t n)
{
    char joined[sizeof t->tail + 4097];
    size_t kept = strlen(t->tail);
    memcpy(joined, t->tail, kept);
    memcpy(joined + kept, bytes, n);
    joined[kept + n] = '\0';
    for (const char *at = joined; (at = strstr(at, "\033[?2004")); at++)
        t->has_paste = at[7] == 'h' || (at[7] != 'l' && t->has_paste);
    size_t from = kept + n > 8 ? kept + n - 8 : 0;
    memcpy(t->tail, joined + from, kept + n - from + 1);
}

/* Reads what comes within wait_ms; false: nothing came. */
static bool take_output(terminal *t, int wait_ms)
{
    char bytes[4096];
    struct pollfd fd = {.fd = t->master, .events = POLLIN};
    if (t->master < 0 || poll(&fd, 1, wait_ms) <= 0)
        return false;
    ssize_t n = read(t->master, bytes, sizeof bytes);
    if (n <= 0)
        return false;
    vterm_input_write(t->vt, bytes, (size_t)n);
    watch_pastes(t, bytes, (size_t)n);
    n = (ssize_t)vterm_output_read(t->vt, bytes, sizeof bytes);
    if (n > 0 && write(t->master, bytes, (size_t)n) < 0)
        return false;
    return true;
}

/* ---- starting and ending ---- */

const char *nasw_program(void)
{
    static char path[PATH_MAX]; /* whole, since programs start in a folder of their own */
    const char *program = getenv("NASW_BIN");
    return realpath(program ? program : "build/nasw", path) ? path : "nasw";
}

static terminal *open_terminal(int rows, int columns)
{
    terminal *t = calloc(1, sizeof *t);
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    if (!t || openpty(&t->master, &t->slave, NULL, NULL, &size) != 0)
        abort();
    fcntl(t->master, F_SETFD, FD_CLOEXEC);
    fcntl(t->slave, F_SETFD, FD_CLOEXEC);
    tcgetattr(t->slave, &t->before);
    t->rows = rows;
    t->columns = columns;
    t->is_cursor_visible = true;
    t->vt = vterm_new(rows, columns);
    vterm_set_utf8(t->vt, 1);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
    snprintf(t->home, sizeof t->home, "/tmp/nasw-test-XXXXXX");
    if (!mkdtemp(t->home))
        abort();
    return t;
}

/* In the child: the terminal, and an environment that nothing leaks into. */
static void enter_terminal(const terminal *t, const char *const *environment)
{
    char path[1024], shared[1024], binary[1024];
    snprintf(path, sizeof path, "%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    snprintf(shared, sizeof shared, "%s", getenv("NASW_DATA") ? getenv("NASW_DATA") : "");
    snprintf(binary, sizeof binary, "%s", getenv("ASAN_OPTIONS") ? getenv("ASAN_OPTIONS") : "");
    login_tty(t->slave);
    clearenv();
    setenv("PATH", path, 1);
    setenv("HOME", t->home, 1);
    if (shared[0])
        setenv("NASW_DATA", shared, 1);
    if (binary[0])
        setenv("ASAN_OPTIONS", binary, 1);
    for (int i = 0; environment && environment[i]; i++) {
        char name[64];
        const char *equals = strchr(environment[i], '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals - environment[i]), environment[i]);
        setenv(name, equals + 1, 1);
    }
    /* libcheck's own time limit is not the program's */
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL);
}

terminal *terminal_start(int rows, int columns, const char *const *environment,
                         const char *const *words)
{
    terminal *t = open_terminal(rows, columns);
    fflush(NULL);
    t->child = fork();
    if (t->child == 0) {
        enter_terminal(t, environment);
        if (chdir(t->home) != 0)
            _exit(126);
        execv(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    return t;
}

terminal *terminal_start_function(int rows, int columns, const char *const *environment,
                                  int (*run)(void *context), void *context)
{
    terminal *t = open_terminal(rows, columns);
    fflush(NULL);
    t->child = fork();
    if (t->child == 0) {
        enter_terminal(t, environment);
        _exit(run(context));
    }
    return t;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int terminal_finish(terminal *t)
{
    for (long end = now_ms() + LIMIT_MS; !t->has_ended && now_ms() < end;) {
        int status;
        take_output(t, 20);
        if (t->master < 0)
            usleep(10000);
        if (waitpid(t->child, &status, WNOHANG) != t->child)
            continue;
        t->has_ended = true;
        t->status = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
    }
    while (take_output(t, 50))
        ;
    return t->has_ended ? t->status : -1;
}

void terminal_free(terminal *t)
{
    if (!t->has_ended) {
        kill(t->child, SIGKILL);
        waitpid(t->child, NULL, 0);
    }
    if (t->master >= 0)
        close(t->master);
    if (t->slave >= 0)
        close(t->slave);
    vterm_free(t->vt);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", t->home);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", t->home);
    free(t->text);
    free(t);
}

bool terminal_is_restored(terminal *t)
{
    struct termios after;
    bool is_same = tcgetattr(t->slave, &after) == 0 && after.c_iflag == t->before.c_iflag &&
                   after.c_oflag == t->before.c_oflag && after.c_cflag == t->before.c_cflag &&
                   after.c_lflag == t->before.c_lflag &&
                   memcmp(after.c_cc, t->before.c_cc, sizeof after.c_cc) == 0;
    if (!is_same)
        printf("the modes are others than before\n");
    if (t->is_alternate || !t->is_cursor_visible || t->has_mouse || t->has_paste)
        printf("alternate screen %d, cursor %d, mouse %d, pastes %d\n", t->is_alternate,
               t->is_cursor_visible, t->has_mouse, t->has_paste);
    return is_same && !t->is_alternate && t->is_cursor_visible && !t->has_mouse && !t->has_paste;
}

/* ---- doing ---- */

void terminal_send(terminal *t, const char *bytes)
{
    size_t n = strlen(bytes);
    while (n > 0) {
        ssize_t sent = write(t->master, bytes, n);
        if (sent < 0 && errno != EINTR)
            return;
        bytes += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
}

void terminal_resize(terminal *t, int rows, int columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    while (take_output(t, 0))
        ;
    ioctl(t->master, TIOCSWINSZ, &size); /* the kernel sends SIGWINCH */
    vterm_set_size(t->vt, rows, columns);
    t->rows = rows;
    t->columns = columns;
}

void terminal_signal(terminal *t, int number)
{
    kill(t->child, number);
}

void terminal_hang_up(terminal *t)
{
    close(t->slave);
    close(t->master);
    t->slave = t->master = -1;
}

/* ---- looking ---- */

static size_t put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 63));
    out[2] = (char)(0x80 | (code & 63));
    return 3;
}

static size_t add_row(terminal *t, int row, char *out)
{
    size_t n = 0, end = 0;
    for (int column = 0; column < t->columns; column++) {
        VTermScreenCell cell;
        vterm_screen_get_cell(t->screen, (VTermPos){.row = row, .col = column}, &cell);
        bool is_blank = cell.chars[0] == 0 || cell.chars[0] == ' ';
        n += put_utf8(is_blank ? ' ' : cell.chars[0], out + n);
        if (!is_blank)
            end = n;
    }
    out[end] = '\0';
    return end;
}

const char *terminal_text(terminal *t)
{
    free(t->text);
    t->text = malloc((size_t)t->rows * ((size_t)t->columns * 4 + 2) + 1);
    size_t n = 0;
    for (int row = 0; row < t->rows; row++) {
        n += add_row(t, row, t->text + n);
        t->text[n++] = '\n';
    }
    t->text[n] = '\0';
    return t->text;
}

const char *terminal_row(terminal *t, int row)
{
    free(t->text);
    t->text = malloc((size_t)t->columns * 4 + 2);
    add_row(t, row, t->text);
    return t->text;
}

terminal_cell terminal_cell_at(terminal *t, int row, int column)
{
    VTermScreenCell cell;
    vterm_screen_get_cell(t->screen, (VTermPos){.row = row, .col = column}, &cell);
    terminal_cell out = {.glyph = cell.chars[0],
                         .red = -1,
                         .green = -1,
                         .blue = -1,
                         .bold = cell.attrs.bold,
                         .reverse = cell.attrs.reverse,
                         .underline = cell.attrs.underline != 0};
    if (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg)) {
        vterm_screen_convert_color_to_rgb(t->screen, &cell.fg);
        out.red = cell.fg.rgb.red;
        out.green = cell.fg.rgb.green;
        out.blue = cell.fg.rgb.blue;
    }
    return out;
}

uint64_t terminal_hash(terminal *t)
{
    uint64_t hash = 0;
    for (int row = 0; row < t->rows; row++)
        for (int column = 0; column < t->columns; column++) {
            terminal_cell c = terminal_cell_at(t, row, column);
            uint64_t parts[] = {c.glyph ? c.glyph : ' ',
                                (uint64_t)(c.red + 1),
                                (uint64_t)(c.green + 1),
                                (uint64_t)(c.blue + 1),
                                (uint64_t)(c.bold << 2 | c.reverse << 1 | c.underline),
                                hash};
            hash = nw_hash(parts, sizeof parts);
        }
    return hash;
}

bool terminal_wait_other(terminal *t, uint64_t hash)
{
    for (long end = now_ms() + LIMIT_MS; now_ms() < end; take_output(t, 20))
        if (terminal_hash(t) != hash)
            return true;
    return false;
}

bool terminal_has_mouse(const terminal *t)
{
    return t->has_mouse;
}

bool terminal_find(terminal *t, const char *text, int *row, int *column)
{
    for (int i = 0; i < t->rows; i++) {
        const char *line = terminal_row(t, i), *at = strstr(line, text);
        if (!at)
            continue;
        *row = i;
        *column = 0;
        for (const char *c = line; c < at; c++)
            *column += ((unsigned char)*c & 0xc0) != 0x80;
        return true;
    }
    return false;
}

static bool wait_until(terminal *t, const char *text, bool is_there)
{
    for (long end = now_ms() + LIMIT_MS; now_ms() < end;) {
        if ((strstr(terminal_text(t), text) != NULL) == is_there)
            return true;
        int status;
        if (!take_output(t, 20) && !t->has_ended &&
            waitpid(t->child, &status, WNOHANG) == t->child) {
            t->has_ended = true;
            t->status = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
        }
        if (t->has_ended && !take_output(t, 50))
            break;
    }
    if ((strstr(terminal_text(t), text) != NULL) == is_there)
        return true;
    printf("waited for %s'%s' on:\n%s\n", is_there ? "" : "the end of ", text, terminal_text(t));
    return false;
}

bool terminal_wait_for(terminal *t, const char *text)
{
    return wait_until(t, text, true);
}

bool terminal_wait_gone(terminal *t, const char *text)
{
    return wait_until(t, text, false);
}

void terminal_settle(terminal *t)
{
    while (take_output(t, QUIET_MS))
        ;
}
