/* console.c - lines typed at a prompt: evaluate, complete, say what a call wants.
 */
#include <ctype.h>
#include <string.h>

#include "lua/bind.h"

#define MAX_ROWS     200                /* of a result that is shown */
#define RESULT_BYTES ((int64_t)1 << 20) /* of memory to show them, beyond the limit */
#define MAX_TEXT     20000              /* bytes of a result */
#define MAX_SCALAR   32                 /* of a list shown on one line */

/* ---- results ---- */

static void add_scalar(lua_State *L, int index, nw_buf *out)
{
    size_t length;
    bool is_text = lua_type(L, index) == LUA_TSTRING;
    const char *text = luaL_tolstring(L, index, &length);
    if (is_text && !memchr(text, '\n', length)) {
        nw_buf_puts(out, "\"");
        bind_add_visible(out, text, length < MAX_TEXT ? length : MAX_TEXT);
        nw_buf_puts(out, length < MAX_TEXT ? "\"" : "...");
    } else {
        bind_add_visible(out, text, length < MAX_TEXT ? length : MAX_TEXT);
        nw_buf_puts(out, length < MAX_TEXT ? "" : "...");
    }
    lua_pop(L, 1);
}

/* A list of tables: at most MAX_ROWS of them as a table. */
static void add_rows(lua_State *L, lua_Integer n, nw_buf *out)
{
    lua_newtable(L);
    for (lua_Integer i = 1; i <= n && i <= MAX_ROWS; i++) {
        lua_rawgeti(L, -2, i);
        lua_rawseti(L, -2, i);
    }
    bind_add_table(L, lua_gettop(L), 0, out);
    lua_pop(L, 1);
    if (n > MAX_ROWS)
        nw_buf_printf(out, "... %lld rows more\n", (long long)(n - MAX_ROWS));
}

static void add_list(lua_State *L, lua_Integer n, nw_buf *out)
{
    nw_buf_puts(out, "{");
    for (lua_Integer i = 1; i <= n && i <= MAX_SCALAR; i++) {
        nw_buf_puts(out, i > 1 ? ", " : "");
        lua_rawgeti(L, -1, i);
        if (lua_istable(L, -1))
            nw_buf_puts(out, "{...}");
        else
            add_scalar(L, lua_gettop(L), out);
        lua_pop(L, 1);
    }
    if (n > MAX_SCALAR)
        nw_buf_printf(out, ", ... %lld more", (long long)(n - MAX_SCALAR));
    nw_buf_puts(out, "}\n");
}

/* One row a key, as a table of two columns. */
static void add_record(lua_State *L, nw_buf *out)
{
    static const char by_key[] = "table.sort(..., function(a, b) return a[1] < b[1] end)";
    lua_Integer n = 0;
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
        if (n == MAX_ROWS)
            continue;
        lua_createtable(L, 2, 0); /* table, rows, key, value, row */
        luaL_tolstring(L, -3, NULL);
        lua_rawseti(L, -2, 1);
        if (lua_istable(L, -2))
            lua_pushliteral(L, "{...}");
        else
            luaL_tolstring(L, -2, NULL);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -4, ++n);
    }
    if (luaL_loadstring(L, by_key) == LUA_OK) { /* unsorted if the script has spoiled table */
        lua_pushvalue(L, -2);
        if (lua_pcall(L, 1, 0, 0) == LUA_OK)
            lua_pushnil(L);
    }
    lua_pop(L, 1);
    bind_add_pairs(L, lua_gettop(L), out);
    lua_pop(L, 1);
}

static const bind_type *type_of(lua_State *L, int index)
{
    for (const bind_type *const *type = bind_types; *type; type++)
        if (luaL_testudata(L, index, (*type)->name))
            return *type;
    return NULL;
}

/* An object's fields, one a line. */
static void add_object(lua_State *L, const bind_type *type, nw_buf *out)
{
    for (const bind_row *row = type->rows; row->name; row++) {
        if (!row->is_field)
            continue;
        nw_buf_printf(out, "  %-26s ", row->name);
        lua_pushcfunction(L, row->function);
        lua_pushvalue(L, -2);
        lua_call(L, 1, 1);
        if (lua_isnil(L, -1))
            nw_buf_puts(out, "?");
        else
            add_scalar(L, lua_gettop(L), out);
        nw_buf_puts(out, "\n");
        lua_pop(L, 1);
    }
}

/* The value at the top. */
static void add_result(lua_State *L, nw_buf *out)
{
    const bind_type *type = type_of(L, -1);
    if (!lua_istable(L, -1)) {
        add_scalar(L, lua_gettop(L), out);
        if (!out->length || out->text[out->length - 1] != '\n')
            nw_buf_puts(out, "\n");
        if (type && !strstr(nw_buf_text(out), "(closed)"))
            add_object(L, type, out);
        return;
    }
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    if (n == 0) {
        lua_pushnil(L);
        if (lua_next(L, -2)) {
            lua_pop(L, 2);
            add_record(L, out);
        } else {
            nw_buf_puts(out, "{}\n");
        }
        return;
    }
    bool is_rows = true;
    for (lua_Integer i = 1; i <= n && i <= MAX_ROWS && is_rows; i++) {
        is_rows = lua_rawgeti(L, -1, i) == LUA_TTABLE;
        lua_pop(L, 1);
    }
    if (is_rows)
        add_rows(L, n, out);
    else
        add_list(L, n, out);
}

