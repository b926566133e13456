/* The cursor's row for other programs. */
#include <stdio.h>

#include "src/report/report.h"
#include "ui/layers.h"

static void add_number(nw_buf *out, ui_layers_value known, double value)
{
    if (known == UI_LAYERS_KNOWN)
        nw_buf_printf(out, "\t%.15g", value);
    else
        nw_buf_puts(out, known == UI_LAYERS_UNKNOWN ? "\t?" : "\t");
}

char *ui_layers_copy(const ui_layers *layers)
{
    static const struct {
        const char *title;
        ui_layers_column column;
    } numbers[] = {{"latency us", UI_LAYERS_TIME},
                   {"change us", UI_LAYERS_DELTA},
                   {"share %", UI_LAYERS_SHARE},
                   {"utilisation %", UI_LAYERS_UTIL},
                   {"MACs", UI_LAYERS_MACS},
                   {"live KiB", UI_LAYERS_SRAM},
                   {"DRAM traffic KiB", UI_LAYERS_DRAM}};
    const ui_layers_row *row = ui_layers_cursor_row(layers);
    if (!row)
        return NULL;
    nw_buf out = {0};
    char map[96];
    nw_buf_printf(&out, "%s\toutput HxWxC\tname\tbound", row->is_block ? "#\tblock" : "#\tkernel");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        nw_buf_printf(&out, "\t%s", numbers[i].title);
    char number[16];
    snprintf(number, sizeof number, "%d", row->kernel);
    nw_buf_printf(&out, "\twhy\textrapolated\n%s\t%s\t%s\t%s\t%s",
                  row->is_block ? layers->blocks[row->block].label : number, row->kind,
                  row->is_block ? ui_layers_map(layers, row, true, map, sizeof map)
                                : nw_format_map(layers->current->graph,
                                                ui_layers_kernel(layers, row), map, sizeof map),
                  row->name, ui_layers_text(layers, row, UI_LAYERS_BOUND));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double value;
        ui_layers_value known = ui_layers_number(layers, row, numbers[i].column, &value);
        add_number(&out, known, value);
    }
    nw_buf_printf(&out, "\t%s\t%s\n",
                  row->is_block ? row->note
                                : nw_report_why(&layers->current->estimate, row->kernel),
                  ui_layers_is_extrapolated(layers, row) ? "yes" : "no");
    return out.text;
}
