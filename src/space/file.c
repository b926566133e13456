/* file.c - the space of a file: a declaration, or the usual dimensions of a model.
 */
#include "src/format/format.h"
#include "src/space/space.h"

#define STEP 8 /* of channels, where a model says nothing of spaces */

static nw_status load_model(const char *path, const nw_space **out, nw_error *err)
{
    nw_graph *graph;
    nw_space *space = NULL;
    nw_status status = nw_model_load(path, NULL, 0, &graph, err);
    if (status != NW_OK)
        return status;
    const nw_arch *arch = nw_arch_lift(graph);
    status = nw_space_of_model(arch, STEP, &space, err);
    nw_arch_release(arch);
    if (status == NW_OK) {
        nw_space_set_source(space, path);
        status = nw_space_seal(space, err);
    }
    if (status != NW_OK) {
        nw_space_release(space);
        nw_error_prefix(err, path);
        return status;
    }
    *out = space;
    return NW_OK;
}

nw_status nw_space_load(const char *path, const nw_space_loader *loader, const nw_space **out,
                        nw_error *err)
{
    if (!nw_model_is_script(path))
        return load_model(path, out, err);
    if (!loader)
        return nw_fail(err, NW_UNSUPPORTED, path, "spaces in Lua are not read here");
    return loader->load(loader->context, path, out, err);
}