/* ---- evaluating ---- */

typedef struct line {
    const char *text;
    nw_buf *out;
    size_t *replace_from;
    bool is_incomplete;
} line;

/* Pushes the compiled text, as an expression if it is one; false: a message instead. */
static bool compile(lua_State *L, line *job)
{
    const char *expression = lua_pushfstring(L, "return %s", job->text);
    if (luaL_loadbufferx(L, expression, strlen(expression), "=console", "t") == LUA_OK)
        return true;
    lua_pop(L, 1);
    if (luaL_loadbufferx(L, job->text, strlen(job->text), "=console", "t") == LUA_OK)
        return true;
    const char *message = lua_tostring(L, -1);
    size_t length = strlen(message);
    job->is_incomplete = length >= 5 && strcmp(message + length - 5, "<eof>") == 0;
    return false;
}

static int evaluate(lua_State *L)
{
    line *job = lua_touserdata(L, 1);
    if (!compile(L, job))
        return job->is_incomplete ? 0 : lua_error(L);
    int top = lua_gettop(L) - 1;
    bind_engine(L)->reserve_bytes = 0;
    lua_call(L, 0, LUA_MULTRET);
    bind_engine(L)->reserve_bytes = RESULT_BYTES;
    int n = lua_gettop(L) - top;
    if (n == 1 && lua_isnil(L, -1))
        n = 0;
    nw_buf *out = bind_new_text(L);
    for (int i = 1; i <= n && i <= MAX_ROWS; i++) {
        lua_pushvalue(L, top + i);
        luaL_checkstack(L, 24, NULL);
        add_result(L, out);
        lua_pop(L, 1);
    }
    nw_buf_add(job->out, nw_buf_text(out), out->length);
    return 0;
}

void lua_engine_evaluate(void *context, nw_session *session, const char *text, nw_buf *out,
                         bool *is_error, bool *is_incomplete)
{
    lua_engine *engine = context;
    nw_buf problem = {0}, results = {0};
    line job = {text, &results, NULL, false};
    nw_session *before = engine->config.session;
    bool was_captured = engine->config.is_captured;
    engine->config.session = session;
    engine->config.is_captured = true;
    nw_buf_clear(&engine->printed);
    nw_status status = bind_run(engine, evaluate, &job, &problem);
    engine->config.session = before;
    engine->config.is_captured = was_captured;
    *is_error = status != NW_OK;
    *is_incomplete = status == NW_OK && job.is_incomplete;
    if (*is_error) /* what was printed stands behind: the first line says what is wrong */
        nw_buf_add(out, nw_buf_text(&problem), problem.length);
    nw_buf_add(out, nw_buf_text(&engine->printed), engine->printed.length);
    nw_buf_add(out, nw_buf_text(&results), results.length);
    nw_buf_clear(&engine->printed);
    nw_buf_fini(&problem);
    nw_buf_fini(&results);
}

/* ---- completing ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Where the dotted name at the end of text begins: "nasw.lo" in "x = nasw.lo". */
static size_t path_start(const char *text, size_t end)
{
    while (end > 0 && (is_word(text[end - 1]) || text[end - 1] == '.' || text[end - 1] == ':'))
        end--;
    return end;
}

/* Replaces the object at the top by its part of that name, without running anything of a script;
 * nil if there is none. */
static void take_part(lua_State *L, const char *name, size_t length)
{
    lua_pushlstring(L, name, length);
    const bind_type *type = type_of(L, -2);
    if (lua_istable(L, -2)) {
        lua_rawget(L, -2);
    } else {
        const bind_row *row = type ? type->rows : NULL;
        while (row && row->name && strcmp(row->name, lua_tostring(L, -1)) != 0)
            row++;
        lua_pop(L, 1);
        lua_pushnil(L);
        if (row && row->name && row->is_field) {
            lua_pop(L, 1);
            lua_pushcfunction(L, row->function);
            lua_pushvalue(L, -2);
            if (lua_pcall(L, 1, 1, 0) != LUA_OK) { /* closed */
                lua_pop(L, 1);
                lua_pushnil(L);
            }
        }
    }
    lua_remove(L, -2);
}

/* Pushes what the dotted name from text[from] to text[to] stands for; the globals if it is empty.
 */
static void push_path(lua_State *L, const char *text, size_t from, size_t to)
{
    lua_pushglobaltable(L);
    while (from < to) {
        size_t length = strcspn(text + from, ".:");
        if (length > to - from)
            length = to - from;
        take_part(L, text + from, length);
        from += length + 1;
    }
}

