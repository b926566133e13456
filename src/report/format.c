#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/report.h"

char *nw_printable(const char *name)
{
    size_t size = 4 * strlen(name) + 1; /* every byte may become \xNN */
    return nw_text_visible(name, nw_alloc(size), size);
}

const char *nw_format_map(const nw_graph *graph, const nw_kernel *kernel, char *dst, size_t size)
{
    const nw_tensor *t = kernel->n_writes ? &graph->tensors[kernel->writes[0]] : NULL;
    if (!t || !nw_shape_is_known(&t->shape)) {
        snprintf(dst, size, "?");
    } else if (t->shape.rank == 4) {
        nw_hwc map = nw_tensor_hwc(graph, kernel->writes[0]);
        snprintf(dst, size, "%lldx%lldx%lld", (long long)map.h, (long long)map.w, (long long)map.c);
    } else {
        size_t used = 0;
        dst[0] = '\0';
        for (int i = t->shape.rank > 1 && t->shape.dims[0] == 1; i < t->shape.rank && used < size;
             i++)
            used += (size_t)snprintf(dst + used, size - used, "%s%lld", used ? "x" : "",
                                     (long long)t->shape.dims[i]);
        if (!dst[0])
            snprintf(dst, size, "1");
    }
    return dst;
}
