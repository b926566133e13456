#include "src/format/timm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/format/format.h"

const char *const nw_timm_type_names[NW_TIMM_TYPES] = {"ir", "ds", "dsa", "er", "cn", "tu", "uir"};

const nw_timm_act nw_timm_acts[NW_TIMM_ACTS] = {
    {"re", NW_OP_RELU, "Relu"},
    {"r6", NW_OP_RELU6, "Relu6"},
    {"hs", NW_OP_HARD_SWISH, "HardSwish"},
    {"sw", NW_OP_SWISH, "Swish"},
    {"mi", NW_OP_COUNT, "Mish"},
};

/* Which blocks an option means something in; in the others timm reads and drops it. */
enum {
    IR = 1 << NW_TIMM_IR,
    DS = 1 << NW_TIMM_DS,
    DSA = 1 << NW_TIMM_DSA,
    ER = 1 << NW_TIMM_ER,
    CN = 1 << NW_TIMM_CN,
    TU = 1 << NW_TIMM_TU,
    UIR = 1 << NW_TIMM_UIR,
    OLD = 1 << NW_TIMM_TYPES, /* the older grammar */
    ATTENTION = 1 << (NW_TIMM_TYPES + 1),
    NEW = OLD - 1
};

typedef enum option_id {
    REPEATS,
    KERNEL,
    STRIDE,
    CHANNELS,
    EXPANSION,
    SQUEEZE,
    START,
    END,
    GROUP_SIZE,
    FORCED,
    RANK_IN,
    RANK_OUT,
    SPACE,
    EXPERTS,
    HEADS,
    KV_STRIDE,
    OLD_IN,
    OLD_OUT,
    OLD_FUSED,
    OLD_PIXEL,
    OPTIONS
} option_id;

typedef struct option_row {
    const char *key;
    option_id id;
    int types, needed; /* sets of types */
} option_row;

static const option_row option_rows[] = {
    {"r", REPEATS, NEW | OLD, NEW | OLD},
    {"k", KERNEL, NEW | OLD, NEW | OLD},
    {"s", STRIDE, NEW | OLD, NEW | OLD},
    {"c", CHANNELS, NEW, NEW},
    {"e", EXPANSION, IR | ER | UIR | OLD, IR | ER | UIR | OLD},
    {"se", SQUEEZE, IR | DS | DSA | ER | UIR | OLD, 0},
    {"a", START, IR | UIR, 0},
    {"p", END, IR | DS | DSA | ER | UIR, 0},
    {"gs", GROUP_SIZE, NEW & ~TU, 0},
    {"fc", FORCED, ER, 0},
    {"ir", RANK_IN, TU, TU},
    {"or", RANK_OUT, TU, TU},
    {"d", SPACE, IR | DS | DSA, 0},
    {"cc", EXPERTS, IR, 0},
    {"h", HEADS, ATTENTION, 0},
    {"v", KV_STRIDE, ATTENTION, 0},
    {"i", OLD_IN, OLD, OLD},
    {"o", OLD_OUT, OLD, OLD},
    {"c", OLD_FUSED, OLD, 0},
    {"f", OLD_FUSED, OLD, 0},
    {"p", OLD_PIXEL, OLD, 0},
};

typedef struct parser {
    nw_timm_net *net;
    nw_error *err;
    const char *text; /* the whole block, printable */
    int line;
    bool starts_stage, has_stages; /* has_stages: the text says where stages begin */
} parser;

static nw_status fail(const parser *in, nw_status status, const char *format, ...) NW_PRINTF(3, 4);
static nw_status fail(const parser *in, nw_status status, const char *format, ...)
{
    char where[160], message[320];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    snprintf(where, sizeof where, "line %d, %s", in->line, in->text);
    return nw_fail(in->err, status, where, "%s", message);
}