/* Adds name to the list at the top if it begins with the word. */
static void add_candidate(lua_State *L, const char *name, const char *word)
{
    if (strncmp(name, word, strlen(word)) != 0)
        return;
    lua_pushstring(L, name);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static bool is_name(const char *text)
{
    if (!*text || isdigit((unsigned char)*text))
        return false;
    while (is_word(*text))
        text++;
    return !*text;
}

/* Object, candidates on the stack: adds the object's parts. */
static void add_parts(lua_State *L, const char *word, char separator)
{
    const bind_type *type = type_of(L, -2);
    for (const bind_row *row = type ? type->rows : NULL; row && row->name; row++)
        if (row->hint && row->is_field == (separator == '.'))
            add_candidate(L, row->name, word);
    if (!lua_istable(L, -2))
        return;
    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !is_name(lua_tostring(L, -2)))
            continue;
        lua_pushvalue(L, -3);
        add_candidate(L, lua_tostring(L, -3), word);
        lua_pop(L, 1);
    }
}

static int complete(lua_State *L)
{
    static const char *const keywords[] = {
        "and",      "break",  "do",   "else", "elseif", "end",   "false", "for",
        "function", "goto",   "if",   "in",   "local",  "nil",   "not",   "or",
        "repeat",   "return", "then", "true", "until",  "while", NULL};
    line *job = lua_touserdata(L, 1);
    size_t length = strlen(job->text), word = length, start = path_start(job->text, length);
    while (word > start && is_word(job->text[word - 1]))
        word--;
    *job->replace_from = word;
    push_path(L, job->text, start, word ? word - (word > start) : 0);
    lua_newtable(L);
    add_parts(L, job->text + word, word > start ? job->text[word - 1] : '.');
    for (int i = 0; word == start && length > word && keywords[i]; i++)
        add_candidate(L, keywords[i], job->text + word);
    bind_open_table(L);
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, -1); i++) {
        lua_rawgeti(L, -1, i);
        nw_buf_printf(job->out, "%s\n", lua_tostring(L, -1)); /* raises nothing: it is a text */
        lua_pop(L, 1);
    }
    return 0;
}

void lua_engine_complete(void *context, const char *text, nw_buf *out, size_t *replace_from)
{
    nw_buf ignored = {0};
    *replace_from = strlen(text);
    line job = {text, out, replace_from, false};
    if (bind_run(context, complete, &job, &ignored) != NW_OK)
        *replace_from = strlen(text);
    nw_buf_fini(&ignored);
}

/* ---- hints ---- */

/* Where the call that the end of text stands in opens: its '(' or '{', or -1. Texts are skipped. */
static ptrdiff_t open_call(const char *text)
{
    enum { MAX_OPEN = 64 };
    ptrdiff_t open[MAX_OPEN];
    int n = 0;
    char quote = '\0';
    for (size_t i = 0; text[i]; i++) {
        if (quote) {
            if (text[i] == '\\' && text[i + 1])
                i++;
            else if (text[i] == quote)
                quote = '\0';
        } else if (text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        } else if (strchr("({[", text[i])) {
            if (n < MAX_OPEN)
                open[n++] = (ptrdiff_t)i;
        } else if (strchr(")}]", text[i]) && n > 0) {
            n--;
        }
    }
    while (n > 0 &&
           (text[open[n - 1]] == '[' || open[n - 1] == 0 || !is_word(text[open[n - 1] - 1])))
        n--; /* a table or an index: the call around it */
    return n > 0 ? open[n - 1] : -1;
}

static const bind_row *find_row(const bind_row *rows, const char *name, size_t length)
{
    for (; rows->name; rows++)
        if (strncmp(rows->name, name, length) == 0 && !rows->name[length])
            return rows;
    return NULL;
}

/* The row of the last part of a name: of nasw's functions, or the first type that has it. */
static const bind_row *row_of(const char *path, size_t length)
{
    size_t last = length;
    const bind_row *row = NULL;
    while (last > 0 && is_word(path[last - 1]))
        last--;
    bool is_module = length > 5 && strncmp(path, "nasw.", 5) == 0;
    for (int i = 0; is_module && bind_modules[i] && !row; i++)
        row = find_row(bind_modules[i], path + 5, length - 5);
    if (is_module && !row)
        row = find_row(bind_face_rows, path + 5, length - 5);
    is_module = is_module && last == 5;
    for (int i = 0; last > 0 && !is_module && bind_types[i] && !row; i++)
        row = find_row(bind_types[i]->rows, path + last, length - last);
    return row;
}

void lua_engine_hint(void *context, const char *text, nw_buf *out)
{
    (void)context;
    ptrdiff_t open = open_call(text);
    size_t end = open >= 0 ? (size_t)open : strlen(text);
    size_t start = path_start(text, end);
    const bind_row *row = start < end ? row_of(text + start, end - start) : NULL;
    while (row && !row->hint) /* an alias */
        row--;
    if (row)
        nw_buf_puts(out, row->hint);
}
