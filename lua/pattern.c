/* pattern.c - string.find, match, gmatch and gsub with a limit of steps.
 *
 * Lua's own matcher backtracks without end in sight and no hook reaches it. This one knows the same
 * patterns (Lua 5.4 manual, section 6.4.1), counts its steps, stops the call beyond STEPS_BASE +
 * STEPS_PER_BYTE a byte of text, and charges the steps to the script's budget.
 */
#define _GNU_SOURCE /* memmem, which is linear */
#include <ctype.h>
#include <string.h>

#include "lua/bind.h"

#define MAX_DEPTH      200
#define MAX_CAPTURES   32
#define STEPS_BASE     5000000
#define STEPS_PER_BYTE 16
#define UNIT_STEPS     2 /* steps a unit of the budget */
#define CHARGE_STEPS   10000

enum { OPEN = -1, POSITION = -2 };

typedef struct matcher {
    lua_State *L;
    const char *text, *end, *pattern_end;
    int64_t steps, charged, max_steps;
    int depth, n_captures;
    struct {
        const char *start;
        ptrdiff_t length; /* or OPEN, POSITION */
    } captures[MAX_CAPTURES];
} matcher;

static const char *match(matcher *m, const char *s, const char *p);

static void charge(matcher *m)
{
    int64_t units = (m->steps - m->charged) / UNIT_STEPS;
    m->charged = m->steps;
    bind_charge(m->L, units);
}

/* Charged on the way: a call that ends in an error has worked all the same. */
static void step(matcher *m, int64_t n)
{
    m->steps += n;
    if (m->steps - m->charged > CHARGE_STEPS)
        charge(m);
    if (m->steps > m->max_steps)
        luaL_error(m->L, "pattern takes too many steps on this text; make it less ambiguous");
}

static void begin(matcher *m, lua_State *L, const char *text, size_t length, const char *pattern,
                  size_t pattern_length)
{
    memset(m, 0, offsetof(matcher, captures));
    m->L = L;
    m->text = text;
    m->end = text + length;
    m->pattern_end = pattern + pattern_length;
    m->max_steps = STEPS_BASE + STEPS_PER_BYTE * (int64_t)length;
}

static const char *match_from(matcher *m, const char *s, const char *p)
{
    m->depth = 0;
    m->n_captures = 0;
    return match(m, s, p);
}

/* ---- single characters ---- */

/* One behind the character class that begins at p. */
static const char *class_end(matcher *m, const char *p)
{
    const char *start = p;
    if (*p++ == '%') {
        if (p == m->pattern_end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (p[-1] != '[')
        return p;
    if (p < m->pattern_end && *p == '^')
        p++;
    do { /* the first character may be a ']' */
        if (p == m->pattern_end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == '%' && p < m->pattern_end)
            p++;
    } while (p == m->pattern_end || *p != ']');
    step(m, p - start);
    return p + 1;
}

static bool is_in_class(int c, int class)
{
    bool is_in;
    switch (tolower(class)) {
    case 'a':
        is_in = isalpha(c);
        break;
    case 'c':
        is_in = iscntrl(c);
        break;
    case 'd':
        is_in = isdigit(c);
        break;
    case 'g':
        is_in = isgraph(c);
        break;
    case 'l':
        is_in = islower(c);
        break;
    case 'p':
        is_in = ispunct(c);
        break;
    case 's':
        is_in = isspace(c);
        break;
    case 'u':
        is_in = isupper(c);
        break;
    case 'w':
        is_in = isalnum(c);
        break;
    case 'x':
        is_in = isxdigit(c);
        break;
    default:
        return class == c;
    }
    return isupper(class) ? !is_in : is_in;
}

/* Whether c is in the set from '[' at p to ']' at last. */
static bool is_in_set(matcher *m, int c, const char *p, const char *last)
{
    bool is_in = true;
    step(m, (last - p) / 4);
    if (p[1] == '^') {
        is_in = false;
        p++;
    }
    while (++p < last) {
        if (*p == '%') {
            p++;
            if (is_in_class(c, (unsigned char)*p))
                return is_in;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)*p <= c && c <= (unsigned char)p[2])
                return is_in;
            p += 2;
        } else if ((unsigned char)*p == c) {
            return is_in;
        }
    }
    return !is_in;
}

