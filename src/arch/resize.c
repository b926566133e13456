#include "src/arch/group.h"

nw_status nw_resize_groups(const nw_groups *groups, const nw_resize *sizes, int n_sizes,
                           nw_graph **out, nw_error *err)
{
    (void)groups, (void)sizes, (void)n_sizes, (void)out;
    return nw_fail(err, NW_UNSUPPORTED, "channels", "cannot be changed by this build");
}

nw_status nw_resize_width(const nw_groups *groups, double factor, int64_t divisor, nw_graph **out,
                          nw_error *err)
{
    (void)groups, (void)factor, (void)divisor, (void)out;
    return nw_fail(err, NW_UNSUPPORTED, "width", "cannot be changed by this build");
}

nw_status nw_resize_resolution(const nw_graph *graph, int64_t height, int64_t width, nw_graph **out,
                               nw_error *err)
{
    (void)graph, (void)height, (void)width, (void)out;
    return nw_fail(err, NW_UNSUPPORTED, "resolution", "cannot be changed by this build");
}
