/* file.h - whole files in memory, shared by whoever points into them.
 *
 * Read, not mapped: a mapped file that somebody truncates kills the process.
 */
#ifndef NW_FILE_H
#define NW_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"

typedef struct nw_file {
    const uint8_t *bytes; /* n_bytes of them and one zero byte behind */
    size_t n_bytes;
    const char *path; /* as the caller gave it; "-" is standard input */
} nw_file;

/* Reads a regular file, a pipe or "-" up to max_bytes. NW_IO: not readable, a folder, empty is
 * fine; NW_LIMIT: larger than max_bytes. Release with nw_file_release. */
NW_CHECKED nw_status nw_file_read(const char *path, size_t max_bytes, nw_file **out, nw_error *err);

/* A file object over a copy of bytes, for tests and fuzz targets. */
nw_file *nw_file_from_bytes(const char *path, const void *bytes, size_t n_bytes);

nw_file *nw_file_retain(const nw_file *file); /* thread-safe; returns file */
void nw_file_release(nw_file *file);          /* NULL is fine */

#endif