static bool is_single_match(matcher *m, const char *s, const char *p, const char *p_end)
{
    step(m, 1);
    if (s >= m->end)
        return false;
    int c = (unsigned char)*s;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return is_in_class(c, (unsigned char)p[1]);
    case '[':
        return is_in_set(m, c, p, p_end - 1);
    default:
        return (unsigned char)*p == c;
    }
}

/* ---- items ---- */

static const char *match_balance(matcher *m, const char *s, const char *p)
{
    if (p >= m->pattern_end - 1)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->end || *s != *p)
        return NULL;
    int depth = 1;
    for (const char *at = s + 1; at < m->end; at++) {
        step(m, 1);
        if (*at == p[1]) {
            if (--depth == 0)
                return at + 1;
        } else if (*at == *p) {
            depth++;
        }
    }
    return NULL;
}

static const char *match_most(matcher *m, const char *s, const char *p, const char *p_end)
{
    ptrdiff_t n = 0;
    while (is_single_match(m, s + n, p, p_end))
        n++;
    for (; n >= 0; n--) {
        const char *found = match(m, s + n, p_end + 1);
        if (found)
            return found;
    }
    return NULL;
}

static const char *match_least(matcher *m, const char *s, const char *p, const char *p_end)
{
    for (;;) {
        const char *found = match(m, s, p_end + 1);
        if (found)
            return found;
        if (!is_single_match(m, s, p, p_end))
            return NULL;
        s++;
    }
}

static const char *open_capture(matcher *m, const char *s, const char *p, ptrdiff_t what)
{
    if (m->n_captures >= MAX_CAPTURES)
        luaL_error(m->L, "too many captures");
    m->captures[m->n_captures].start = s;
    m->captures[m->n_captures++].length = what;
    const char *found = match(m, s, p);
    if (!found)
        m->n_captures--;
    return found;
}

static const char *close_capture(matcher *m, const char *s, const char *p)
{
    int i = m->n_captures - 1;
    while (i >= 0 && m->captures[i].length != OPEN)
        i--;
    if (i < 0)
        luaL_error(m->L, "invalid pattern capture");
    m->captures[i].length = s - m->captures[i].start;
    const char *found = match(m, s, p);
    if (!found)
        m->captures[i].length = OPEN;
    return found;
}

static const char *match_again(matcher *m, const char *s, int digit)
{
    int i = digit - '1';
    if (i < 0 || i >= m->n_captures || m->captures[i].length == OPEN)
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    ptrdiff_t length = m->captures[i].length;
    if (length == POSITION) /* no text to find again */
        return NULL;
    step(m, length / 16);
    if (m->end - s >= length && memcmp(m->captures[i].start, s, (size_t)length) == 0)
        return s + length;
    return NULL;
}

static bool is_frontier(matcher *m, const char *s, const char *p, const char *p_end)
{
    int before = s == m->text ? 0 : (unsigned char)s[-1];
    int here = s < m->end ? (unsigned char)*s : 0;
    return !is_in_set(m, before, p, p_end - 1) && is_in_set(m, here, p, p_end - 1);
}

/* What stands at p with a meaning of its own. True: *result is the answer of the whole rest;
 * false: go on at *s, *p, or, if *p did not move, match a single character there. */
static bool match_special(matcher *m, const char **s, const char **p, const char **result)
{
    const char *at = *p;
    if (*at == '(') {
        bool is_position = at + 1 < m->pattern_end && at[1] == ')';
        *result = open_capture(m, *s, at + 1 + is_position, is_position ? POSITION : OPEN);
        return true;
    }
    if (*at == ')') {
        *result = close_capture(m, *s, at + 1);
        return true;
    }
    if (*at == '$' && at + 1 == m->pattern_end) {
        *result = *s == m->end ? *s : NULL;
        return true;
    }
    if (*at != '%' || at + 1 >= m->pattern_end)
        return false;
    const char *next = NULL;
    if (at[1] == 'b') {
        next = match_balance(m, *s, at + 2);
        *p = at + 4;
    } else if (at[1] == 'f') {
        if (at + 2 >= m->pattern_end || at[2] != '[')
            luaL_error(m->L, "missing '[' after '%%f' in pattern");
        *p = class_end(m, at + 2);
        next = is_frontier(m, *s, at + 2, *p) ? *s : NULL;
    } else if (isdigit((unsigned char)at[1])) {
        next = match_again(m, *s, (unsigned char)at[1]);
        *p = at + 2;
    } else {
        return false;
    }
    *result = NULL;
    if (!next)
        return true;
    *s = next;
    return false;
}

