#!/bin/sh
# The rules of the layers and of the format, checked over the files git knows. Prints each breach
# as FILE:LINE: text and exits 1 if there was one.
set -u
report=$(mktemp) || exit 1
trap 'rm -f "$report"' EXIT

# rule TEXT: reads breaches from standard input.
rule()
{
    found=$(cat)
    [ -z "$found" ] && return
    { echo "$1:"; printf '%s\n' "$found" | sed 's/^/  /'; } >>"$report"
}

files()
{
    git ls-files -- "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done
}

# in FILES... -- PATTERN: lines of the files that match.
all_c=$(files 'src/*.c' 'src/*.h' 'ui/*.c' 'ui/*.h' 'lua/*.c' 'lua/*.h' 'tests/*.c' 'tests/*.h')

include() # PATTERN EXCEPTION: who includes it outside the exception (a regex over paths)
{
    grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$1" $all_c | grep -vE "^($2)"
}

include '(ui|lua)/' 'src/main\.c|ui/|lua/|tests/' | rule 'the core includes no ui and no lua'
include 'lua/' 'src/main\.c|lua/|tests/' | rule 'ui includes no lua'
include 'ui/' 'src/main\.c|ui/|tests/' | rule 'lua includes no ui'
include '(n?curses|ncursesw/)' 'ui/term\.c' | rule 'curses stands in ui/term.c alone'
include 'sqlite3' 'src/store/' | rule 'SQLite stands in src/store alone'
include '(oneapi/)?dnnl' 'src/exec/' | rule 'oneDNN stands in src/exec alone'
include '(protobuf-c/|onnx\.pb-c)' 'src/format/onnx' | rule 'protobuf-c stands in src/format/onnx*.c alone'
include '(lua|lauxlib|lualib)\.h' 'lua/|src/main\.c' | rule 'Lua stands in lua and main.c alone'
include 'xgboost' 'src/estimator/' | rule 'XGBoost stands in src/estimator alone'
grep -nE '#include[[:space:]]*<cjson' $(files '*.h') | rule 'cJSON appears in no header'
# tests may look inside a module, modules may not look inside each other
for header in $(files 'src/*/*.h'); do
    module=$(dirname "$header")
    name=$(basename "$header" .h)
    [ "$module" = src/base ] || [ "$header" = src/graph/op.h ] || [ "$header" = src/session/action.h ] ||
        [ "$header" = src/session/explore.h ] || [ "$header" = src/session/sweep.h ] ||
        [ "$header" = src/estimator/fit.h ] || [ "$header" = src/measure/plan.h ] ||
        [ "$name" = "$(basename "$module")" ] ||
        include "$header" "$module/|tests/"
done | rule "a module's other headers are private to it"

# Includes go up the list only.
order="base graph arch layer format hw kernel exec device measure estimator advise score space plan curate landscape train store search report session command"
rank=0
for module in $order; do
    rank=$((rank + 1))
    below=0
    for other in $order; do
        below=$((below + 1))
        [ $below -gt $rank ] && grep -nE "#include \"src/$other/" $(files "src/$module/*") /dev/null
    done
done | rule 'an include goes down the list of modules in src/DESIGN.md'

grep -nE '\b(strcpy|strcat|sprintf|gets|strtok|alloca)[[:space:]]*\(' $all_c | rule 'unbounded or hidden-state functions'
grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $all_c | rule 'left-over markers'
git ls-files | grep -vE '^(Makefile|README\.md|\.[^/]*|(src|ui|lua|scripts|spaces|hw|tests|\.ci)/.*)$' |
    rule 'files at the top that do not belong there'
for f in $(files '*.sh'); do sh -n "$f" 2>&1; done | rule 'shell syntax'

if command -v clang-format >/dev/null; then
    for f in $all_c; do
        clang-format --style=file "$f" | cmp -s - "$f" || echo "$f"
    done | rule 'not as clang-format 14 lays it out (clang-format -i FILE)'
fi
lua_files=$(files '*.lua' | grep -v '\.d\.lua$')
if command -v luacheck >/dev/null && [ -n "$lua_files" ]; then
    luacheck -q --no-color $lua_files 2>&1 | grep -E '^ +[^ ]+:[0-9]+:' | rule 'luacheck'
fi
for header in $(files 'src/*.h' 'src/*/*.h'); do
    ${CC:-gcc} -std=c11 -I. -fsyntax-only -x c "$header" 2>/dev/null ||
        case $header in src/format/onnx_*) ;; *) echo "$header" ;; esac
done | rule 'headers that do not compile alone'

if [ -s "$report" ]; then
    cat "$report"
    exit 1
fi
echo "lint: clean"
