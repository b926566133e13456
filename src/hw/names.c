#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "src/hw/internal.h"

typedef struct name_list {
    char **names;
    size_t n, capacity;
} name_list;

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_folder(const char *folder, name_list *list)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t n = strlen(entry->d_name);
        if (n <= 5 || strcmp(entry->d_name + n - 5, ".json") != 0)
            continue;
        list->names = nw_grow(list->names, list->n, &list->capacity, sizeof *list->names);
        char *name = memcpy(nw_alloc(n - 4), entry->d_name, n - 5);
        name[n - 5] = '\0';
        list->names[list->n++] = name;
    }
    if (dir)
        closedir(dir);
}

char **nw_hw_names(const char *search_path, int *n)
{
    name_list list = {0};
    while (*search_path) {
        size_t length = strcspn(search_path, ":");
        char *folder = memcpy(nw_alloc(length + 1), search_path, length);
        folder[length] = '\0';
        add_folder(folder, &list);
        free(folder);
        search_path += length + (search_path[length] == ':');
    }
    if (list.n)
        qsort(list.names, list.n, sizeof *list.names, compare_names);
    size_t n_kept = 0;
    for (size_t i = 0; i < list.n; i++) {
        if (n_kept && strcmp(list.names[i], list.names[n_kept - 1]) == 0)
            free(list.names[i]);
        else
            list.names[n_kept++] = list.names[i];
    }
    *n = (int)n_kept;
    return list.names;
}

void nw_hw_names_free(char **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}
