/* state.c - what is kept between sessions, in the state folder: lines typed at prompts, the log.
 *
 * Several sessions may share the folder: lines are appended whole, files are replaced whole. A
 * folder that cannot be written is no error: it is said once and nothing is kept.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/file.h"
#include "src/base/save.h"
#include "src/session/internal.h"

#define AUTOSAVE_MS       10000 /* of long logs; short ones are written at every change */
#define SHORT_LOG         1000
#define MAX_LINE_BYTES    4096
#define MAX_HISTORY_BYTES ((size_t)64 << 20)

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void give_up(nw_session *s, const char *reason)
{
    nw_session_say(s, NW_MESSAGE_INFO, "history and autosave are not kept: %s: %s",
                   s->keeper.folder, reason);
    free(s->keeper.folder);
    s->keeper.folder = NULL;
}

/* The folder and those above it, for the user alone. */
static bool make_folder(nw_session *s)
{
    if (!s->keeper.folder)
        return false;
    char *path = nw_copy_text(s->keeper.folder);
    bool is_there = true;
    for (char *at = path + 1; is_there; at++) {
        char old = *at;
        if (old && old != '/')
            continue;
        *at = '\0';
        is_there = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = old;
        if (!old)
            break;
    }
    free(path);
    if (!is_there)
        give_up(s, strerror(errno));
    return is_there;
}

static char *path_in_folder(const nw_session *s, const char *name)
{
    nw_buf path = {0};
    nw_buf_printf(&path, "%s/%s", s->keeper.folder, name);
    return path.text;
}

static char *history_path(const nw_session *s, const char *prompt)
{
    char name[64];
    snprintf(name, sizeof name, "history-%s", prompt);
    return path_in_folder(s, name);
}

/* ---- history ---- */

static void add_line(nw_history *history, const char *line, size_t length)
{
    if (history->n == NW_MAX_HISTORY) {
        free(history->lines[0]);
        memmove(history->lines, history->lines + 1, --history->n * sizeof *history->lines);
    }
    history->lines =
        nw_grow(history->lines, history->n, &history->capacity, sizeof *history->lines);
    char *copy = nw_alloc(length + 1);
    memcpy(copy, line, length);
    copy[length] = '\0';
    history->lines[history->n++] = copy;
}

/* A line of the file holds no line break: "\n" and "\\" stand for it and for the backslash. */
static void escape(const char *line, nw_buf *out)
{
    for (; *line; line++) {
        if (*line == '\n')
            nw_buf_puts(out, "\\n");
        else if (*line == '\\')
            nw_buf_puts(out, "\\\\");
        else
            nw_buf_add(out, line, 1);
    }
    nw_buf_puts(out, "\n");
}

static void unescape(const char *from, size_t length, nw_buf *out)
{
    nw_buf_clear(out);
    for (size_t i = 0; i < length; i++) {
        bool is_escape = from[i] == '\\' && i + 1 < length;
        if (is_escape)
            i++;
        nw_buf_add(out, is_escape && from[i] == 'n' ? "\n" : from + i, 1);
    }
}

/* Keeps the file short: it grows by a line at a time. */
static void rewrite(const nw_history *history, const char *path)
{
    nw_buf text = {0};
    for (size_t i = 0; i < history->n; i++)
        escape(history->lines[i], &text);
    if (nw_save(path, &text, NW_SAVE_NOTE, NULL) != NW_OK) {
        /* The long file does as well. */
    }
    nw_buf_fini(&text);
}

static void load_history(const nw_session *s, nw_history *history)
{
    nw_file *file;
    char *path = history_path(s, history->prompt);
    nw_buf line = {0};
    if (nw_file_read(path, MAX_HISTORY_BYTES, &file, NULL) == NW_OK) {
        const char *text = (const char *)file->bytes, *end = text + file->n_bytes;
        size_t n_lines = 0;
        history->needs_newline = text < end && end[-1] != '\n';
        while (text < end) {
            const char *stop = memchr(text, '\n', (size_t)(end - text));
            size_t length = (size_t)((stop ? stop : end) - text);
            if (length && !memchr(text, '\0', length) && length <= 2 * MAX_LINE_BYTES) {
                unescape(text, length, &line);
                add_line(history, nw_buf_text(&line), line.length);
            }
            n_lines++;
            text += length + 1;
        }
        nw_file_release(file);
        if (n_lines > 2 * NW_MAX_HISTORY)
            rewrite(history, path);
    }
    nw_buf_fini(&line);
    free(path);
}