static void warn(const parser *in, const char *format, ...) NW_PRINTF(2, 3);
static void warn(const parser *in, const char *format, ...)
{
    char message[320], line[480];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    snprintf(line, sizeof line, "line %d, %s: %s", in->line, in->text, message);
    nw_timm_net *net = in->net;
    if (net->n_warnings == 64)
        return;
    if (!net->warnings)
        net->warnings = nw_arena_alloc(&net->arena, 64 * sizeof *net->warnings);
    net->warnings[net->n_warnings++] = nw_arena_strdup(&net->arena, line);
}

int64_t nw_timm_divisible(double v)
{
    int64_t rounded = (int64_t)(v + 4) / 8 * 8;
    if (rounded < 8)
        rounded = 8;
    return (double)rounded < 0.9 * v ? rounded + 8 : rounded;
}

/* ---- values ---- */

/* Digits only, so that no locale and no sign gets in. */
static bool read_whole(const char *text, int64_t most, int64_t *out)
{
    int64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (*text - '0');
        if (value > most)
            return false;
    }
    *out = value;
    return true;
}

static bool read_real(const char *text, double most, double *out)
{
    double value = 0, scale = 1;
    int n_digits = 0, n_points = 0;
    for (; *text; text++) {
        if (*text == '.' && !n_points++)
            continue;
        if (*text < '0' || *text > '9' || ++n_digits > 15)
            return false;
        value = value * 10 + (*text - '0');
        scale *= n_points ? 10 : 1;
    }
    *out = value / scale; /* both exact below 2^53: the nearest double */
    return n_digits && *out <= most;
}

static bool read_kernels(const char *text, nw_timm_kernels *out)
{
    nw_timm_kernels kernels = {0};
    while (kernels.n < NW_TIMM_MAX_KERNELS) {
        size_t length = strcspn(text, ".");
        char one[8];
        int64_t size;
        snprintf(one, sizeof one, "%.*s", (int)length, text);
        if (length > 6 || !read_whole(one, NW_TIMM_MAX_KERNEL, &size))
            return false;
        kernels.sizes[kernels.n++] = (int)size;
        if (!text[length])
            break;
        text += length + 1;
    }
    if (text[strcspn(text, ".")])
        return false;
    *out = kernels;
    return true;
}

static bool are_odd(const nw_timm_kernels *kernels)
{
    for (int i = 0; i < kernels->n; i++)
        if (kernels->sizes[i] % 2 == 0)
            return false;
    return true;
}

static nw_status set_kernels(const parser *in, const char *token, const char *value,
                             nw_timm_kernels *out, bool may_be_none)
{
    if (!read_kernels(value, out))
        return fail(in, NW_INVALID, "%s: wanted a kernel size up to %d, or a list such as 3.5",
                    token, NW_TIMM_MAX_KERNEL);
    if (may_be_none && out->n == 1 && out->sizes[0] == 0)
        *out = (nw_timm_kernels){0};
    if (!are_odd(out))
        return fail(in, NW_UNSUPPORTED, "%s: only odd kernels keep the size of the map", token);
    return NW_OK;
}

static nw_status set_stride(const parser *in, const char *token, const char *value, bool is_old,
                            nw_timm_block *block)
{
    int64_t stride;
    if (!read_whole(value, 99, &stride))
        return fail(in, NW_INVALID, "%s: wanted a stride of 1 or 2", token);
    if (is_old && strlen(value) == 2) {
        if (value[0] != value[1])
            return fail(in, NW_UNSUPPORTED, "%s: strides of height and width must be equal", token);
        stride = value[0] - '0';
    }
    if (stride != 1 && stride != 2)
        return fail(in, NW_INVALID, "%s: a stride is 1 or 2", token);
    block->stride = (int)stride;
    return NW_OK;
}

static nw_status set_whole(const parser *in, const char *token, const char *value, int64_t least,
                           int64_t most, int64_t *out)
{
    if (!read_whole(value, most, out) || *out < least)
        return fail(in, NW_INVALID, "%s: wanted a whole number from %lld to %lld", token,
                    (long long)least, (long long)most);
    return NW_OK;
}

