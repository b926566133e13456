#include "tests/support_session.h"

#include <dirent.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/format/format.h"
#include "tests/support.h"

static void expect(bool holds, const char *format, ...) NW_PRINTF(2, 3);

static void expect(bool holds, const char *format, ...)
{
    if (holds)
        return;
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    abort();
}

/* ---- the folder ---- */

static char folder[64];

void begin_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_session_XXXXXX");
    expect(mkdtemp(folder) != NULL, "no folder");
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char inner[512];
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_tree(inner);
    }
    if (dir)
        closedir(dir);
    remove(path);
}

void end_folder(void)
{
    remove_tree(folder);
}

const char *the_folder(void)
{
    return folder;
}

const char *in_folder(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

int count_files(void)
{
    int n = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    expect(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s is not written", path);
}

void copy_file(const char *from, const char *to)
{
    char *text = read_text(from, NULL);
    expect(text != NULL, "%s is not read", from);
    write_text(to, text);
    free(text);
}

/* ---- sessions ---- */

nw_session *begin(const char *data_path, const char *hw, const char *state_path)
{
    nw_error err = {0};
    nw_session *s = NULL;
    nw_session_config config = {
        .data_path = data_path, .hw = hw, .state_path = state_path, .n_workers = 2};
    nw_status status = nw_session_new(&config, &s, &err);
    expect(status == NW_OK, "%s: %s", err.where, err.message);
    return s;
}

nw_session *begin_plain(void)
{
    return begin(PRESETS, NULL, NULL);
}

nw_status try_act(nw_session *s, const char *name, const char *value, nw_error *err)
{
    nw_action action = {nw_action_find(name), -1, value};
    expect(action.id != NW_ACTION_COUNT, "no action %s", name);
    return nw_session_act(s, &action, err);
}

void act(nw_session *s, const char *name, const char *value)
{
    nw_error err = {0};
    nw_status status = try_act(s, name, value, &err);
    expect(status == NW_OK, "%s: %s: %s", name, err.where, err.message);
}

const nw_message *last_message(const nw_session *s)
{
    int n;
    const nw_message *messages = nw_session_messages(s, &n);
    expect(n > 0, "no message");
    return &messages[n - 1];
}

void refuse(nw_session *s, const char *name, const char *value, const char *words)
{
    nw_error err = {0};
    const nw_point *current = nw_session_current(s), *baseline = nw_session_baseline(s);
    const nw_hw *hw = nw_session_hw(s);
    int n_undo = nw_session_n_undo(s), n_redo = nw_session_n_redo(s);
    nw_status status = try_act(s, name, value, &err);
    const nw_message *last = last_message(s);
    expect(status != NW_OK, "%s %s is not refused", name, value ? value : "");
    expect(strstr(err.message, words) != NULL, "%s: %s: %s", name, err.where, err.message);
    expect(last->kind != NW_MESSAGE_INFO && strstr(last->text, words), "said: %s", last->text);
    expect(nw_session_current(s) == current && nw_session_baseline(s) == baseline &&
               nw_session_hw(s) == hw && nw_session_n_undo(s) == n_undo &&
               nw_session_n_redo(s) == n_redo,
           "%s: is refused, but something has changed", name);
}

int64_t latency(const nw_session *s)
{
    return nw_session_current(s)->estimate.latency_ps;
}

int64_t estimate_alone(const char *model, const char *hw_name, const char *precision)
{
    nw_hw *hw = NULL;
    nw_graph *graph = NULL;
    nw_estimate e;
    expect(nw_hw_load(hw_name, PRESETS, &hw, NULL) == NW_OK, "%s", hw_name);
    expect(nw_model_load(model, NULL, 0, &graph, NULL) == NW_OK, "%s", model);
    int64_t ps = -1;
    if (nw_estimate_graph(nw_estimator_device(), graph, hw, precision, &e, NULL) == NW_OK) {
        ps = e.latency_ps;
        nw_estimate_fini(&e);
    }
    nw_graph_free(graph);
    nw_hw_free(hw);
    return ps;
}

void wait_for_jobs(nw_session *s)
{
    for (int i = 0; i < nw_session_n_jobs(s); i++)
        while (nw_session_job(s, i).is_running) {
            struct pollfd fd = {.fd = nw_session_wake_fd(s), .events = POLLIN};
            expect(poll(&fd, 1, -1) == 1, "no wake");
            expect(nw_session_poll(s), "a wake for nothing");
        }
}
