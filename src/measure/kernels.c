/* Kernels of networks as rows of a table: the columns of measure.h, and what else their cost
 * depends on. */
#include <stdlib.h>
#include <time.h>

#include "src/base/table.h"
#include "src/measure/measure.h"

#ifndef NASW_VERSION
#define NASW_VERSION "?"
#endif

void nw_measure_write_head(const nw_hw *hw, nw_buf *out)
{
    char name[64];
    nw_buf_printf(out, "# device=%s source=simulated tool=nasw-%s\n",
                  nw_text_visible(hw->name, name, sizeof name), NASW_VERSION);
    nw_buf_puts(out,
                "network,kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,"
                "stride_w,dilation,groups,bits,act,residual,weight_bits,float,first,maps,"
                "in_dram,second_dram,out_dram,slow_rate,host_elements,host_bytes,latency_us\n");
}

void nw_measure_write_kernel(const nw_hw *hw, const char *network, const nw_kernel_shape *s,
                             int64_t latency_ps, nw_buf *out)
{
    static const char *const acts[] = {"none", "relu", "lut"};
    const nw_kernel_part *first = &s->parts[0], *last = &s->parts[s->n_parts > 1 ? 1 : 0];
    char name[64];
    nw_table_write_cell(out, network);
    nw_buf_printf(out, ",%s", nw_kernel_shape_name(s, name, sizeof name));
    const int64_t sizes[] = {first->in_h,     first->in_w,     first->in_c,       last->out_h,
                             last->out_w,     last->out_c,     first->kernel_h,   first->kernel_w,
                             first->stride_h, first->stride_w, first->dilation_h, first->groups,
                             s->bits};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        nw_buf_printf(out, ",%lld", (long long)sizes[i]);
    nw_buf_printf(out, ",%s,%d,%d,%d,%d,%d,%d,%d,%d,", acts[s->act], (int)s->residual,
                  (int)s->weight_bits, (int)s->is_float, (int)s->is_first, (int)s->n_maps,
                  s->in_place == NW_PLACE_DRAM, s->residual_place == NW_PLACE_DRAM,
                  s->out_place == NW_PLACE_DRAM);
    if (s->slow_op >= 0)
        nw_buf_double(out, hw->ops[s->slow_op].rate);
    nw_buf_printf(out, ",%lld,%lld,", (long long)s->host_elements, (long long)s->host_bytes);
    if (latency_ps >= 0)
        nw_buf_printf(out, "%lld.%06lld", (long long)(latency_ps / 1000000),
                      (long long)(latency_ps % 1000000));
    nw_buf_puts(out, "\n");
}
