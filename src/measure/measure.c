#include "src/measure/measure.h"

#include "src/device/device.h"
#include "src/measure/internal.h"

/* ---- what the hardware makes of a shape ---- */

static double map_bytes(const nw_hw *hw, int64_t h, int64_t w, int64_t c, int bits)
{
    double align = hw->sram.align_channels > 0 ? hw->sram.align_channels : 1;
    double steps = (double)((c + (int64_t)align - 1) / (int64_t)align);
    return (double)h * (double)w * steps * align * bits / 8;
}

/* As far as they fit: the input, what is added to it, the output. */
static void place_maps(const nw_hw *hw, nw_kernel_shape *s)
{
    const nw_kernel_part *first = &s->parts[0], *last = &s->parts[s->n_parts - 1];
    double in = map_bytes(hw, first->in_h, first->in_w, first->in_c, s->bits);
    double out = map_bytes(hw, last->out_h, last->out_w, last->out_c, s->bits);
    double second = s->residual ? out : s->n_maps > 1 ? in : 0;
    if (first->kind == NW_KERNEL_MATMUL)
        second = map_bytes(hw, first->in_h, first->in_c, first->out_c, s->bits);
    double used = 0, room = hw->dram.weights_only ? 0x1p62 : (double)hw->sram.bytes;
    const double sizes[] = {in, second, out};
    nw_place *const places[] = {&s->in_place, &s->residual_place, &s->out_place};
    for (int i = 0; i < 3; i++) {
        bool fits = used + sizes[i] <= room;
        *places[i] = fits ? NW_PLACE_SRAM : NW_PLACE_DRAM;
        used += fits ? sizes[i] : 0;
    }
}

/* Weights as wide as the activations where this hardware has that pair, else of 8 bits. */
static void choose_precision(const nw_hw *hw, int bits, nw_kernel_shape *s)
{
    s->bits = bits;
    s->weight_bits = bits;
    if (nw_hw_precision_rate(hw, bits, bits, false) > 0)
        return;
    if (nw_hw_precision_rate(hw, 8, bits, false) > 0)
        s->weight_bits = 8;
    else if (bits >= 16 && nw_hw_precision_rate(hw, bits, bits, true) > 0)
        s->is_float = 1;
}

/* ---- writing ---- */

static void write_header(const nw_hw *hw, nw_buf *out)
{
    char date[16], name[64];
    nw_buf_printf(out, "# device=%s source=simulated date=%s tool=nasw-%s\n",
                  nw_text_visible(hw->name, name, sizeof name), nw_shapes_date(date, sizeof date),
                  NASW_VERSION);
    nw_shapes_write_names(out);
    nw_buf_puts(out, ",latency_us,compute_cycles,sram_cycles,dram_cycles,total_cycles,tile,"
                     "dram_bytes,sram_bytes\n");
}

static void write_row(const nw_shapes_row *row, const nw_device_cost *cost, nw_buf *out)
{
    nw_shapes_write_row(row, out);
    nw_buf_printf(out, ",%lld.%06lld", (long long)(cost->latency_ps / 1000000),
                  (long long)(cost->latency_ps % 1000000));
    nw_buf_printf(out, ",%lld,%lld,%lld,%lld", (long long)cost->cycles[NW_BOUND_COMPUTE],
                  (long long)cost->cycles[NW_BOUND_SRAM], (long long)cost->cycles[NW_BOUND_DRAM],
                  (long long)cost->total_cycles);
    if (cost->tile.h > 0)
        nw_buf_printf(out, ",%dx%dx%d", (int)cost->tile.h, (int)cost->tile.w, (int)cost->tile.c);
    else
        nw_buf_puts(out, ",-");
    nw_buf_printf(out, ",%lld,%lld\n", (long long)cost->dram_bytes, (long long)cost->sram_bytes);
}

typedef struct simulation {
    const nw_hw *hw;
    nw_buf text;
} simulation;

static nw_status simulate(void *context, nw_shapes_reader *reader, const nw_shapes_row *row)
{
    simulation *s = context;
    nw_shapes_row placed = *row;
    nw_device_cost cost;
    choose_precision(s->hw, row->shape.bits, &placed.shape);
    if (!row->is_placed)
        place_maps(s->hw, &placed.shape);
    placed.is_placed = true;
    nw_device_estimate(s->hw, &placed.shape, &cost);
    if (!cost.is_known)
        return nw_shapes_fail(reader, NW_UNSUPPORTED, "this hardware cannot run the kernel: %s",
                              cost.why);
    write_row(&placed, &cost, &s->text);
    return NW_OK;
}

nw_status nw_measure_shapes(const nw_file *table, const nw_hw *hw, nw_buf *out, nw_error *err)
{
    simulation s = {.hw = hw};
    write_header(hw, &s.text);
    nw_status status = nw_shapes_read(table, simulate, &s, err);
    if (status == NW_OK)
        nw_buf_add(out, nw_buf_text(&s.text), s.text.length);
    nw_buf_fini(&s.text);
    return status;
}