static nw_status set_real(const parser *in, const char *token, const char *value, double most,
                          bool may_be_none, double *out)
{
    if (!read_real(value, most, out) || (*out <= 0 && !may_be_none))
        return fail(in, NW_INVALID, "%s: wanted a number above 0 and up to %g", token, most);
    return NW_OK;
}

/* ---- options ---- */

static const option_row *find_option(const char *key, int type)
{
    const option_row *other = NULL;
    for (size_t i = 0; i < sizeof option_rows / sizeof *option_rows; i++) {
        if (strcmp(option_rows[i].key, key) != 0)
            continue;
        if (option_rows[i].types & type)
            return &option_rows[i];
        other = other ? other : &option_rows[i];
    }
    return other;
}

/* c1 and f1 of the older grammar: the k x k convolution in the place of both others. */
static nw_status set_fused(const parser *in, const char *token, const char *value,
                           nw_timm_block *block)
{
    int64_t n = 0;
    nw_status status = set_whole(in, token, value, 0, 1, &n);
    if (n)
        block->type = NW_TIMM_ER;
    return status;
}

static nw_status refuse_unless_0(const parser *in, const char *token, const char *value,
                                 const char *why)
{
    return strcmp(value, "0") == 0 ? NW_OK : fail(in, NW_UNSUPPORTED, "%s: %s", token, why);
}

static nw_status set_option(const parser *in, const option_row *row, const char *token,
                            const char *value, bool is_old, nw_timm_block *block)
{
    int64_t n = 0;
    nw_status status = NW_OK;
    switch (row->id) {
    case REPEATS:
        status = set_whole(in, token, value, 1, NW_TIMM_MAX_BLOCKS, &n);
        block->n_repeats = (int)n;
        return status;
    case KERNEL:
        return set_kernels(in, token, value, &block->kernel, block->type == NW_TIMM_UIR);
    case STRIDE:
        return set_stride(in, token, value, is_old, block);
    case CHANNELS:
    case OLD_OUT:
        return set_whole(in, token, value, 1, NW_TIMM_MAX_CHANNELS, &block->out_c);
    case FORCED:
        return set_whole(in, token, value, 0, NW_TIMM_MAX_CHANNELS, &block->forced_c);
    case OLD_IN:
        return set_whole(in, token, value, 1, NW_TIMM_MAX_CHANNELS, &block->forced_c);
    case EXPANSION:
        return set_real(in, token, value, 1024, false, &block->expansion);
    case SQUEEZE:
        return set_real(in, token, value, 1024, true, &block->squeeze);
    case RANK_IN:
        return set_real(in, token, value, 1024, false, &block->rank_in);
    case RANK_OUT:
        return set_real(in, token, value, 1024, false, &block->rank_out);
    case START:
        return set_kernels(in, token, value, &block->start, block->type == NW_TIMM_UIR);
    case END:
        return set_kernels(in, token, value, &block->end, block->type == NW_TIMM_UIR);
    case GROUP_SIZE:
        return set_whole(in, token, value, 0, NW_TIMM_MAX_CHANNELS, &block->group_size);
    case SPACE:
        return refuse_unless_0(in, token, value, "space-to-depth blocks are not built");
    case EXPERTS:
        return refuse_unless_0(in, token, value,
                               "weights mixed from experts (CondConv) differ from image to image; "
                               "no operator here can say that");
    case OLD_FUSED:
        return set_fused(in, token, value, block);
    case OLD_PIXEL:
        return refuse_unless_0(in, token, value, "super-pixel blocks are not built");
    default:
        return NW_OK;
    }
}

