#include "src/command/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/command/internal.h"

#ifndef NASW_VERSION
#define NASW_VERSION "?"
#endif

static const nw_command commands[] = {
    {"estimate", nw_command_estimate,
     "nasw estimate FILE --hw NAME [--precision P] [--estimator regression|device|E.json]\n"
     "              [--verify] [--input NAME=1x3x320x320] [--edit E]... [--edits FILE]\n"
     "              [--json|--csv]\n"
     "      where the time of a network goes, kernel by kernel; --verify: by both estimators"},
    {"compare", nw_command_compare,
     "nasw compare A B [...] --hw NAME [--precision P]\n"
     "             [--estimator regression|device|E.json] [--json|--csv|--md]\n"
     "      networks beside each other: totals, stages, blocks, against the first"},
    {"score", nw_command_score,
     "nasw score FILE... [--input NAME=1x3x320x320] [--json]\n"
     "      zero-cost scores of networks: what their form promises, no accuracies"},
    {"space", nw_command_space,
     "nasw space F.lua|MODEL [--hw NAME [--precision P] [--estimator regression|device|E.json]\n"
     "           [--no-curate]] [--trust] [--json]\n"
     "      what may vary in a search space, how many networks that is, and which options the\n"
     "      hardware gives reason to keep"},
    {"landscape", nw_command_landscape,
     "nasw landscape SPACE --hw NAME --x DIM [--y DIM] [--metric M] [--curated]\n"
     "               [--start \"DIM=N DIM=N\"] [--estimator E] [--precision P] [--seed N]\n"
     "               [--json] [--svg OUT]\n"
     "  nasw landscape SPACE --hw NAME --to GENOME [--from GENOME] [--metric M] [...]\n"
     "      two dimensions of a space as MACs, on the hardware, and curated, with a descent on\n"
     "      each; --metric: that metric alone; or from one genome, \"c3=64 v2.0=fused\" (--from:\n"
     "      the base's), to another, a gene at a time. SPACE is a space in Lua or any FILE"},
    {"hw", nw_command_hw,
     "nasw hw [NAME|FILE]\n"
     "      list, show and validate hardware descriptions"},
    {"export", nw_command_export,
     "nasw export FILE -o F.onnx|.json|.py|.txt [--edit E]... [--edits FILE]\n"
     "            [--weights keep|new|none] [--input NAME=1x3x320x320]\n"
     "      write the network as ONNX (weights kept, made up or all 0), as network JSON, as a\n"
     "      PyTorch module or as timm block strings"},
    {"measure", nw_command_measure,
     "nasw measure --hw NAME [--shapes F.csv] [--networks N] [--seed N] -o OUT.csv\n"
     "      measure kernels on the simulated device: those listed, or a plan that covers\n"
     "      real networks\n"
     "  nasw measure --cpu [--shapes F.csv] [--networks N] [--seed N] -o OUT.csv\n"
     "      the same on this CPU; started again, it goes on where it was stopped\n"
     "  nasw measure --emit DIR [--shapes F.csv] [--hw NAME] [--networks N] [--seed N]\n"
     "      write a single-kernel ONNX model for each, to be measured on a real chip"},
    {"fit", nw_command_fit,
     "nasw fit F.csv -o E.json --target COL [--group COL] [--features a,b,c] [--hw NAME]\n"
     "         [--test G.csv] [--network COL --totals NETS.csv --total-target COL] [--seed N]\n"
     "         [--trees N] [--folds N] [--json]\n"
     "      train an estimator on measurements and say how right it is"},
    {"predict", nw_command_predict,
     "nasw predict E.json F.csv [--network COL] -o OUT.csv\n"
     "      add a column `predicted`; with --network a line a network"},
};

const nw_command *nw_command_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int nw_command_print_help(void)
{
    nw_buf out = {0};
    nw_buf_puts(&out, "nasw - neural-architecture search on special-purpose hardware\n\n"
                      "  nasw [FILE] [--hw NAME] [--color=auto|always|never] [--ascii] "
                      "[--no-mouse]\n"
                      "       [--fresh]\n"
                      "      the workbench; nasw --keys prints its keys\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        nw_buf_printf(&out, "  %s\n", commands[i].usage);
    nw_buf_puts(
        &out,
        "  nasw --script F.lua [--trust] [-- ARGS]\n"
        "      run a Lua script on a session; --trust lifts its sandbox\n"
        "\nFILE is an ONNX or TFLite model, a nasw network JSON, a Lua script that returns a\n"
        "network, a text of timm block strings or such a string itself, - for standard\n"
        "input, or demo.\nNAME is a "
        "description listed by nasw hw, or the path of one "
        "(also found in $NASW_DATA).\nP is file (the file's own types), int8, "
        "int16, float16, ...\nE changes blocks: \"variant 2.1 fused\", \"channels * "
        "nearest 32\", \"kernel ibn@1-3 5\", ...;\nFILE of --edits has one a line.\n");
    int code = nw_command_print(&out);
    nw_buf_fini(&out);
    return code;
}

int nw_command_print_version(void)
{
    nw_buf out = {0};
    nw_buf_puts(&out, "nasw " NASW_VERSION "\n");
    int code = nw_command_print(&out);
    nw_buf_fini(&out);
    return code;
}

int nw_command_fail_usage(const char *format, ...)
{
    char raw[512], clean[512];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    fprintf(stderr, "nasw: %s\n", nw_text_visible(raw, clean, sizeof clean));
    return NW_EXIT_USAGE;
}

int nw_command_fail(const nw_error *err)
{
    fprintf(stderr, "nasw: %s%s%s\n", err->where, err->where[0] ? ": " : "", err->message);
    if (err->status == NW_CANCELLED)
        return NW_EXIT_INTERRUPTED;
    return strcmp(err->where, "--precision") == 0 || strncmp(err->where, "--edit:", 7) == 0 ||
                   strcmp(err->where, "--verify") == 0 ||
                   strncmp(err->where, "--estimator", 11) == 0 ||
                   strncmp(err->where, "start", 5) == 0 || strcmp(err->where, "--x") == 0 ||
                   strcmp(err->where, "--y") == 0 || strcmp(err->where, "--metric") == 0 ||
                   strcmp(err->where, "--to") == 0 || strncmp(err->where, "--to:", 5) == 0 ||
                   strncmp(err->where, "--from", 6) == 0 || strcmp(err->where, "--seed") == 0
               ? NW_EXIT_USAGE
               : NW_EXIT_BAD_FILE;
}

int nw_command_print(const nw_buf *buf)
{
    if (fwrite(nw_buf_text(buf), 1, buf->length, stdout) == buf->length && fflush(stdout) == 0)
        return NW_EXIT_DONE;
    fprintf(stderr, "nasw: standard output: cannot write: %s\n", strerror(errno));
    return NW_EXIT_BAD_FILE;
}

int nw_command_screen_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

int nw_command_write(const char *path, const nw_buf *buf)
{
    if (strcmp(path, "-") == 0)
        return nw_command_print(buf);
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(nw_buf_text(buf), 1, buf->length, file) == buf->length;
    if (file && fclose(file) != 0)
        is_written = false;
    if (is_written)
        return NW_EXIT_DONE;
    char clean[256];
    fprintf(stderr, "nasw: %s: cannot write: %s\n", nw_text_visible(path, clean, sizeof clean),
            strerror(errno));
    return NW_EXIT_BAD_FILE;
}
