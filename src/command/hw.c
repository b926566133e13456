#include <stdio.h>
#include <stdlib.h>

#include "src/command/internal.h"
#include "src/hw/hw.h"
#include "src/report/report.h"

static int show_hw(const nw_options *o)
{
    nw_error err;
    nw_hw *hw;
    if (nw_hw_load(o->files[0], o->data_path, &hw, &err) != NW_OK)
        return nw_command_fail(&err);
    char *text = nw_hw_describe(hw);
    nw_buf out = {0};
    nw_buf_printf(&out, "%s\n", text);
    int code = nw_command_print(&out);
    char clean[256];
    if (code == NW_EXIT_DONE)
        fprintf(stderr, "nasw: %s: valid\n", nw_text_visible(hw->path, clean, sizeof clean));
    nw_buf_fini(&out);
    free(text);
    nw_hw_free(hw);
    return code;
}

int nw_command_hw(nw_options *o)
{
    if (o->n_files > 1)
        return nw_command_fail_usage("usage: nasw hw [NAME|FILE]");
    if (o->n_files == 1)
        return show_hw(o);
    nw_buf out = {0};
    nw_error err;
    nw_status status = nw_report_hw_list(o->data_path, &out, &err);
    int code = status == NW_OK ? nw_command_print(&out) : nw_command_fail(&err);
    nw_buf_fini(&out);
    return code;
}
