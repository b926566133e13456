/* demo.c - the built-in network: a human-presence detector on inverted bottlenecks, 320x320.
 *
 * MobileNetV2's stages (Sandler et al. 2018, table 2) with SSDLite heads: a 1280-channel
 * convolution, four separable extra layers, and a class and a box head (depthwise 3x3, pointwise)
 * on each of six maps. Made in code, float, without weight values: its cost does not depend on
 * them.
 */
#include "src/format/demo.h"

#include "src/base/error.h"
#include "src/layer/layer.h"

#define N_CLASSES 2 /* background, person */

nw_graph *nw_demo_build(void)
{
    static const struct {
        int expansion, c, n, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    static const int extras[] = {512, 256, 256, 128};
    static const int64_t anchors[] = {3, 6, 6, 6, 6, 6};
    enum { TAP_STAGE = 4, N_MAPS = 6 };
    nw_tensor_id taps[N_MAPS], outs[2];
    int n_taps = 0;
    nw_layers *b = nw_layers_new("demo", 320, 320, 3, NW_OP_RELU6);
    nw_layer_conv(b, &(nw_layer){.name = "stem", .c = 32, .stride = 2});
    for (int i = 0; i < (int)(sizeof stages / sizeof *stages); i++) {
        nw_tensor_id map = nw_layer_block(b, NW_BLOCK_IBN,
                                          &(nw_layer){.c = stages[i].c,
                                                      .expansion = stages[i].expansion,
                                                      .repeats = stages[i].n,
                                                      .stride = stages[i].stride});
        if (i == TAP_STAGE)
            taps[n_taps++] = map;
    }
    taps[n_taps++] = nw_layer_conv(b, &(nw_layer){.name = "last", .c = 1280, .kernel = 1});
    for (int i = 0; i < 4; i++)
        taps[n_taps++] = nw_layer_extra(b, &(nw_layer){.c = extras[i]});
    nw_graph *graph = NULL;
    if (nw_layer_ssd_head(b, taps, anchors, N_MAPS, &(nw_layer){.c = N_CLASSES}, outs)) {
        nw_layers_add_output(b, outs[0]);
        nw_layers_add_output(b, outs[1]);
    }
    nw_error err;
    if (nw_layers_end(b, &graph, &err) != NW_OK)
        nw_die("the built-in network: %s: %s", err.where, err.message);
    return graph;
}