static bool is_file_name(const char *prompt)
{
    size_t n = 0;
    for (; prompt[n]; n++)
        if (!isalnum((unsigned char)prompt[n]) && prompt[n] != '-' && prompt[n] != '_')
            return false;
    return n > 0 && n <= 40;
}

static nw_history *find_history(nw_session *s, const char *prompt)
{
    nw_keeper *k = &s->keeper;
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->histories[i].prompt, prompt) == 0)
            return &k->histories[i];
    k->histories = nw_grow(k->histories, k->n, &k->capacity, sizeof *k->histories);
    nw_history *history = &k->histories[k->n++];
    *history = (nw_history){.prompt = nw_copy_text(prompt)};
    if (k->folder && is_file_name(prompt))
        load_history(s, history);
    return history;
}

/* Reading a history fills a cache, which is no change that anybody sees. */
const char *const *nw_session_history(const nw_session *s, const char *prompt, int *n)
{
    const nw_history *history = find_history((nw_session *)(uintptr_t)s, prompt);
    *n = (int)history->n;
    return (const char *const *)history->lines;
}

/* One write at the end of the file, so that lines of several sessions never mix. */
static void append(nw_session *s, nw_history *history, const char *line)
{
    char *path = history_path(s, history->prompt);
    nw_buf text = {0};
    if (history->needs_newline)
        nw_buf_puts(&text, "\n");
    escape(line, &text);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t n = fd < 0 ? -1 : write(fd, nw_buf_text(&text), text.length);
    if (n < 0)
        give_up(s, strerror(errno));
    history->needs_newline = n != (ssize_t)text.length;
    if (fd >= 0)
        close(fd);
    nw_buf_fini(&text);
    free(path);
}

void nw_session_remember(nw_session *s, const char *prompt, const char *line)
{
    size_t length = strlen(line);
    nw_history *history = find_history(s, prompt);
    bool is_repeat = history->n && strcmp(history->lines[history->n - 1], line) == 0;
    if (!length || length > MAX_LINE_BYTES || is_repeat)
        return;
    add_line(history, line, length);
    if (is_file_name(prompt) && make_folder(s))
        append(s, history, line);
    s->version++;
}

/* ---- other files ---- */

nw_status nw_session_keep_copy(nw_session *s, const char *text, nw_error *err)
{
    if (!make_folder(s)) {
        nw_session_say(s, NW_MESSAGE_INFO, "copied (no file: nothing is kept)");
        return NW_OK;
    }
    nw_buf bytes = {0};
    char *path = path_in_folder(s, "copy.txt");
    nw_buf_puts(&bytes, text);
    nw_buf_puts(&bytes, "\n");
    nw_status status = nw_save(path, &bytes, NW_SAVE_NOTE, err);
    if (status == NW_OK)
        nw_session_say(s, NW_MESSAGE_INFO, "copied, also to %s", path);
    nw_buf_fini(&bytes);
    free(path);
    return status;
}

/* What the session before left behind may be what somebody wants back. */
static void keep_previous(const nw_session *s, const char *path)
{
    char *previous = path_in_folder(s, "autosave-previous.lua");
    if (rename(path, previous) != 0) {
        /* There was none. */
    }
    free(previous);
}

/* ---- a session that was killed ---- */

#define RUNNING "autosave.running" /* while a session runs that has changed something: its pid */
#define LEFT    "autosave-left.lua"

