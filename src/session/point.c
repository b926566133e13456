/* point.c - models, hardware and estimates that several owners hold on to.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/format/format.h"
#include "src/session/internal.h"

typedef struct owned_point {
    nw_point point; /* first, so that the public pointer is this one */
    atomic_int n_users;
    nw_shared_model *model;
    nw_shared_hw *hw;
    char *precision;
} owned_point;

char *nw_copy_text(const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    return text ? memcpy(nw_alloc(size), text, size) : NULL;
}

/* "mobilenet" of "nets/mobilenet.tflite" and of "nets/mobilenet.nasw.json", printable. */
static char *make_label(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *stem = nw_copy_text(strcmp(path, "-") == 0 ? "stdin" : slash ? slash + 1 : path);
    static const char *const endings[] = {".nasw.json", ".json", ".onnx", ".tflite", ".lua"};
    size_t length = strlen(stem);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (length > n && strcmp(stem + length - n, endings[i]) == 0) {
            stem[length - n] = '\0';
            break;
        }
    }
    size_t size = 4 * strlen(stem) + 1;
    char *label = nw_text_visible(stem, nw_alloc(size), size);
    free(stem);
    return label;
}

nw_status nw_shared_model_load(const char *path, const nw_input_size *sizes, int n_sizes,
                               const nw_model_loader *loader, nw_shared_model **out, nw_error *err)
{
    const nw_arch *arch;
    nw_status status = nw_model_load_arch(path, sizes, n_sizes, loader, &arch, err);
    if (status != NW_OK)
        return status;
    nw_shared_model *model = nw_zalloc(sizeof *model);
    atomic_init(&model->n_users, 1);
    model->arch = arch;
    model->graph = nw_arch_graph(arch);
    model->path = nw_copy_text(path);
    model->label = make_label(path);
    *out = model;
    return NW_OK;
}

nw_shared_model *nw_shared_model_edited(const nw_shared_model *model, const nw_arch *arch)
{
    nw_shared_model *edited = nw_zalloc(sizeof *edited);
    atomic_init(&edited->n_users, 1);
    edited->arch = arch;
    edited->graph = nw_arch_graph(arch);
    edited->path = nw_copy_text(model->path);
    edited->label = nw_copy_text(model->label);
    return edited;
}

nw_shared_model *nw_shared_model_of(const nw_arch *arch, const char *path, const char *label)
{
    nw_shared_model *model = nw_zalloc(sizeof *model);
    atomic_init(&model->n_users, 1);
    model->arch = nw_arch_retain(arch);
    model->graph = nw_arch_graph(arch);
    model->path = nw_copy_text(path);
    model->label = nw_copy_text(label);
    return model;
}

nw_shared_model *nw_shared_model_retain(nw_shared_model *model)
{
    atomic_fetch_add(&model->n_users, 1);
    return model;
}

void nw_shared_model_release(nw_shared_model *model)
{
    if (!model || atomic_fetch_sub(&model->n_users, 1) != 1)
        return;
    nw_arch_release(model->arch);
    free(model->path);
    free(model->label);
    free(model);
}

nw_status nw_shared_hw_load(const char *name, const char *search_path, nw_shared_hw **out,
                            nw_error *err)
{
    nw_hw *hw;
    nw_status status = nw_hw_load(name, search_path, &hw, err);
    if (status != NW_OK)
        return status;
    nw_shared_hw *shared = nw_zalloc(sizeof *shared);
    atomic_init(&shared->n_users, 1);
    shared->hw = hw;
    shared->search_path = nw_copy_text(search_path);
    pthread_mutex_init(&shared->lock, NULL);
    *out = shared;
    return NW_OK;
}

nw_shared_hw *nw_shared_hw_retain(nw_shared_hw *hw)
{
    atomic_fetch_add(&hw->n_users, 1);
    return hw;
}

/* ---- its estimators ---- */

static void drop_opened(nw_opened *o)
{
    nw_estimator_release(o->estimator);
    free(o->choice);
}

static nw_written file_of(const nw_estimator *estimator)
{
    struct stat info;
    return *estimator->path && stat(estimator->path, &info) == 0 ? nw_written_of(&info)
                                                                 : (nw_written){0};
}

