/* require.c - require for untrusted scripts: text modules of the script's own folder.
 */
#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/bind.h"

#define MAX_MODULE_BYTES ((size_t)4 << 20)
#define MAX_PART         64

/* Opens folder/a/b.lua for "a.b", no symbolic link on the way; -1: there is none. */
static int open_module(const char *folder, const char *name)
{
    int at = open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (at >= 0) {
        char part[MAX_PART + 8];
        size_t length = strcspn(name, ".");
        bool is_last = !name[length];
        snprintf(part, sizeof part, "%.*s%s", (int)length, name, is_last ? ".lua" : "");
        int next = openat(
            at, part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (is_last ? 0 : O_DIRECTORY));
        close(at);
        if (is_last)
            return next;
        at = next;
        name += length + 1;
    }
    return -1;
}

static void check_name(lua_State *L, const char *name, size_t length)
{
    luaL_argcheck(L, strlen(name) == length && length > 0, 1, "no name of a module");
    size_t part = 0;
    for (size_t i = 0; i <= length; i++) {
        bool is_end = name[i] == '.' || !name[i];
        luaL_argcheck(L, is_end ? part > 0 : isalnum((unsigned char)name[i]) || name[i] == '_', 1,
                      "a module's name has letters, digits, _ and dots between folders");
        part = is_end ? 0 : part + 1;
        luaL_argcheck(L, part <= MAX_PART, 1, "the module's name is too long");
    }
}

/* Reads the whole file, which it closes; false: too large, or not readable. */
static bool read_module(int file, nw_buf *out)
{
    struct stat info;
    char block[4096];
    ssize_t n = -1;
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode))
        while ((n = read(file, block, sizeof block)) > 0 && out->length < MAX_MODULE_BYTES)
            nw_buf_add(out, block, (size_t)n);
    close(file);
    return n == 0;
}

/* Upvalue: modules by name; true while one is being loaded. */
static int safe_require(lua_State *L)
{
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    lua_settop(L, 1);
    check_name(L, name, length);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TLIGHTUSERDATA)
        return luaL_error(L, "module '%s' requires itself in a circle", name);
    if (!lua_isnil(L, -1))
        return 1;
    nw_buf *text = bind_new_text(L);
    lua_engine *engine = bind_engine(L);
    int file = open_module(engine->folder, name);
    if (file < 0)
        return luaL_error(L, "module '%s' is not in the script's folder", name);
    if (!read_module(file, text))
        return luaL_error(L, "module '%s' cannot be read, or is larger than 4 MiB", name);
    bind_charge(L, (int64_t)text->length);
    lua_pushstring(L, name);
    const char *path = luaL_gsub(L, name, ".", "/");
    const char *chunk =
        lua_pushfstring(L, "@%s%s%s.lua", engine->folder, *engine->folder ? "/" : "", path);
    if (luaL_loadbufferx(L, nw_buf_text(text), text->length, chunk, "t") != LUA_OK)
        return lua_error(L);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, engine);
    lua_rawset(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) { /* a later try starts anew */
        lua_pushvalue(L, 1);
        lua_pushnil(L);
        lua_rawset(L, lua_upvalueindex(1));
        return lua_error(L);
    }
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, lua_upvalueindex(1));
    return 1;
}

void bind_open_require(lua_State *L)
{
    lua_newtable(L);
    lua_pushcclosure(L, safe_require, 1);
    lua_setglobal(L, "require");
}
