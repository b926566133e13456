#include "tests/support_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS      64
#define MAX_KEPT_BYTES ((size_t)64 << 20)
#define NOBODY         65534

enum { TOO_LONG = -1000, NOT_STARTED = 127 };

/* ---- the child ---- */

static const char *program(void)
{
    static char path[4096];
    const char *given = getenv("NASW_BIN");
    if (!given || !*given)
        given = "build/nasw";
    if (!path[0] && !realpath(given, path))
        snprintf(path, sizeof path, "%s", given);
    return path;
}

static void limit_memory(void)
{
    const struct rlimit limit = {RUN_MEMORY_BYTES, RUN_MEMORY_BYTES};
    setrlimit(RLIMIT_AS, &limit);
}

/* A sanitizer's shadow memory is larger than any limit worth setting. */
static bool can_limit_memory(void)
{
    static int answer = -1;
    if (answer >= 0)
        return answer;
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        limit_memory();
        execl(program(), "nasw", "--version", (char *)NULL);
        _exit(NOT_STARTED);
    }
    int status = 1;
    waitpid(child, &status, 0);
    answer = status == 0;
    return answer;
}

void run_prepare(void)
{
    can_limit_memory();
}

static void open_stdout(run_stdout to, int pipe_end)
{
    int broken[2];
    if (to == RUN_KEPT) {
        dup2(pipe_end, 1);
    } else if (to == RUN_FULL) {
        dup2(open("/dev/full", O_WRONLY), 1);
    } else if (to == RUN_CLOSED) {
        close(1);
    } else if (pipe(broken) == 0) {
        close(broken[0]);
        dup2(broken[1], 1);
        close(broken[1]);
    }
}

