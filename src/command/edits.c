#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/command/internal.h"

#define MAX_EDITS_BYTES ((size_t)1 << 20)
#define MAX_NOTES       8 /* of blocks that an edit leaves as they are */

typedef struct edit_list {
    nw_edit edits[NW_MAX_EDITS];
    int n;
} edit_list;

static nw_status add_edit(edit_list *list, const char *text, const char *where, nw_error *err)
{
    if (list->n == NW_MAX_EDITS)
        return nw_fail(err, NW_LIMIT, where, "there are more than %d edits", NW_MAX_EDITS);
    nw_status status = nw_edit_read(text, &list->edits[list->n], err);
    if (status != NW_OK)
        nw_error_prefix(err, where);
    else
        list->n++;
    return status;
}

/* An edit a line; blank lines and those that begin with # say nothing. */
static nw_status read_file(edit_list *list, const char *path, nw_error *err)
{
    nw_file *file;
    nw_status status = nw_file_read(path, MAX_EDITS_BYTES, &file, err);
    if (status != NW_OK)
        return status;
    const char *s = (const char *)file->bytes, *end = s + file->n_bytes;
    for (int line = 1; s < end && status == NW_OK; line++) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        stop = stop ? stop : end;
        char text[256], where[300];
        s += strspn(s, " \t\r");
        size_t length = s < stop ? (size_t)(stop - s) : 0;
        while (length && s[length - 1] && strchr(" \t\r", s[length - 1]))
            length--;
        snprintf(where, sizeof where, "%s line %d", path, line);
        if (length >= sizeof text) {
            status = nw_fail(err, NW_INVALID, where, "an edit has no such length");
        } else if (memchr(s, '\0', length)) {
            status = nw_fail(err, NW_INVALID, where, "has a zero byte; an edit is plain text");
        } else if (length && *s != '#') {
            snprintf(text, sizeof text, "%.*s", (int)length, s);
            status = add_edit(list, text, where, err);
        }
        s = stop + 1;
    }
    nw_file_release(file);
    return status;
}

/* What an edit of many blocks could not do, and why. What was so already is no news. */
static void tell_notes(const nw_edit_report *report)
{
    int n = 0;
    for (int i = 0; i < report->n_notes; i++)
        if (!report->notes[i].is_done && strncmp(report->notes[i].text, "already ", 8) != 0 &&
            ++n <= MAX_NOTES)
            fprintf(stderr, "nasw: note: %s stays as it is: %s\n", report->notes[i].where,
                    report->notes[i].text);
    if (n > MAX_NOTES)
        fprintf(stderr, "nasw: note: and %d more stay as they are\n", n - MAX_NOTES);
}

static nw_status edit(const nw_options *o, const nw_arch **arch, nw_error *err)
{
    edit_list *list = nw_zalloc(sizeof *list);
    nw_status status = NW_OK;
    if (o->edits_file)
        status = read_file(list, o->edits_file, err);
    for (int i = 0; i < o->n_edits && status == NW_OK; i++)
        status = add_edit(list, o->edits[i], "--edit", err);
    if (status == NW_OK && list->n) {
        nw_edit_report report = {0};
        const nw_arch *edited;
        status = nw_arch_apply(*arch, list->edits, list->n, &edited, &report, err);
        if (status == NW_OK) {
            nw_arch_release(*arch);
            *arch = edited;
            tell_notes(&report);
        }
        nw_edit_report_fini(&report);
    }
    free(list);
    return status;
}

nw_status nw_command_load(const nw_options *o, const nw_arch **out, nw_error *err)
{
    const nw_arch *arch;
    nw_status status =
        nw_model_load_arch(o->files[0], o->sizes, o->n_sizes, o->model_loader, &arch, err);
    if (status != NW_OK)
        return status;
    status = edit(o, &arch, err);
    if (status == NW_OK)
        *out = arch;
    else
        nw_arch_release(arch);
    return status;
}
