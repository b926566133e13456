-- tables.lua - the table library; it runs in the sandbox and under Lua's own library. Expectations
-- are those of the Lua 5.4 manual, section 6.6.

local function equal(got, wanted)
    if got ~= wanted then
        error(string.format("got %s, wanted %s", tostring(got), tostring(wanted)), 2)
    end
end

local t = { 1, 2, 3 }
table.insert(t, 4)
table.insert(t, 1, 0)
equal(table.concat(t, ","), "0,1,2,3,4")
equal(table.remove(t, 1), 0)
equal(table.remove(t), 4)
equal(table.concat(t, ","), "1,2,3")
equal(table.remove({}), nil)
equal(pcall(table.insert, t, 6, 1), false)
equal(pcall(table.insert, t, 1, 2, 3), false)
equal(pcall(table.remove, t, 7), false)
equal(table.concat({}), "")
equal(table.concat({ 1, "b", 2.5 }, "; ", 2, 3), "b; 2.5")
equal(pcall(table.concat, { 1, {}, 3 }), false)
equal(select("#", table.unpack({ 1, nil, 3 }, 1, 3)), 3)
equal(select("#", table.unpack({}, 2, 1)), 0)
equal(pcall(table.unpack, {}, 1, 1e8), false)
equal(table.pack(1, nil, 3).n, 3)
equal(table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ","), "1,1,2,3")
equal(table.concat(table.move({ 1, 2, 3 }, 2, 3, 1), ","), "2,3,3")
equal(table.concat(table.move({ 1, 2, 3 }, 1, 3, 3, { 9, 9 }), ","), "9,9,1,2,3")
equal(pcall(table.move, {}, 1, math.maxinteger, 2), false)

local seed = 7
local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % n
end
for n = 0, 60 do
    local values, count = {}, {}
    for i = 1, n do
        values[i] = random(20)
        count[values[i]] = (count[values[i]] or 0) + 1
    end
    table.sort(values)
    for i = 1, n do
        count[values[i]] = count[values[i]] - 1
        equal(i == 1 or values[i - 1] <= values[i], true)
    end
    for _, left in pairs(count) do
        equal(left, 0)
    end
    table.sort(values, function(a, b) return a > b end)
    for i = 2, n do
        equal(values[i - 1] >= values[i], true)
    end
end
equal(pcall(table.sort, { 1, "a", 2 }), false)
equal(pcall(table.sort, { 1, 2 }, 3), false)
local names = { "b", "a", "c" }
table.sort(names)
equal(table.concat(names), "abc")