/* One character class with its suffix: as match_special, but always moves or answers. */
static bool match_class(matcher *m, const char **s, const char **p, const char **result)
{
    const char *p_end = class_end(m, *p);
    char suffix = p_end < m->pattern_end ? *p_end : '\0';
    if (suffix == '*' || suffix == '-') {
        *result = suffix == '*' ? match_most(m, *s, *p, p_end) : match_least(m, *s, *p, p_end);
        return true;
    }
    bool is_match = is_single_match(m, *s, *p, p_end);
    if (suffix == '+') {
        *result = is_match ? match_most(m, *s + 1, *p, p_end) : NULL;
        return true;
    }
    if (suffix == '?' && is_match) {
        *result = match(m, *s + 1, p_end + 1);
        if (*result)
            return true;
        is_match = false;
    }
    if (!is_match && suffix != '?') {
        *result = NULL;
        return true;
    }
    *s += is_match;
    *p = suffix == '?' ? p_end + 1 : p_end;
    return false;
}

/* The end of the match of pattern p at s, or NULL. */
static const char *match(matcher *m, const char *s, const char *p)
{
    if (++m->depth > MAX_DEPTH)
        luaL_error(m->L, "pattern too complex");
    const char *result = NULL;
    for (;;) {
        step(m, 1);
        if (p == m->pattern_end) {
            result = s;
            break;
        }
        const char *before = p;
        if (match_special(m, &s, &p, &result) || (p == before && match_class(m, &s, &p, &result)))
            break;
    }
    m->depth--;
    return result;
}

/* ---- results ---- */

static void push_capture(matcher *m, int i, const char *s, const char *e)
{
    if (i >= m->n_captures) {
        if (i != 0)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, s, (size_t)(e - s));
        return;
    }
    ptrdiff_t length = m->captures[i].length;
    if (length == OPEN)
        luaL_error(m->L, "unfinished capture");
    if (length == POSITION)
        lua_pushinteger(m->L, m->captures[i].start - m->text + 1);
    else
        lua_pushlstring(m->L, m->captures[i].start, (size_t)length);
}

/* All captures, or the whole match where there are none and s is given. */
static int push_captures(matcher *m, const char *s, const char *e)
{
    int n = m->n_captures == 0 && s ? 1 : m->n_captures;
    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++)
        push_capture(m, i, s, e);
    return n;
}

/* ---- functions ---- */

static size_t start_index(lua_Integer at, size_t length)
{
    if (at > 0)
        return (size_t)at - 1;
    if (at == 0 || at < -(lua_Integer)length)
        return 0;
    return length + (size_t)at;
}

static int find_plain(lua_State *L, const char *text, size_t length, size_t from,
                      const char *pattern, size_t pattern_length)
{
    bind_charge(L, (int64_t)(length - from + pattern_length) / 8);
    const char *found =
        pattern_length ? memmem(text + from, length - from, pattern, pattern_length) : text + from;
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (lua_Integer)pattern_length);
    return 2;
}

static int search(lua_State *L, bool is_find)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    size_t from = start_index(luaL_optinteger(L, 3, 1), length);
    if (from > length) {
        lua_pushnil(L);
        return 1;
    }
    if (is_find && (lua_toboolean(L, 4) || !memchr(pattern, '\0', pattern_length))) {
        if (lua_toboolean(L, 4) || !strpbrk(pattern, "^$*+?.([%-"))
            return find_plain(L, text, length, from, pattern, pattern_length);
    }
    matcher m;
    bool is_anchored = pattern_length && *pattern == '^';
    begin(&m, L, text, length, pattern, pattern_length);
    for (const char *s = text + from; s <= m.end; s++) {
        const char *e = match_from(&m, s, pattern + is_anchored);
        if (e) {
            charge(&m);
            if (!is_find)
                return push_captures(&m, s, e);
            lua_pushinteger(L, s - text + 1);
            lua_pushinteger(L, e - text);
            return push_captures(&m, NULL, NULL) + 2;
        }
        if (is_anchored)
            break;
    }
    charge(&m);
    lua_pushnil(L);
    return 1;
}