/* An option that means something elsewhere. e1 in blocks that do not expand is common and true. */
static nw_status meet_stray(const parser *in, const option_row *row, const char *token,
                            const char *value, bool is_old, const nw_timm_block *block)
{
    double number;
    if (!is_old && (row->id == OLD_IN || row->id == OLD_OUT))
        return fail(in, NW_INVALID,
                    "%s belongs to the older grammar without a block type; timm would ignore it",
                    token);
    if (is_old)
        return fail(in, NW_INVALID, "%s is no option of the older grammar", token);
    if (row->id == EXPANSION && read_real(value, 1, &number) && number == 1)
        return NW_OK;
    warn(in, "%s means nothing in %s blocks and is ignored", token,
         nw_timm_type_names[block->type]);
    return NW_OK;
}

static nw_status read_activation(const parser *in, const char *token, nw_timm_block *block)
{
    for (int i = 0; i < NW_TIMM_ACTS; i++)
        if (strcmp(token + 1, nw_timm_acts[i].letters) == 0) {
            block->act = i;
            return NW_OK;
        }
    return fail(in, NW_INVALID,
                "%s is no activation; there are nre, nr6, nhs, nsw and nmi (timm would skip it)",
                token);
}

static nw_status read_token(const parser *in, const char *token, bool is_old, nw_timm_block *block,
                            unsigned *seen)
{
    if (strcmp(token, "noskip") == 0 || strcmp(token, "skip") == 0) {
        block->no_skip = token[0] == 'n';
        block->skips = !block->no_skip;
        return NW_OK;
    }
    if (token[0] == 'n' && !is_old)
        return read_activation(in, token, block);
    char key[8];
    size_t length = strcspn(token, "0123456789");
    snprintf(key, sizeof key, "%.*s", (int)length, token);
    int type = is_old ? OLD : 1 << block->type;
    const option_row *row = length < sizeof key ? find_option(key, type) : NULL;
    if (!*token)
        return fail(in, NW_INVALID, "there is nothing between two _");
    if (!row)
        return fail(in, NW_INVALID, "%s is no option of a block (timm would ignore it)", token);
    if (!token[length])
        return fail(in, NW_INVALID, "%s has no number behind it", token);
    if (!(row->types & type))
        return meet_stray(in, row, token, token + length, is_old, block);
    if (*seen & 1u << row->id)
        return fail(in, NW_INVALID, "%s: %s is given twice", token, key);
    *seen |= 1u << row->id;
    return set_option(in, row, token, token + length, is_old, block);
}

/* ---- a block ---- */

static nw_status find_type(const parser *in, const char *word, bool *is_old, nw_timm_block *block)
{
    *is_old = word[0] == 'r' && word[1] >= '0' && word[1] <= '9';
    for (int i = 0; i < NW_TIMM_TYPES; i++)
        if (strcmp(word, nw_timm_type_names[i]) == 0) {
            block->type = i;
            return NW_OK;
        }
    if (*is_old)
        return NW_OK;
    if (strcmp(word, "mha") == 0 || strcmp(word, "mqa") == 0)
        return fail(in, NW_UNSUPPORTED, "%s: attention blocks are not built", word);
    return fail(in, NW_INVALID, "%s is no block type; there are ir, ds, dsa, er, cn, tu and uir",
                word);
}

static nw_status check_needed(const parser *in, bool is_old, unsigned seen,
                              const nw_timm_block *block)
{
    int type = is_old ? OLD : 1 << block->type;
    for (size_t i = 0; i < sizeof option_rows / sizeof *option_rows; i++) {
        const option_row *row = &option_rows[i];
        if ((row->needed & type) && !(seen & 1u << row->id))
            return fail(in, NW_INVALID, "has no %s; %s blocks need it", row->key,
                        is_old ? "such" : nw_timm_type_names[block->type]);
    }
    return NW_OK;
}