_Noreturn static void start(const run_setup *setup, const char *const *words, int in, int out,
                            int err, bool is_limited)
{
    const char *argv[MAX_WORDS + 2] = {"nasw"};
    for (int i = 0; i < MAX_WORDS && words[i]; i++)
        argv[i + 1] = words[i];
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    const char *path = program();
    dup2(in, 0);
    dup2(err, 2);
    open_stdout(setup->to, out);
    if (setup->is_stdin_closed)
        close(0);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    if (setup->folder && chdir(setup->folder) != 0)
        _exit(NOT_STARTED);
    if (setup->set)
        putenv((char *)(uintptr_t)setup->set);
    if (setup->is_unprivileged && getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        _exit(NOT_STARTED);
    if (is_limited)
        limit_memory();
    execv(path, (char *const *)(uintptr_t)argv);
    _exit(NOT_STARTED);
}

/* ---- the parent ---- */

typedef struct stream {
    int fd;
    char *text;
    size_t n, capacity;
} stream;

static void take(stream *s)
{
    if (s->capacity - s->n < 65536) {
        s->capacity = 2 * s->capacity + 131072;
        s->text = realloc(s->text, s->capacity);
    }
    ssize_t got = read(s->fd, s->text + s->n, s->capacity - s->n - 1);
    if (got > 0 && s->n + (size_t)got < MAX_KEPT_BYTES) {
        s->n += (size_t)got;
    } else if (got == 0 || (got < 0 && errno != EINTR)) {
        close(s->fd);
        s->fd = -1;
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Reads both streams to their ends; false if that took too long. */
static bool collect(stream *streams, int n)
{
    double end = now() + RUN_SECONDS;
    for (;;) {
        struct pollfd polled[2];
        int n_open = 0;
        for (int i = 0; i < n; i++) {
            polled[i] = (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
            n_open += streams[i].fd >= 0;
        }
        double left = end - now();
        if (!n_open || left <= 0)
            return !n_open;
        if (poll(polled, (nfds_t)n, (int)(left * 1000) + 1) <= 0)
            continue;
        for (int i = 0; i < n; i++)
            if (streams[i].fd >= 0 && polled[i].revents)
                take(&streams[i]);
    }
}

static char *finish(stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    if (!s->text)
        s->text = malloc(1);
    s->text[s->n] = '\0';
    return s->text;
}

/* Input goes through an unnamed file: no writer can then wait for a reader. */
static int open_input(const run_setup *setup)
{
    if (!setup->input)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    FILE *file = tmpfile();
    fwrite(setup->input, 1, setup->n_input, file);
    rewind(file);
    int fd = dup(fileno(file));
    fclose(file);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

run_result run_words(const run_setup *setup, const char *const *words)
{
    static const run_setup plain;
    bool is_limited = can_limit_memory();
    int out[2], err[2], in = open_input(setup ? setup : &plain);
    if (in < 0 || pipe(out) != 0 || pipe(err) != 0)
        abort();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        start(setup ? setup : &plain, words, in, out[1], err[1], is_limited);
    setpgid(child, child);
    close(in);
    close(out[1]);
    close(err[1]);
    stream streams[2] = {{.fd = out[0]}, {.fd = err[0]}};
    bool in_time = collect(streams, 2);
    if (!in_time)
        kill(-child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    run_result r = {.out = finish(&streams[0]), .err = finish(&streams[1])};
    r.n_out = streams[0].n;
    r.n_err = streams[1].n;
    r.status = !in_time ? TOO_LONG : WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return r;
}

run_result run_nasw(const run_setup *setup, const char *format, ...)
{
    char text[8192];
    const char *words[MAX_WORDS + 1] = {NULL};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int n = 0;
    for (char *word = text; *word && n < MAX_WORDS;) {
        size_t length = strcspn(word, " ");
        char *next = word[length] ? word + length + 1 : word + length;
        word[length] = '\0';
        if (length)
            words[n++] = word;
        word = next;
    }
    return run_words(setup, words);
}

void run_free(run_result *r)
{
    free(r->out);
    free(r->err);
    *r = (run_result){0};
}

/* ---- looking at what came out ---- */

/* The length of a printable character at s, 0 if it is none. Written from the tables of the
 * Unicode standard, apart from the program's own. */
static size_t printable(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!n || s[0] > 0xf4)
        return 0;
    uint32_t code = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool is_bidi = code == 0x61c || code == 0x200e || code == 0x200f ||
                   (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    bool is_no_character = code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
    return is_control || is_bidi || is_no_character ? 0 : n;
}

static const char *flaw_of_text(const char *name, const char *text, size_t n)
{
    static char flaw[128];
    for (size_t i = 0; i < n;) {
        size_t length = text[i] == '\n' ? 1 : printable((const unsigned char *)text + i);
        if (!length) {
            snprintf(flaw, sizeof flaw, "%s: byte %zu (0x%02x) is not fit to be printed", name, i,
                     (unsigned char)text[i]);
            return flaw;
        }
        i += length;
    }
    return n && text[n - 1] != '\n' ? "the last line does not end" : NULL;
}

const char *run_flaw(const run_result *r)
{
    static char flaw[128];
    if (r->status == TOO_LONG)
        return "took too long";
    if (r->status < 0 || r->status > 3) {
        snprintf(flaw, sizeof flaw, r->status < 0 ? "ended by signal %d" : "status %d",
                 abs(r->status));
        return flaw;
    }
    const char *found = flaw_of_text("stdout", r->out, r->n_out);
    if (!found)
        found = flaw_of_text("stderr", r->err, r->n_err);
    for (const char *line = r->err; !found && *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, "nasw: ", 6) != 0)
            return "a line of stderr does not begin with \"nasw: \"";
    return found;
}

const char *run_not_refused(const run_result *r, const char *words)
{
    static char flaw[256];
    const char *found = run_flaw(r);
    if (found)
        return found;
    if (r->status != 1 && r->status != 2)
        return "not refused";
    if (r->n_out)
        return "refused, yet it printed results";
    const char *end = strchr(r->err, '\n');
    if (!end || end[1])
        return "the refusal is not one line";
    while (*words) {
        size_t n = strcspn(words, "|");
        char word[200];
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        if (!strstr(r->err, word)) {
            snprintf(flaw, sizeof flaw, "the refusal lacks \"%s\"", word);
            return flaw;
        }
        words += n + (words[n] == '|');
    }
    return NULL;
}

/* ---- folders ---- */

char *folder_new(void)
{
    char template[] = "/tmp/nasw_test_XXXXXX";
    if (!mkdtemp(template))
        abort();
    chmod(template, 0755); /* also for tests that run as somebody else */
    return strdup(template);
}

static void remove_all(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char inner[4096];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        struct stat info;
        if (lstat(inner, &info) == 0 && S_ISDIR(info.st_mode))
            remove_all(inner);
        else
            unlink(inner);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

void folder_free(char *folder)
{
    remove_all(folder);
    free(folder);
}

const char *folder_write(const char *folder, const char *name, const void *bytes, size_t n)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0)
        abort();
    return path;
}
