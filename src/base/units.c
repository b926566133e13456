#include "src/base/units.h"

#include <stdio.h>
#include <string.h>

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

const char *nw_format_signed(nw_formatter *format, int64_t value, char *dst, size_t size)
{
    char text[32];
    /* the largest negative number has no counterpart */
    format(value < 0 ? (value == INT64_MIN ? INT64_MAX : -value) : value, text, sizeof text);
    snprintf(dst, size, "%s%s", value < 0 ? "-" : value > 0 ? "+" : "", text);
    return dst;
}
