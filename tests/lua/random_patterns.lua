-- random_patterns.lua - prints what the pattern functions make of random patterns on random texts;
-- the suite compares the sandbox's answers with those of Lua's own library.

local seed = 1
local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % n + 1
end

local ATOMS = { "a", "b", "c", ".", "%a", "%d", "%W", "[ab]", "[^a]", "[a-c]", "%f[b]", "%bab",
    "()", "(", ")", "%1", "%2", "^", "$", "%.", "[]a]", "[%d-]", "-", "x" }
local SUFFIXES = { "", "", "", "*", "+", "-", "?" }
local TEXT = { "a", "b", "c", "1", ".", "-", "ab", "]" }

local function make(parts, suffixes, max)
    local made = {}
    for _ = 1, random(max) do
        made[#made + 1] = parts[random(#parts)] .. (suffixes and suffixes[random(#suffixes)] or "")
    end
    return table.concat(made)
end

local function show(ok, ...)
    if not ok then
        return "error"
    end
    local results = table.pack(...)
    for i = 1, results.n do
        results[i] = tostring(results[i])
    end
    return table.concat(results, "|")
end

local function all_matches(text, pattern)
    local found = {}
    for a, b in text:gmatch(pattern) do
        found[#found + 1] = tostring(a) .. ":" .. tostring(b)
    end
    return table.concat(found, " ")
end

for _ = 1, 4000 do
    local text, pattern = make(TEXT, nil, 10), make(ATOMS, SUFFIXES, 5)
    local line = { text, pattern, show(pcall(string.find, text, pattern, random(4) - 2)),
        show(pcall(string.match, text, pattern)), show(pcall(string.gsub, text, pattern, "<%0>")),
        show(pcall(all_matches, text, pattern)) }
    print(table.concat(line, "  "))
end
