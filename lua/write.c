/* write.c - files of scripts: below the working folder, whole or not at all.
 *
 * Each folder of the path is opened by itself without following symbolic links, so no name leads
 * out; hidden files and folders (.git, .bashrc) belong to somebody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/bind.h"

#define MAX_NAME 200

const char *bind_path_problem(const char *path)
{
    if (!*path)
        return "the name is empty";
    if (*path == '/')
        return "only files below the working folder may be written (--trust lifts it)";
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 0 || (length == 1 && *at == '.' && (at != path || !at[1])))
            return "no such name of a file";
        if (length > MAX_NAME)
            return "a name in it is too long";
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return "only files below the working folder may be written (--trust lifts it)";
        if (*at == '.' && length > 1)
            return "hidden files and folders are not written (--trust lifts it)";
        at += length;
        if (*at == '/' && !*++at)
            return "no such name of a file";
    }
    return NULL;
}

static nw_status fail_io(const char *path, nw_error *err)
{
    return nw_fail(err, NW_IO, path, "cannot write: %s",
                   errno == ELOOP || errno == ENOTDIR ? "a folder in it is none, or a symbolic link"
                                                      : strerror(errno));
}

/* Opens the folder that path's last name stands in; *name is that name. -1: errno says why. */
static int open_folder(const char *path, bool is_trusted, const char **name)
{
    if (is_trusted) {
        char folder[4096];
        *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        int length = snprintf(folder, sizeof folder, "%.*s", (int)(*name - path), path);
        if (length < 0 || (size_t)length >= sizeof folder) {
            errno = ENAMETOOLONG;
            return -1;
        }
        return open(length ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (*name = path; folder >= 0 && strchr(*name, '/'); *name = strchr(*name, '/') + 1) {
        char part[MAX_NAME + 1];
        snprintf(part, sizeof part, "%.*s", (int)strcspn(*name, "/"), *name);
        int next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int why = errno;
        close(folder);
        errno = why;
        folder = next;
    }
    return folder;
}

/* What stands there already must be a plain file. */
static bool is_replaceable(int folder, const char *name, bool is_trusted)
{
    struct stat there;
    if (fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    errno = S_ISDIR(there.st_mode) ? EISDIR : ELOOP;
    return S_ISREG(there.st_mode) || (is_trusted && S_ISLNK(there.st_mode));
}

static bool write_all(int file, const char *text, size_t length)
{
    while (length) {
        ssize_t n = write(file, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        length -= (size_t)n;
    }
    return true;
}

/* To a new name in the folder, then renamed. */
static bool replace_file(int folder, const char *name, const char *text, size_t length)
{
    char temporary[MAX_NAME + 64];
    int file = -1;
    for (int i = 0; i < 100 && file < 0; i++) {
        snprintf(temporary, sizeof temporary, ".%.*s.%ld-%d", MAX_NAME, name, (long)getpid(), i);
        file =
            openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST)
            return false;
    }
    if (file < 0)
        return false;
    bool is_written = write_all(file, text, length);
    int why = errno;
    if (close(file) != 0 && is_written) {
        is_written = false;
        why = errno;
    }
    if (is_written && renameat(folder, temporary, folder, name) == 0)
        return true;
    if (is_written)
        why = errno;
    unlinkat(folder, temporary, 0);
    errno = why;
    return false;
}

static nw_status open_checked(const char *path, bool is_trusted, int *folder, const char **name,
                              nw_error *err)
{
    const char *problem = is_trusted ? NULL : bind_path_problem(path);
    if (problem)
        return nw_fail(err, NW_INVALID, path, "%s", problem);
    *folder = open_folder(path, is_trusted, name);
    if (*folder < 0)
        return fail_io(path, err);
    if (is_replaceable(*folder, *name, is_trusted))
        return NW_OK;
    bool is_folder = errno == EISDIR;
    close(*folder);
    return nw_fail(err, NW_IO, path, "cannot write: it is a %s",
                   is_folder ? "folder" : "symbolic link or a device");
}

nw_status bind_write_file(const char *path, const char *text, size_t length, bool is_trusted,
                          nw_error *err)
{
    int folder;
    const char *name;
    nw_status status = open_checked(path, is_trusted, &folder, &name, err);
    if (status != NW_OK)
        return status;
    if (!replace_file(folder, name, text, length))
        status = fail_io(path, err);
    close(folder);
    return status;
}

nw_status bind_check_write_path(const char *path, nw_error *err)
{
    int folder;
    const char *name;
    nw_status status = open_checked(path, false, &folder, &name, err);
    if (status == NW_OK)
        close(folder);
    return status;
}
