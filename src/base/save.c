#include "src/base/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name that no other process takes: refused ones are passed over. */
static int open_temporary(const char *path, nw_buf *name)
{
    for (int i = 0; i < 100; i++) {
        nw_buf_clear(name);
        nw_buf_printf(name, "%s.%ld-%d.tmp", path, (long)getpid(), i);
        int fd = open(nw_buf_text(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static bool write_all(int fd, const char *bytes, size_t n_bytes)
{
    while (n_bytes) {
        ssize_t n = write(fd, bytes, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* A hard link fails where the name is taken; not every file system has them. */
static bool put_new(const char *temporary, const char *path)
{
    struct stat info;
    if (link(temporary, path) == 0) {
        unlink(temporary);
        return true;
    }
    if (errno == EEXIST)
        return false;
    if (lstat(path, &info) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(temporary, path) == 0;
}

nw_status nw_save(const char *path, const nw_buf *bytes, nw_save_mode mode, nw_error *err)
{
    nw_buf name = {0};
    int fd = open_temporary(path, &name);
    int problem = fd < 0 ? errno : 0;
    if (fd >= 0) {
        if (!write_all(fd, nw_buf_text(bytes), bytes->length) ||
            (mode != NW_SAVE_NOTE && fsync(fd) != 0 && errno != EINVAL))
            problem = errno;
        if (close(fd) != 0 && !problem)
            problem = errno;
        const char *temporary = nw_buf_text(&name);
        if (!problem &&
            !(mode == NW_SAVE_NEW ? put_new(temporary, path) : rename(temporary, path) == 0))
            problem = errno;
        if (problem)
            unlink(temporary);
    }
    nw_buf_fini(&name);
    if (problem == EEXIST)
        return nw_fail(err, NW_INVALID, path, "exists already; give another name");
    if (problem)
        return nw_fail(err, NW_IO, path, "cannot write: %s", strerror(problem));
    return NW_OK;
}
