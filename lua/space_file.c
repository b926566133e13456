/* space_file.c - spaces from files of Lua.
 */
#include "lua/engine.h"

nw_status lua_engine_load_space(void *context, const char *path, const nw_space **out,
                                nw_error *err)
{
    (void)context;
    (void)out;
    return nw_fail(err, NW_UNSUPPORTED, path, "spaces in Lua are not read yet");
}