static void warn_of_traps(const parser *in, const nw_timm_block *block)
{
    if (block->skips && block->type != NW_TIMM_CN)
        warn(in, "skip means nothing in %s blocks and is ignored", nw_timm_type_names[block->type]);
    if (!block->is_exact && nw_timm_divisible((double)block->out_c) != block->out_c)
        warn(in, "c%lld: timm rounds widths to multiples of 8: %lld channels",
             (long long)block->out_c, (long long)nw_timm_divisible((double)block->out_c));
    if (block->stride > 1 && !in->starts_stage && in->has_stages && !block->is_exact)
        warn(in,
             "s%d: timm would make it 1, since only the first block of a line may have a "
             "stride; here it starts a stage",
             block->stride);
}

/* The older grammar knows ir, where the expansion of 1 is left out, and er. */
static void settle_old(nw_timm_block *block)
{
    block->is_exact = true;
    block->group_size = block->type == NW_TIMM_ER ? 0 : 1;
    if (block->type == NW_TIMM_IR && block->expansion == 1)
        block->type = NW_TIMM_DS;
}

static nw_status add_block(const parser *in, const nw_timm_block *block, bool is_old)
{
    nw_timm_net *net = in->net;
    int64_t n_blocks = block->n_repeats;
    for (int i = 0; i < net->n_blocks; i++)
        n_blocks += net->blocks[i].n_repeats;
    if (n_blocks > NW_TIMM_MAX_BLOCKS)
        return fail(in, NW_LIMIT, "the network has more than %d blocks", NW_TIMM_MAX_BLOCKS);
    if (!net->blocks)
        net->blocks = nw_arena_alloc(&net->arena, NW_TIMM_MAX_BLOCKS * sizeof *net->blocks);
    if (!net->n_blocks) {
        net->input_c = is_old ? block->forced_c : 3;
        if (net->input_c != 3)
            warn(in, "i%lld: so many channels has the input, since no stem is added",
                 (long long)net->input_c);
    }
    int64_t coming = net->n_blocks ? net->blocks[net->n_blocks - 1].out_c : net->input_c;
    if (is_old && block->forced_c != coming) {
        if (block->type != NW_TIMM_ER)
            return fail(in, NW_INVALID, "i%lld: %lld channels come from the block before",
                        (long long)block->forced_c, (long long)coming);
        warn(in, "i%lld: %lld channels come in; it expands as if they were %lld",
             (long long)block->forced_c, (long long)coming, (long long)block->forced_c);
    }
    net->is_old = is_old && (net->is_old || !net->n_blocks);
    net->blocks[net->n_blocks] = *block;
    net->blocks[net->n_blocks].starts_stage = in->starts_stage || block->stride > 1;
    net->blocks[net->n_blocks++].line = in->line;
    return NW_OK;
}

static nw_status parse_block(parser *in, const char *bytes, size_t length)
{
    if (length > 120)
        return nw_fail(in->err, NW_INVALID, "", "line %d: a block string has %zu characters",
                       in->line, length);
    char *text = nw_arena_strndup(&in->net->arena, bytes, length);
    char word[128];
    nw_timm_block block = {.text = text, .start = {1, {1}}, .end = {1, {1}}, .expansion = 1};
    unsigned seen = 0;
    bool is_old;
    in->text = text;
    size_t n = strcspn(text, "_");
    snprintf(word, sizeof word, "%.*s", (int)n, text);
    nw_status status = find_type(in, word, &is_old, &block);
    if (status != NW_OK)
        return status;
    if (block.type == NW_TIMM_UIR)
        block.start = block.end = (nw_timm_kernels){0};
    block.group_size = block.type == NW_TIMM_ER || block.type == NW_TIMM_CN ? 0 : 1;
    /* the first word of the older grammar is an option already */
    const char *from = is_old ? text : text[n] ? text + n + 1 : NULL;
    while (status == NW_OK && from) {
        size_t end = strcspn(from, "_");
        snprintf(word, sizeof word, "%.*s", (int)end, from);
        status = read_token(in, word, is_old, &block, &seen);
        from = from[end] ? from + end + 1 : NULL;
    }
    if (status == NW_OK)
        status = check_needed(in, is_old, seen, &block);
    if (status == NW_OK && block.type == NW_TIMM_CN && block.kernel.n != 1)
        status = fail(in, NW_INVALID, "cn blocks have one kernel");
    if (status != NW_OK)
        return status;
    if (is_old)
        settle_old(&block);
    warn_of_traps(in, &block);
    return add_block(in, &block, is_old);
}