static bool is_answer_to(const nw_opened *o, const char *choice)
{
    bool is_default = !*choice || strcmp(choice, "regression") == 0;
    bool was_default = !*o->choice || strcmp(o->choice, "regression") == 0;
    return strcmp(o->choice, choice) == 0 ||
           (is_default && was_default && o->estimator->regression); /* either word finds it */
}

/* NULL: it has to be opened. */
static const nw_estimator *find_opened(nw_shared_hw *hw, const char *choice)
{
    for (int i = 0; i < hw->n_opened; i++) {
        nw_opened *o = &hw->opened[i];
        if (!is_answer_to(o, choice))
            continue;
        nw_written now = file_of(o->estimator);
        if (nw_written_is(&now, &o->file))
            return o->estimator;
        drop_opened(o);
        memmove(o, o + 1, (size_t)(--hw->n_opened - i) * sizeof *o);
        return NULL;
    }
    return NULL;
}

static nw_status open_estimator(nw_shared_hw *hw, const char *choice, const nw_estimator **out,
                                nw_error *err)
{
    nw_status status =
        nw_estimator_open(*choice ? choice : NULL, hw->hw, hw->search_path, out, NULL, 0, err);
    if (status != NW_OK)
        return status;
    if (hw->n_opened == NW_MAX_OPENED) {
        drop_opened(&hw->opened[0]);
        memmove(hw->opened, hw->opened + 1, (size_t)--hw->n_opened * sizeof *hw->opened);
    }
    hw->opened[hw->n_opened++] = (nw_opened){nw_copy_text(choice), *out, file_of(*out)};
    return NW_OK;
}

nw_status nw_shared_hw_estimator(nw_shared_hw *hw, const char *choice, const nw_estimator **out,
                                 nw_error *err)
{
    nw_status status = NW_OK;
    pthread_mutex_lock(&hw->lock);
    const nw_estimator *found = find_opened(hw, choice);
    if (!found)
        status = open_estimator(hw, choice, &found, err);
    if (status == NW_OK)
        *out = nw_estimator_retain(found);
    pthread_mutex_unlock(&hw->lock);
    return status;
}

void nw_shared_hw_release(nw_shared_hw *hw)
{
    if (!hw || atomic_fetch_sub(&hw->n_users, 1) != 1)
        return;
    while (hw->n_opened)
        drop_opened(&hw->opened[--hw->n_opened]);
    nw_hw_free(hw->hw);
    pthread_mutex_destroy(&hw->lock);
    free(hw->search_path);
    free(hw);
}

nw_status nw_point_new(nw_shared_model *model, nw_shared_hw *hw, const char *precision,
                       const char *estimator, const nw_point **out, nw_error *err)
{
    nw_estimate estimate;
    const nw_estimator *opened;
    nw_status status = nw_shared_hw_estimator(hw, estimator, &opened, err);
    if (status != NW_OK)
        return status;
    status = nw_estimate_graph(opened, model->graph, hw->hw, precision, &estimate, err);
    nw_estimator_release(opened);
    if (status != NW_OK)
        return status;
    owned_point *owned = nw_zalloc(sizeof *owned);
    atomic_init(&owned->n_users, 1);
    owned->model = nw_shared_model_retain(model);
    owned->hw = nw_shared_hw_retain(hw);
    owned->precision = nw_copy_text(precision);
    owned->point = (nw_point){.model = model->path,
                              .label = model->label,
                              .arch = model->arch,
                              .graph = model->graph,
                              .hw = hw->hw,
                              .precision = owned->precision,
                              .estimate = estimate};
    *out = &owned->point;
    return NW_OK;
}

/* The count is the one thing about a point that changes. */
static owned_point *owner_of(const nw_point *point)
{
    return (owned_point *)(uintptr_t)point;
}

nw_shared_model *nw_point_model(const nw_point *point)
{
    return owner_of(point)->model;
}

const nw_point *nw_point_retain(const nw_point *point)
{
    if (point)
        atomic_fetch_add(&owner_of(point)->n_users, 1);
    return point;
}

void nw_point_release(const nw_point *point)
{
    owned_point *owned = owner_of(point);
    if (!owned || atomic_fetch_sub(&owned->n_users, 1) != 1)
        return;
    nw_estimate_fini(&owned->point.estimate);
    nw_shared_model_release(owned->model);
    nw_shared_hw_release(owned->hw);
    free(owned->precision);
    free(owned);
}
