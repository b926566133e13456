#include "src/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/arena.h"

typedef struct shared_file {
    nw_file file; /* first, so that the public pointer is this one */
    atomic_int n_users;
    uint8_t *storage;
    char *path_storage;
} shared_file;

static nw_file *make_file(const char *path, uint8_t *bytes, size_t n_bytes)
{
    shared_file *shared = nw_zalloc(sizeof *shared);
    size_t path_bytes = strlen(path) + 1;
    shared->path_storage = nw_alloc(path_bytes);
    memcpy(shared->path_storage, path, path_bytes);
    shared->storage = bytes;
    shared->file = (nw_file){.bytes = bytes, .n_bytes = n_bytes, .path = shared->path_storage};
    atomic_init(&shared->n_users, 1);
    return &shared->file;
}

/* Reads to the end; size_hint comes from fstat and may be wrong (pipes say 0). */
static nw_status read_all(int fd, const char *path, size_t size_hint, size_t max_bytes,
                          uint8_t **bytes, size_t *n_bytes, nw_error *err)
{
    size_t capacity = size_hint + 2, used = 0;
    uint8_t *data = nw_alloc(capacity);
    for (;;) {
        if (used + 1 >= capacity) {
            capacity = capacity < 65536 ? 65536 : capacity + capacity / 2;
            data = nw_realloc(data, capacity);
        }
        ssize_t got = read(fd, data + used, capacity - 1 - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(data);
            return nw_fail(err, NW_IO, path, "cannot read: %s", strerror(errno));
        }
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > max_bytes) {
            free(data);
            return nw_fail(err, NW_LIMIT, path, "larger than the limit of %zu MiB",
                           max_bytes >> 20);
        }
    }
    data[used] = 0;
    *bytes = data;
    *n_bytes = used;
    return NW_OK;
}

nw_status nw_file_read(const char *path, size_t max_bytes, nw_file **out, nw_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return nw_fail(err, NW_IO, path, "cannot open: %s", strerror(errno));
    struct stat info;
    nw_status status = NW_OK;
    if (fstat(fd, &info) != 0)
        status = nw_fail(err, NW_IO, path, "cannot read: %s", strerror(errno));
    else if (S_ISDIR(info.st_mode))
        status = nw_fail(err, NW_IO, path, "is a folder, a file is needed");
    else if (S_ISREG(info.st_mode) && (uintmax_t)info.st_size > max_bytes)
        status = nw_fail(err, NW_LIMIT, path, "larger than the limit of %zu MiB", max_bytes >> 20);
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    if (status == NW_OK)
        status = read_all(fd, path, S_ISREG(info.st_mode) ? (size_t)info.st_size : 0, max_bytes,
                          &bytes, &n_bytes, err);
    close(fd);
    if (status == NW_OK)
        *out = make_file(path, bytes, n_bytes);
    return status;
}

nw_file *nw_file_from_bytes(const char *path, const void *bytes, size_t n_bytes)
{
    uint8_t *copy = nw_alloc(n_bytes + 1);
    if (n_bytes)
        memcpy(copy, bytes, n_bytes);
    copy[n_bytes] = 0;
    return make_file(path, copy, n_bytes);
}

nw_file *nw_file_retain(const nw_file *file)
{
    shared_file *shared = (shared_file *)(uintptr_t)file;
    atomic_fetch_add(&shared->n_users, 1);
    return &shared->file;
}

void nw_file_release(nw_file *file)
{
    shared_file *shared = (shared_file *)file;
    if (!shared || atomic_fetch_sub(&shared->n_users, 1) != 1)
        return;
    free(shared->storage);
    free(shared->path_storage);
    free(shared);
}
