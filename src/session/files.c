/* files.c - what the user asks to write: never over a file that this session did not write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/save.h"
#include "src/format/format.h"
#include "src/report/report.h"
#include "src/session/internal.h"

nw_written nw_written_of(const struct stat *info)
{
    return (nw_written){.device = info->st_dev,
                        .inode = info->st_ino,
                        .n_bytes = info->st_size,
                        .changed_s = info->st_mtim.tv_sec,
                        .changed_ns = info->st_mtim.tv_nsec};
}

bool nw_written_is(const nw_written *a, const nw_written *b)
{
    return a->device == b->device && a->inode == b->inode && a->n_bytes == b->n_bytes &&
           a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

/* This session's own, and nobody has written to it since. */
static bool is_own(const nw_session *s, const struct stat *info)
{
    nw_written now = nw_written_of(info);
    for (size_t i = 0; i < s->n_written; i++)
        if (nw_written_is(&s->written[i], &now))
            return true;
    return false;
}

static bool is_opened_file(const nw_session *s, const struct stat *target)
{
    struct stat model;
    return s->state.current && stat(s->state.current->model, &model) == 0 &&
           model.st_dev == target->st_dev && model.st_ino == target->st_ino;
}

static nw_status write_file(nw_session *s, const char *path, const nw_buf *bytes, nw_error *err)
{
    struct stat info;
    bool is_there = lstat(path, &info) == 0;
    if (is_there && S_ISDIR(info.st_mode))
        return nw_fail(err, NW_INVALID, path, "is a folder; give the name of a file in it");
    if (is_there && is_opened_file(s, &info))
        return nw_fail(err, NW_INVALID, path,
                       "is the opened file, which is never changed; give another name");
    if (is_there && !is_own(s, &info))
        return nw_fail(err, NW_INVALID, path,
                       "exists and was not written by this session; give another name or remove "
                       "it first");
    nw_status status = nw_save(path, bytes, is_there ? NW_SAVE_REPLACE : NW_SAVE_NEW, err);
    if (status != NW_OK || lstat(path, &info) != 0)
        return status;
    s->written = nw_grow(s->written, s->n_written, &s->written_capacity, sizeof *s->written);
    s->written[s->n_written++] = nw_written_of(&info);
    return NW_OK;
}

/* "nets/a.nasw.json" for "nets/a.onnx", "./demo.nasw.json" for the demo. */
static void add_default_path(const char *model, nw_buf *out)
{
    const char *slash = strrchr(model, '/');
    const char *stem = slash ? slash + 1 : model;
    const char *dot = strrchr(stem, '.');
    size_t length = dot && dot > stem ? (size_t)(dot - model) : strlen(model);
    if (length > 5 && strncmp(model + length - 5, ".nasw", 5) == 0)
        length -= 5;
    if (!slash)
        nw_buf_puts(out, "./");
    nw_buf_add(out, model, length);
    nw_buf_puts(out, ".nasw.json");
}

nw_status nw_session_save(nw_session *s, const char *path, nw_error *err)
{
    const nw_point *point = s->state.current;
    if (!path && strcmp(point->model, "-") == 0)
        return nw_fail(err, NW_INVALID, "", "the network came from standard input; give a path");
    nw_buf target = {0}, text = {0};
    if (path)
        nw_buf_puts(&target, path);
    else
        add_default_path(point->model, &target);
    nw_network_json_write_to(point->graph, nw_buf_text(&target), NULL, 0, &text);
    nw_status status = write_file(s, nw_buf_text(&target), &text, err);
    if (status == NW_OK) {
        nw_arch_release(s->saved);
        s->saved = nw_arch_retain(point->arch);
    }
    if (status == NW_OK)
        nw_session_say(s, NW_MESSAGE_INFO, "saved %s as %s", point->label, nw_buf_text(&target));
    nw_buf_fini(&text);
    nw_buf_fini(&target);
    return status;
}

static void write_text(const nw_breakdown *breakdown, nw_buf *out)
{
    nw_breakdown_text(breakdown, 0, out);
}

/* What the compare screen shows, as Markdown. */
static nw_status export_comparison(nw_session *s, const char *path, nw_error *err)
{
    const nw_point *points[NW_MAX_COMPARED];
    nw_compared networks[NW_MAX_COMPARED];
    int n = nw_session_compared(s, points, NULL);
    for (int i = 0; i < n; i++)
        networks[i] = (nw_compared){points[i]->label, points[i]->arch, &points[i]->estimate};
    if (n < 2)
        return nw_fail(err, NW_INVALID, path,
                       "there is one network only: edit it, or keep it with c and open another");
    nw_comparison *comparison;
    nw_status status = nw_comparison_new(s->state.hw->hw, networks, n, &comparison, err);
    if (status != NW_OK)
        return status;
    nw_buf text = {0};
    nw_compare_md(comparison, &text);
    nw_comparison_free(comparison);
    status = write_file(s, path, &text, err);
    nw_buf_fini(&text);
    if (status == NW_OK)
        nw_session_say(s, NW_MESSAGE_INFO, "wrote the comparison of %d networks to %s", n, path);
    return status;
}

nw_status nw_session_export(nw_session *s, const char *path, nw_error *err)
{
    static const struct {
        const char *ending;
        void (*write)(const nw_breakdown *breakdown, nw_buf *out);
    } kinds[] = {{".json", nw_breakdown_json}, {".csv", nw_breakdown_csv}, {".txt", write_text}};
    const nw_point *point = s->state.current;
    nw_breakdown breakdown = {point->model, point->graph, point->hw, &point->estimate};
    size_t length = strlen(path);
    if (length > 3 && strcmp(path + length - 3, ".md") == 0)
        return export_comparison(s, path, err);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].ending);
        if (length <= n || strcmp(path + length - n, kinds[i].ending) != 0)
            continue;
        nw_buf text = {0};
        kinds[i].write(&breakdown, &text);
        nw_status status = write_file(s, path, &text, err);
        nw_buf_fini(&text);
        if (status == NW_OK)
            nw_session_say(s, NW_MESSAGE_INFO, "wrote the breakdown of %s to %s", point->label,
                           path);
        return status;
    }
    return nw_fail(err, NW_INVALID, path,
                   "the ending says what to write: it must be .json, .csv, .txt or .md");
}

nw_status nw_session_save_log(nw_session *s, const char *path, nw_error *err)
{
    nw_buf text = {0};
    nw_session_log_lua(s, &text);
    nw_status status = write_file(s, path, &text, err);
    nw_buf_fini(&text);
    if (status == NW_OK)
        nw_session_say(s, NW_MESSAGE_INFO, "wrote %d action%s to %s", s->n_done,
                       s->n_done == 1 ? "" : "s", path);
    return status;
}
