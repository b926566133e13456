-- patterns.lua - string.find, match, gmatch, gsub. It runs in the sandbox and under Lua's own
-- library; expectations are those of the Lua 5.4 manual, section 6.4.1.

local function equal(got, wanted)
    if got ~= wanted then
        error(string.format("got %s, wanted %s", tostring(got), tostring(wanted)), 2)
    end
end

local function list(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
        parts[i] = tostring(parts[i])
    end
    return table.concat(parts, ",")
end

equal(list(("hello"):find("l")), "3,3")
equal(list(("hello"):find("l+")), "3,4")
equal(list(("hello"):find("(l)(l)")), "3,4,l,l")
equal(list(("hello"):find("xyz")), "nil")
equal(list(("hello"):find("")), "1,0")
equal(list(("hello"):find("", 6)), "6,5")
equal(list(("hello"):find("", 7)), "nil")
equal(list(("a.b"):find(".", 1, true)), "2,2")
equal(list(("a.b"):find("%.")), "2,2")
equal(list(("hello"):find("l", -2)), "4,4")
equal(list(("hello"):find("^l")), "nil")
equal(list(("hello"):find("^h")), "1,1")
equal(list(("hello"):find("o$")), "5,5")
equal(list(("a$b"):find("$b")), "2,3")
equal(list(("ab\0cd"):find("\0c")), "3,4")
equal(list(("key = value"):match("^(%w+)%s*=%s*(%w+)$")), "key,value")
equal(list(("  trim  "):match("^%s*(.-)%s*$")), "trim")
equal(list(("2026-11-23"):match("(%d+)-(%d+)-(%d+)")), "2026,11,23")
equal(list(("f(a(b)c)d"):match("%b()")), "(a(b)c)")
equal(list(("THE (quick) fox"):find("%((%a+)%)")), "5,11,quick")
equal(list(("THE (quick) fox"):match("%f[%a]%a+", 2)), "quick")
equal(list(("hello"):match("()ll()")), "3,5")
equal(list((""):match(".-")), "")
equal(list(("abc"):match("[^a]+")), "bc")
equal(list(("a-b]c"):match("[]-]+", 2)), "-")
equal(list(("x]y"):match("[]]")), "]")
equal(list(("a-z"):match("[a%-]+")), "a-")
equal(list(("aXbX"):match("^(.-)X")), "a")
equal(list(([["quoted" 'too']]):match([[(["'])(.-)%1]])), "\",quoted")
equal(list(("0x1F"):match("^0[xX](%x+)$")), "1F")
equal(list(("colour color"):match("colou?r$")), "color")
equal(list(("aaa"):match("a-b")), "nil")
equal(list(("aaab"):match("a-b")), "aaab")
equal(list(("\xff\xfe"):match("[\xf0-\xff]+")), "\xff\xfe")

equal(list(("abc"):gsub("%w", "%0%0")), "aabbcc,3")
equal(list(("abc"):gsub("", "-")), "-a-b-c-,4")
equal(list(("hello world"):gsub("o", "0", 1)), "hell0 world,1")
equal(list(("hello"):gsub("l*", "x")), "xhxexox,4")
equal(list(("$name is $age"):gsub("%$(%w+)", { name = "Lua", age = 30 })), "Lua is 30,2")
equal(list(("abc"):gsub("%w", function(c) return c == "b" and "B" end)), "aBc,3")
equal(list(("abc"):gsub("(a)(b)", "%2%1")), "bac,1")
equal(list(("100%"):gsub("%%", "%%%%")), "100%%,1")
equal(list(("abc"):gsub("^a", "x")), "xbc,1")
equal(list(("aaa"):gsub("^a", "x")), "xaa,1")
equal(list(("abc d"):gsub("()%w", "%1")), "123 5,4")

local words = {}
for word in ("one two  three"):gmatch("%a+") do
    words[#words + 1] = word
end
equal(table.concat(words, ","), "one,two,three")
local pairs_found = {}
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do
    pairs_found[#pairs_found + 1] = k .. v
end
equal(table.concat(pairs_found, ","), "a1,b2")
local n = 0
for _ in ("abc"):gmatch("") do
    n = n + 1
end
equal(n, 4)
equal(("abc"):gmatch("%a", -1)(), "c")

local BROKEN = { "[a", "%", "(a", "a)", "%1", "(%1)", "[%", "%b", "%bx", "%f", "[]", "[^]" }
for _, pattern in ipairs(BROKEN) do
    equal(pcall(string.match, "aaa", pattern), false)
end
equal(pcall(string.gsub, "abc", "a", "%2"), false)
equal(pcall(string.gsub, "abc", "a", "%x"), false)
equal(pcall(string.gsub, "abc", "a", true), false)
equal(pcall(string.rep), false)
equal(pcall(string.find, {}, "a"), false)
