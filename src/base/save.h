/* save.h - writes a whole file so that nobody ever sees half of it.
 *
 * The bytes go to a temporary name in the same folder, which is then renamed: a crash or a second
 * program writing the same file leaves the old one or a new one.
 */
#ifndef NW_SAVE_H
#define NW_SAVE_H

#include "src/base/error.h"
#include "src/base/text.h"

typedef enum nw_save_mode {
    NW_SAVE_NEW,     /* NW_INVALID if something has that name already */
    NW_SAVE_REPLACE, /* the old one goes */
    NW_SAVE_NOTE     /* the same, without waiting for the disk: for what may get lost */
} nw_save_mode;

/* NW_IO: the system refuses; err->where is the path. Nothing is left behind then. */
NW_CHECKED nw_status nw_save(const char *path, const nw_buf *bytes, nw_save_mode mode,
                             nw_error *err);

#endif
