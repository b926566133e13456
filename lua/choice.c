/* choice.c - who estimates: estimators that scripts name, opened once.
 *
 * A model file is a megabyte of JSON, so what was opened is kept by choice and hardware and taken
 * again as long as its file is the one that was read. Two estimates of one estimator can be
 * compared with a band of their own (nw_estimate_difference), which is why descriptions with equal
 * figures share one.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lua/bind.h"
#include "src/base/arena.h"

#define N_OPENED        8
#define MAX_REMEMBERED  100000 /* kernels; an estimator forgets them then, a script must not */
#define MAX_MODEL_BYTES ((int64_t)64 << 20)

typedef struct opened {
    const nw_estimator *estimator; /* NULL: free */
    const nw_regression *model;    /* given by the script; NULL: found by choice */
    char *choice, *figures;        /* choice NULL: the default */
    struct stat file;              /* that was read; st_ino 0: none */
    int64_t n_kernels;             /* asked for since it forgot */
} opened;

typedef struct bind_opened {
    opened rows[N_OPENED];
    int next; /* to be given up */
} bind_opened;

static bool is_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static char *copy_text(const char *text)
{
    size_t n_bytes = text ? strlen(text) + 1 : 0;
    return text ? memcpy(nw_alloc(n_bytes), text, n_bytes) : NULL;
}

static void give_up(opened *row)
{
    nw_estimator_release(row->estimator);
    free(row->choice);
    free(row->figures);
    *row = (opened){0};
}

void bind_forget_estimators(lua_engine *engine, const nw_regression *regression)
{
    bind_opened *all = engine->opened;
    for (int i = 0; all && i < N_OPENED; i++)
        if (!regression || all->rows[i].model == regression)
            give_up(&all->rows[i]);
    if (regression)
        return;
    free(all);
    engine->opened = NULL;
}

/* ---- files ---- */

static struct stat look_at_file(const char *choice, const nw_hw *hw, const char *search_path)
{
    struct stat file = {0};
    nw_buf path = {0};
    nw_estimator_find_file(choice, hw, search_path, &path);
    if (!path.length || stat(path.text, &file) != 0)
        file.st_ino = 0;
    nw_buf_fini(&path);
    return file;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    if (!a->st_ino && !b->st_ino)
        return true;
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* ---- opening ---- */

/* The row of the wanted one, or NULL. */
static opened *find(bind_opened *all, const opened *wanted)
{
    for (int i = 0; i < N_OPENED; i++) {
        opened *row = &all->rows[i];
        if (row->estimator && row->model == wanted->model &&
            is_equal(row->choice, wanted->choice) && strcmp(row->figures, wanted->figures) == 0)
            return row;
    }
    return NULL;
}

static nw_status open_choice(const lua_config *config, const char *search_path, const nw_hw *hw,
                             opened *wanted, nw_error *err)
{
    if (!config->is_trusted && wanted->file.st_ino && wanted->file.st_size > MAX_MODEL_BYTES)
        return nw_fail(err, NW_LIMIT, wanted->choice ? wanted->choice : hw->name,
                       "the model has more than 64 MiB (--trust lifts the limit)");
    return nw_estimator_open(wanted->choice, hw, search_path, &wanted->estimator, NULL, 0, err);
}

nw_status bind_open_estimator(lua_State *L, int hw, const char *choice, const bind_estimator *model,
                              int n_kernels, const nw_estimator **out, nw_error *err)
{
    lua_engine *engine = bind_engine(L);
    bind_hw *object = lua_touserdata(L, hw);
    const char *path = engine->config.data_path ? engine->config.data_path : "";
    opened wanted = {.model = model ? model->regression : NULL,
                     .choice = (char *)(uintptr_t)choice, /* copied when it is kept */
                     .figures = (char *)(uintptr_t)bind_hw_figures(object)};
    if (!model)
        wanted.file = look_at_file(choice, object->hw, path);
    if (!engine->opened)
        engine->opened = nw_zalloc(sizeof *engine->opened);
    opened *row = find(engine->opened, &wanted);
    if (!row || !is_same_file(&row->file, &wanted.file)) {
        nw_status status = model ? nw_estimator_of(model->regression, model->path, object->hw,
                                                   &wanted.estimator, err)
                                 : open_choice(&engine->config, path, object->hw, &wanted, err);
        if (status != NW_OK)
            return status;
        if (!row)
            row = &engine->opened->rows[engine->opened->next++ % N_OPENED];
        wanted.choice = copy_text(choice);
        wanted.figures = copy_text(wanted.figures);
        give_up(row);
        *row = wanted;
    }
    row->n_kernels += n_kernels;
    if (row->n_kernels > MAX_REMEMBERED) {
        nw_estimator_forget(row->estimator);
        row->n_kernels = n_kernels;
    }
    *out = nw_estimator_retain(row->estimator);
    return NW_OK;
}
