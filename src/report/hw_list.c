#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/report.h"

typedef struct name_list {
    char **names;
    size_t n, capacity;
} name_list;

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_folder(const char *folder, size_t length, name_list *list, nw_arena *arena)
{
    DIR *dir = opendir(nw_arena_strndup(arena, folder, length));
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t n = strlen(entry->d_name);
        if (n <= 5 || strcmp(entry->d_name + n - 5, ".json") != 0)
            continue;
        list->names = nw_grow(list->names, list->n, &list->capacity, sizeof *list->names);
        list->names[list->n++] = nw_arena_strndup(arena, entry->d_name, n - 5);
    }
    if (dir)
        closedir(dir);
}

/* The first sentence, or what stands before its colon; "Vela 3.10" has no end in it. */
static int first_sentence(const char *notes)
{
    size_t n = 0;
    while (notes[n] && !((notes[n] == '.' || notes[n] == ':') && strchr(" ", notes[n + 1])))
        n++;
    return (int)n;
}

static void add_description(const char *name, const char *search_path, nw_buf *out)
{
    nw_hw *hw;
    nw_error err;
    char sram[32], *clean = nw_printable(name);
    if (nw_hw_load(name, search_path, &hw, &err) != NW_OK) {
        nw_buf_printf(out, "%-14s %s: %s\n", clean, err.where, err.message);
    } else {
        int64_t macs = nw_hw_macs_per_cycle(hw);
        int first = first_sentence(hw->notes);
        nw_buf_printf(out, "%-14s %9lld %8.3f %7.3f %10s %8.2f  %-10s %.*s\n", hw->name,
                      (long long)macs, hw->clock_hz / 1e9, 2e-12 * (double)macs * hw->clock_hz,
                      nw_format_bytes(hw->sram.bytes, sram, sizeof sram),
                      hw->dram.bytes_per_cycle * hw->clock_hz / 1e9,
                      hw->calibration.present ? "yes" : "no", first, hw->notes);
        nw_hw_free(hw);
    }
    free(clean);
}

nw_status nw_report_hw_list(const char *search_path, nw_buf *out, nw_error *err)
{
    nw_arena arena = {0};
    name_list list = {0};
    for (const char *folder = search_path; *folder;) {
        size_t length = strcspn(folder, ":");
        add_folder(folder, length, &list, &arena);
        folder += length + (folder[length] == ':');
    }
    if (list.n)
        qsort(list.names, list.n, sizeof *list.names, compare_names);
    nw_buf_printf(out, "%-14s %9s %8s %7s %10s %8s  %-10s %s\n", "name", "MACs/cyc", "GHz", "TOPS",
                  "SRAM", "DRAM GB/s", "calibrated", "notes");
    for (size_t i = 0; i < list.n; i++)
        if (!i || strcmp(list.names[i], list.names[i - 1]) != 0)
            add_description(list.names[i], search_path, out);
    bool is_empty = !list.n;
    free(list.names);
    nw_arena_fini(&arena);
    if (is_empty)
        return nw_fail(err, NW_IO, search_path, "no hardware descriptions there; set NASW_DATA");
    return NW_OK;
}
