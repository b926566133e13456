-- What a script of nasw sees: no io, os, load, debug, coroutine.
std = {
    globals = {},
    read_globals = {
        "_G", "_VERSION", "arg", "assert", "collectgarbage", "error", "getmetatable", "ipairs",
        "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset", "require",
        "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
        math = { other_fields = true },
        string = { fields = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower",
                              "match", "rep", "reverse", "sub", "upper" } },
        table = { fields = { "concat", "insert", "move", "pack", "remove", "sort", "unpack" } },
        utf8 = { other_fields = true },
        nasw = { fields = { "load", "build", "hw", "hw_names", "estimate", "measure", "fit", "estimator",
                            "print", "log", "table", "csv", "json", "write", "clock", "act",
                            "actions", "current", "baseline", "messages", "session", "bind",
                            "theme", "load_space", "landscape", "figures", "route", ["space"] = { fields = { "from_model" } } } },
    },
}
max_line_length = 100
exclude_files = { "lua/nasw.d.lua" }
