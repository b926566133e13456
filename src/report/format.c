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

typedef struct unit {
    double size;
    const char *name;
} unit;

/* The largest unit of which there is at least one; the last is for everything smaller. */
static const char *with_unit(double value, const unit *units, int n_units, char *dst, size_t size)
{
    int i = 0;
    while (i < n_units - 1 && value < units[i].size)
        i++;
    double scaled = value / units[i].size;
    int digits = units[i].size == 1 || scaled >= 1000 ? 0
                 : scaled >= 100                      ? 1
                 : scaled >= 10                       ? 2
                                                      : 3;
    snprintf(dst, size, "%.*f %s", digits, scaled, units[i].name);
    return dst;
}

const char *nw_format_time(int64_t ps, char *dst, size_t size)
{
    static const unit units[] = {{1e12, "s"}, {1e9, "ms"}, {1e6, "us"}, {1e3, "ns"}};
    return with_unit((double)ps, units, 4, dst, size);
}

const char *nw_format_bytes(int64_t n_bytes, char *dst, size_t size)
{
    static const unit units[] = {{1073741824, "GiB"}, {1048576, "MiB"}, {1024, "KiB"}, {1, "B"}};
    return with_unit((double)n_bytes, units, 4, dst, size);
}

const char *nw_format_count(int64_t n, char *dst, size_t size)
{
    static const unit units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    with_unit((double)n, units, 5, dst, size);
    size_t length = strlen(dst);
    if (length && dst[length - 1] == ' ')
        dst[length - 1] = '\0';
    return dst;
}

const char *nw_format_energy(int64_t fj, char *dst, size_t size)
{
    static const unit units[] = {{1e15, "J"}, {1e12, "mJ"}, {1e9, "uJ"}, {1e6, "nJ"}, {1e3, "pJ"}};
    return with_unit((double)fj, units, 5, dst, size);
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