static void mark_running(nw_session *s)
{
    nw_buf text = {0};
    char *path = path_in_folder(s, RUNNING);
    nw_buf_printf(&text, "%ld\n", (long)getpid());
    s->keeper.is_marked = nw_save(path, &text, NW_SAVE_NOTE, NULL) == NW_OK;
    nw_buf_fini(&text);
    free(path);
}

/* The process of the mark; 0: there is none, or it cannot be read. */
static long marked_process(const nw_session *s)
{
    nw_file *file;
    long process = 0;
    char *path = path_in_folder(s, RUNNING), text[32];
    if (nw_file_read(path, sizeof text - 1, &file, NULL) == NW_OK) {
        snprintf(text, sizeof text, "%.*s", (int)file->n_bytes, (const char *)file->bytes);
        process = strtol(text, NULL, 10);
        nw_file_release(file);
    }
    free(path);
    return process > 0 ? process : 0;
}

/* Puts what a killed session was doing out of the way of this one's, and says so. */
static void keep_what_was_left(nw_session *s)
{
    long process = marked_process(s);
    if (!process || (kill((pid_t)process, 0) == 0 && process != (long)getpid()))
        return;
    char *mark = path_in_folder(s, RUNNING), *log = path_in_folder(s, "autosave.lua");
    char *left = path_in_folder(s, LEFT);
    if (rename(log, left) == 0)
        nw_session_say(s, NW_MESSAGE_WARNING,
                       "the session before was killed; recover brings back what it did");
    if (unlink(mark) != 0) {
        /* Nothing to forget. */
    }
    free(left);
    free(log);
    free(mark);
}

static void forget_mark(nw_session *s)
{
    if (!s->keeper.is_marked || !s->keeper.folder)
        return;
    char *path = path_in_folder(s, RUNNING);
    if (marked_process(s) == (long)getpid() && unlink(path) != 0) {
        /* The next session will say that this one was killed. */
    }
    free(path);
}

bool nw_session_has_left(const nw_session *s)
{
    if (!s->keeper.folder)
        return false;
    char *path = path_in_folder(s, LEFT);
    bool is_there = access(path, R_OK) == 0;
    free(path);
    return is_there;
}

char *nw_session_left_path(const nw_session *s)
{
    return path_in_folder(s, LEFT);
}

void nw_session_autosave(nw_session *s, bool is_last)
{
    nw_keeper *k = &s->keeper;
    int64_t now = now_ms();
    bool is_too_soon =
        s->n_done > SHORT_LOG && k->saved_ms && now - k->saved_ms < AUTOSAVE_MS && !is_last;
    if (!k->is_dirty || !k->folder || is_too_soon)
        return;
    bool is_first = !k->saved_ms;
    k->is_dirty = false;
    k->saved_ms = now;
    if (!make_folder(s))
        return;
    nw_error err;
    nw_buf text = {0};
    char *path = path_in_folder(s, "autosave.lua");
    if (is_first) {
        keep_previous(s, path);
        mark_running(s);
    }
    nw_session_log_lua(s, &text);
    if (nw_save(path, &text, NW_SAVE_NOTE, &err) != NW_OK)
        give_up(s, err.message);
    nw_buf_fini(&text);
    free(path);
}

/* Told at the start, not in the middle of the work. */
void nw_session_begin_keeping(nw_session *s, const char *folder)
{
    s->keeper.folder = nw_copy_text(folder && folder[0] ? folder : NULL);
    if (make_folder(s) && access(s->keeper.folder, W_OK) != 0)
        give_up(s, strerror(errno));
    if (s->keeper.folder)
        keep_what_was_left(s);
}

void nw_session_end_keeping(nw_session *s)
{
    nw_keeper *k = &s->keeper;
    nw_session_autosave(s, true);
    forget_mark(s);
    for (size_t i = 0; i < k->n; i++) {
        nw_history *history = &k->histories[i];
        for (size_t j = 0; j < history->n; j++)
            free(history->lines[j]);
        free(history->lines);
        free(history->prompt);
    }
    free(k->histories);
    free(k->folder);
    *k = (nw_keeper){0};
}
