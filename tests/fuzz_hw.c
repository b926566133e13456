/* Any bytes as a hardware description: an error or a description, never a crash. What was read
 * must describe itself in a way that reads back. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/hw/hw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nw_error err;
    nw_hw *hw;
    if (nw_hw_parse((const char *)data, size, "fuzz", "hw", &hw, &err) != NW_OK)
        return 0;
    char *text = nw_hw_describe(hw);
    nw_hw *again = NULL;
    nw_status status = nw_hw_parse(text, strlen(text), "fuzz", "", &again, &err);
    assert(status == NW_OK || status == NW_LIMIT); /* escapes can take a text over the limit */
    nw_hw_free(again);
    free(text);
    nw_hw_free(hw);
    return 0;
}
