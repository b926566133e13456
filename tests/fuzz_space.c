/* Any lines as a space: dimensions ("channels 2 each 16 24"), requirements ("? c2 <= c3") and
 * genomes ("! c2=16"). What is declared seals or is refused; a genome that is read is written the
 * same again, and its network is made or refused, never a crash. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "src/space/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LINES = 8, MAX_WORDS = 8 };

static const nw_arch *make_base(void)
{
    static const char text[] = "cn_r1_k3_s2_c16\nir_r3_k3_s2_e6_c24_se0.25\nir_r2_k5_s1_e3_c40\n"
                               "er_r1_k3_s2_e4_c48";
    nw_error err;
    nw_graph *graph = NULL;
    nw_input_size input = {.name = "", .shape = {4, {1, 3, 32, 32}}};
    nw_file *file = nw_file_from_bytes("base", text, sizeof text - 1);
    nw_status status = nw_timm_read(file, &graph, &err);
    assert(status == NW_OK);
    status = nw_graph_seal(graph, &input, 1, &err);
    assert(status == NW_OK);
    nw_file_release(file);
    return nw_arch_lift(graph);
}

static void declare(nw_space *space, char *line)
{
    nw_option options[MAX_WORDS];
    nw_error err;
    nw_dim_spec spec = {.options = options, .file = "fuzz", .line = 1};
    char *rest = line, *word = strtok_r(rest, " ", &rest);
    spec.kind = word ? nw_dim_kind_find(word) : NW_DIM_COUNT;
    spec.where = strtok_r(rest, " ", &rest);
    while (spec.where && spec.n_options < MAX_WORDS && (word = strtok_r(rest, " ", &rest))) {
        if (strcmp(word, "each") == 0)
            spec.each = true;
        else if (nw_option_read(spec.kind, word, &options[spec.n_options], &err) == NW_OK)
            spec.n_options++;
    }
    int n_before = nw_space_n_dims(space);
    if (nw_space_add(space, &spec, &err) != NW_OK)
        assert(nw_space_n_dims(space) == n_before);
}

static void read_genome(const nw_space *space, const char *text)
{
    uint16_t genome[NW_MAX_DIMS], again[NW_MAX_DIMS];
    nw_error err;
    nw_buf written = {0};
    const nw_arch *arch;
    if (nw_genome_read(space, text, genome, &err) != NW_OK)
        return;
    nw_genome_write(space, genome, &written);
    nw_status status = nw_genome_read(space, nw_buf_text(&written), again, &err);
    assert(status == NW_OK);
    assert(memcmp(genome, again, (size_t)nw_space_n_dims(space) * sizeof *genome) == 0);
    nw_buf_fini(&written);
    if (nw_space_arch(space, genome, &arch, &err) == NW_OK)
        nw_arch_release(arch);
}

static void run(nw_space *space, char **lines, int n)
{
    nw_error err;
    for (int i = 0; i < n; i++) {
        if (lines[i][0] == '?')
            (void)!nw_space_require(space, lines[i] + 1, "fuzz", 2, &err);
        else if (lines[i][0] != '!')
            declare(space, lines[i]);
    }
    if (nw_space_seal(space, &err) != NW_OK)
        return;
    nw_buf text = {0};
    nw_space_size(space, &text);
    nw_buf_fini(&text);
    for (int i = 0; i < n; i++)
        if (lines[i][0] == '!')
            read_genome(space, lines[i] + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest = text, *lines[MAX_LINES];
    int n = 0;
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const nw_arch *base = make_base();
    nw_space *space = nw_space_new("fuzz", base);
    for (char *line; n < MAX_LINES && (line = strtok_r(rest, "\n", &rest));)
        lines[n++] = line;
    run(space, lines, n);
    nw_space_release(space);
    nw_arch_release(base);
    free(text);
    return 0;
}