/* ---- a text ---- */

static bool is_blank(char c)
{
    return c && strchr(" \t\r,'\"[", c);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static const char *text_of(const nw_file *file)
{
    const char *text = (const char *)file->bytes;
    return file->n_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

/* Whether a block stands behind the end of a line. A chain in one line is no stage of timm's. */
static bool has_stages(const char *s, const char *end)
{
    bool has_block = false, is_ended = false;
    for (; s < end; s++) {
        if (*s == '#')
            while (s + 1 < end && *s != '\n')
                s++;
        if (is_word(*s) && is_ended)
            return true;
        has_block |= is_word(*s);
        is_ended |= has_block && (*s == '\n' || *s == ';' || *s == ']');
    }
    return false;
}

nw_status nw_timm_parse(const nw_file *file, nw_timm_net *out, nw_error *err)
{
    *out = (nw_timm_net){.input_c = 3};
    if (file->n_bytes > NW_TIMM_MAX_BYTES)
        return nw_fail(err, NW_LIMIT, "", "a text of block strings has at most %zu bytes",
                       NW_TIMM_MAX_BYTES);
    parser in = {.net = out, .err = err, .line = 1, .starts_stage = true};
    const char *s = text_of(file), *end = (const char *)file->bytes + file->n_bytes;
    in.has_stages = has_stages(s, end);
    while (s < end) {
        size_t length = 0;
        while (s + length < end && is_word(s[length]))
            length++;
        if (length) {
            nw_status status = parse_block(&in, s, length);
            if (status != NW_OK)
                return status;
            in.starts_stage = false;
            s += length;
        } else if (*s == '#') {
            while (s < end && *s != '\n')
                s++;
        } else if (*s == '\n' || *s == ';' || *s == ']') {
            in.starts_stage = true;
            in.line += *s++ == '\n';
        } else if (is_blank(*s)) {
            s++;
        } else {
            char byte[2] = {*s}, clean[8];
            return nw_fail(err, NW_INVALID, "", "line %d: '%s' has no place in block strings",
                           in.line, nw_text_visible(byte, clean, sizeof clean));
        }
    }
    if (!out->n_blocks)
        return nw_fail(err, NW_INVALID, "", "there is no block string in it");
    return NW_OK;
}

void nw_timm_fini(nw_timm_net *net)
{
    nw_arena_fini(&net->arena);
}

/* The first word decides: a type and options, or an older block's options. */
bool nw_timm_is(const nw_file *file)
{
    const char *s = text_of(file), *end = (const char *)file->bytes + file->n_bytes;
    while (s < end && (is_blank(*s) || *s == '\n' || *s == '#')) {
        if (*s == '#')
            while (s < end && *s != '\n')
                s++;
        s += s < end;
    }
    size_t n_letters = 0, length = 0, n_options = 0;
    while (s + n_letters < end && s[n_letters] >= 'a' && s[n_letters] <= 'z')
        n_letters++;
    if (!n_letters || n_letters > 8)
        return false;
    while (s + length < end && length < 128 && is_word(s[length])) {
        n_options += s[length] == '_' && s + length + 2 < end && s[length + 1] >= 'a' &&
                     s[length + 1] <= 'z';
        length++;
    }
    bool is_old = s[0] == 'r' && n_letters == 1 && length > 1 && s[1] >= '0' && s[1] <= '9';
    return (is_old || (length > n_letters && s[n_letters] == '_')) && n_options >= 2;
}
