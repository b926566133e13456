/* bind_session.c - the session's actions, what it shows, and the hooks of a workbench.
 */
#include <string.h>

#include "lua/bind.h"

#define UNITS_PER_ACTION 100000 /* an action may read a file and estimate */

/* Files that an untrusted script must not choose freely. */
static bool writes_file(nw_action_id id)
{
    return id == NW_ACTION_SAVE || id == NW_ACTION_EXPORT || id == NW_ACTION_SAVE_SESSION ||
           id == NW_ACTION_RUN_SCRIPT;
}

static nw_status check_path(nw_action_id id, const char *value, nw_error *err)
{
    if (!writes_file(id))
        return NW_OK;
    if (!value)
        return nw_fail(err, NW_INVALID, nw_action_def_of(id)->name,
                       "a script names the file, below the working folder");
    return bind_check_write_path(value, err);
}

/* The session of the engine, or NULL after pushing nil, message, code. */
static nw_session *session_of(lua_State *L)
{
    nw_session *session = bind_engine(L)->config.session;
    if (!session)
        bind_push_failure(L, NW_UNSUPPORTED, "", "no session here");
    return session;
}

static int bind_act(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    nw_action action = {nw_action_find(name), -1, luaL_optstring(L, 2, NULL)};
    if (action.id == NW_ACTION_COUNT)
        return luaL_argerror(L, 1, "no such action; nasw.actions() lists them");
    if (!lua_isnoneornil(L, 3)) {
        lua_Integer target = luaL_checkinteger(L, 3);
        luaL_argcheck(L, target >= 1 && target <= INT32_MAX, 3, "the number of a kernel, from 1");
        action.target = (int)target - 1;
    }
    bind_charge(L, UNITS_PER_ACTION);
    nw_session *session = session_of(L);
    if (!session)
        return 3;
    nw_error err;
    if (!bind_engine(L)->config.is_trusted && check_path(action.id, action.value, &err) != NW_OK)
        return bind_push_error(L, &err);
    if (nw_session_act(session, &action, &err) != NW_OK)
        return bind_push_error(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int bind_actions(lua_State *L)
{
    static const char *const kinds[] = {
        [NW_VALUE_NONE] = "none",
        [NW_VALUE_PATH] = "path",
        [NW_VALUE_HW] = "hw",
        [NW_VALUE_ESTIMATOR] = "estimator",
        [NW_VALUE_PRECISION] = "precision",
        [NW_VALUE_EDIT] = "edit",
        [NW_VALUE_WORDS] = "words",
        [NW_VALUE_TEXT] = "text",
    };
    const nw_session *session = bind_engine(L)->config.session;
    lua_createtable(L, NW_ACTION_COUNT, 0);
    for (int i = 0; i < NW_ACTION_COUNT; i++) {
        const nw_action_def *def = nw_action_def_of((nw_action_id)i);
        char why[256] = "no session here";
        bool is_possible =
            session && nw_action_is_possible(session, (nw_action_id)i, why, sizeof why);
        lua_createtable(L, 0, 6);
        bind_set_text(L, "name", def->name);
        bind_set_text(L, "key", def->key);
        bind_set_text(L, "help", def->help);
        bind_set_text(L, "value", kinds[def->value]);
        lua_pushboolean(L, is_possible);
        lua_setfield(L, -2, "possible");
        bind_set_text(L, "why", is_possible ? "" : why);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int push_point_or_nil(lua_State *L, const nw_point *point)
{
    if (point)
        bind_push_point(L, point);
    else
        lua_pushnil(L);
    return 1;
}

static int bind_current(lua_State *L)
{
    const nw_session *session = bind_engine(L)->config.session;
    return push_point_or_nil(L, session ? nw_session_current(session) : NULL);
}

static int bind_baseline(lua_State *L)
{
    const nw_session *session = bind_engine(L)->config.session;
    return push_point_or_nil(L, session ? nw_session_baseline(session) : NULL);
}

static int bind_messages(lua_State *L)
{
    static const char *const kinds[] = {
        [NW_MESSAGE_INFO] = "info", [NW_MESSAGE_WARNING] = "warning", [NW_MESSAGE_ERROR] = "error"};
    const nw_session *session = bind_engine(L)->config.session;
    int n = 0;
    const nw_message *messages = session ? nw_session_messages(session, &n) : NULL;
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_createtable(L, 0, 3);
        bind_set_text(L, "kind", kinds[messages[i].kind]);
        bind_set_text(L, "text", messages[i].text);
        bind_set_int(L, "unix_time_s", messages[i].unix_time_s);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

const bind_row bind_session_rows[] = {
    {"act", bind_act, false,
     "nasw.act(name [, value [, kernel]]) -> true | nil, message, code: an action by name"},
    {"actions", bind_actions, false,
     "nasw.actions() -> list of {name, key, help, value, possible, why}"},
    {"current", bind_current, false, "nasw.current() -> estimate of what is open, or nil"},
    {"baseline", bind_baseline, false, "nasw.baseline() -> estimate of the baseline, or nil"},
    {"messages", bind_messages, false, "nasw.messages() -> list of {kind, text, unix_time_s}"},
    {NULL, NULL, false, NULL},
};

/* ---- the session as an object ---- */

/* session:save_script([path]): the text, or true once it is written. */
static int session_save_script(lua_State *L)
{
    bind_check(L, 1, &bind_session_type);
    lua_settop(L, 2);
    const nw_session *session = session_of(L);
    if (!session)
        return 3;
    nw_buf *text = bind_new_text(L);
    nw_session_log_lua(session, text);
    if (!lua_isnoneornil(L, 2))
        return bind_write_text(L, 2, nw_buf_text(text), text->length);
    lua_pushlstring(L, nw_buf_text(text), text->length);
    return 1;
}

static int close_session(lua_State *L)
{
    (void)L;
    return 0;
}

static int text_session(lua_State *L)
{
    lua_pushliteral(L, "session");
    return 1;
}

static const bind_row session_rows[] = {
    {"save_script", session_save_script, false,
     "session:save_script([path]) -> its actions as a script, or true once that is written"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_session_type = {"nasw.Session", session_rows, close_session, text_session,
                                     NULL};

/* ---- the workbench's hooks ---- */

static int bind_bind(lua_State *L)
{
    const lua_face *face = bind_engine(L)->config.face;
    const char *key = luaL_checkstring(L, 1), *name = luaL_checkstring(L, 2);
    nw_error err;
    if (face->bind(face->context, key, name, &err) != NW_OK)
        return luaL_error(L, "%s%s%s", err.where, err.where[0] ? ": " : "", err.message);
    return 0;
}

static int bind_theme(lua_State *L)
{
    const lua_face *face = bind_engine(L)->config.face;
    luaL_checktype(L, 1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        nw_error err;
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            return luaL_error(L, "nasw.theme: wanted role = \"colour\"");
        if (face->set_color(face->context, lua_tostring(L, -2), lua_tostring(L, -1), &err) != NW_OK)
            return luaL_error(L, "%s%s%s", err.where, err.where[0] ? ": " : "", err.message);
    }
    return 0;
}

const bind_row bind_face_rows[] = {
    {"bind", bind_bind, false, "nasw.bind(\"f\", \"filter\"): a key for an action or command"},
    {"theme", bind_theme, false, "nasw.theme{better = \"#00afff\"}: colours by role"},
    {NULL, NULL, false, NULL},
};