static int pattern_find(lua_State *L)
{
    return search(L, true);
}

static int pattern_match(lua_State *L)
{
    return search(L, false);
}

/* Upvalues: text, pattern, where to go on, end of the last match (-1: none). */
static int next_match(lua_State *L)
{
    size_t length, pattern_length;
    const char *text = lua_tolstring(L, lua_upvalueindex(1), &length);
    const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
    size_t from = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
    matcher m;
    begin(&m, L, text, length, pattern, pattern_length);
    for (; from <= length; from++) {
        const char *e = match_from(&m, text + from, pattern);
        if (!e || e - text == last)
            continue;
        lua_pushinteger(L, e - text);
        lua_copy(L, -1, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        charge(&m);
        return push_captures(&m, text + from, e);
    }
    lua_pushinteger(L, (lua_Integer)length + 1);
    lua_replace(L, lua_upvalueindex(3));
    charge(&m);
    return 0;
}

static int pattern_gmatch(lua_State *L)
{
    size_t length;
    luaL_checklstring(L, 1, &length);
    luaL_checkstring(L, 2);
    size_t from = start_index(luaL_optinteger(L, 3, 1), length);
    lua_settop(L, 2);
    lua_tostring(L, 1);
    lua_tostring(L, 2);
    lua_pushinteger(L, (lua_Integer)(from > length ? length + 1 : from));
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, next_match, 4);
    return 1;
}

static void add_template(matcher *m, luaL_Buffer *out, const char *s, const char *e)
{
    size_t length;
    const char *text = lua_tolstring(m->L, 3, &length), *end = text + length;
    for (const char *t = text; t < end; t++) {
        step(m, 1);
        if (*t != '%') {
            luaL_addchar(out, *t);
            continue;
        }
        t++;
        if (t < end && *t == '%') {
            luaL_addchar(out, '%');
        } else if (t < end && *t == '0') {
            luaL_addlstring(out, s, (size_t)(e - s));
        } else if (t < end && isdigit((unsigned char)*t)) {
            push_capture(m, *t - '1', s, e);
            luaL_tolstring(m->L, -1, NULL);
            lua_remove(m->L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
}

/* True if the match was replaced by something else. */
static bool add_replacement(matcher *m, luaL_Buffer *out, const char *s, const char *e, int type)
{
    lua_State *L = m->L;
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, s, e), 1);
    } else if (type == LUA_TTABLE) {
        push_capture(m, 0, s, e);
        lua_gettable(L, 3);
    } else {
        add_template(m, out, s, e);
        return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, s, (size_t)(e - s));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(out);
    return true;
}

static int pattern_gsub(lua_State *L)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    int type = lua_type(L, 3);
    luaL_argexpected(L,
                     type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
                         type == LUA_TTABLE,
                     3, "string/function/table");
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)length + 1), n = 0;
    bool is_anchored = pattern_length && *pattern == '^', is_changed = false;
    const char *s = text, *last = NULL;
    matcher m;
    luaL_Buffer out;
    begin(&m, L, text, length, pattern, pattern_length);
    luaL_buffinit(L, &out);
    while (n < max) {
        const char *e = match_from(&m, s, pattern + is_anchored);
        if (e && e != last) {
            n++;
            is_changed |= add_replacement(&m, &out, s, e, type);
            s = last = e;
        } else if (s < m.end) {
            luaL_addchar(&out, *s++);
        } else {
            break;
        }
        if (is_anchored)
            break;
    }
    charge(&m);
    if (is_changed) {
        luaL_addlstring(&out, s, (size_t)(m.end - s));
        luaL_pushresult(&out);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, n);
    return 2;
}

void bind_open_patterns(lua_State *L)
{
    static const luaL_Reg functions[] = {{"find", pattern_find},
                                         {"match", pattern_match},
                                         {"gmatch", pattern_gmatch},
                                         {"gsub", pattern_gsub},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
