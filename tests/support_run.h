/* support_run.h - runs the program under test as its user does, and looks at what came out.
 *
 * The program is $NASW_BIN (build/nasw), which may be a sanitised build. It runs with a memory
 * limit (not where a sanitizer needs the address space) and is killed after ten seconds.
 */
#ifndef NW_TESTS_SUPPORT_RUN_H
#define NW_TESTS_SUPPORT_RUN_H

#include <stdbool.h>
#include <stddef.h>

#define RUN_SECONDS      10
#define RUN_MEMORY_BYTES ((size_t)2 << 30) /* the largest file, unpacked, and its graph */

typedef enum run_stdout {
    RUN_KEPT,        /* collected */
    RUN_FULL,        /* a full disk */
    RUN_CLOSED,      /* no descriptor at all */
    RUN_BROKEN_PIPE, /* nobody reads */
} run_stdout;

typedef struct run_setup {
    const void *input; /* standard input; NULL: /dev/null */
    size_t n_input;
    const char *folder; /* to run in; NULL: this one */
    const char *set;    /* one more variable, "NASW_DATA=..." */
    run_stdout to;
    bool is_unprivileged; /* as nobody; a superuser reads everything */
    bool is_stdin_closed;
} run_setup;

typedef struct run_result {
    int status; /* exit status; -N: killed by signal N; -1000: took too long; 127: not started */
    char *out, *err;
    size_t n_out, n_err;
} run_result;

/* Finds out whether memory can be limited; once, before the tests fork. */
void run_prepare(void);

/* Words are separated by blanks. setup may be NULL. Release with run_free. */
run_result run_nasw(const run_setup *setup, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
run_result run_words(const run_setup *setup, const char *const *words); /* NULL at the end */
void run_free(run_result *r);

/* NULL if what came out is fit for a terminal: lines of UTF-8 without control characters, C1,
 * and orders to write backwards; each line of stderr begins with "nasw: "; no signal, no timeout.
 * Else what is wrong, in a static string. */
const char *run_flaw(const run_result *r);

/* NULL if it ended with status 1 or 2, nothing on stdout and one line on stderr that holds all of
 * the words, which are separated by '|'. Else what is wrong, in a static string. */
const char *run_not_refused(const run_result *r, const char *words);

/* Fails the test with what the program said. */
#define ck_run(flaw, r)                                                                            \
    do {                                                                                           \
        const char *found_ = (flaw);                                                               \
        ck_assert_msg(!found_, "%s\nstatus %d\nstdout: %.300s\nstderr: %.600s", found_,            \
                      (r)->status, (r)->out, (r)->err);                                            \
    } while (0)

/* A folder for files made by a test, removed by folder_free; paths have no blanks. */
char *folder_new(void);
void folder_free(char *folder);
/* The path of the file, in a static string that lives until eight more calls. */
const char *folder_write(const char *folder, const char *name, const void *bytes, size_t n);

#endif
