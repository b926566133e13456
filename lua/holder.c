/* holder.c - objects that keep a space, so that an engine can let go of all spaces at once.
 */
#include "lua/bind.h"

bool bind_open_holder(lua_State *L, bind_holder *holder, void (*close)(bind_holder *holder),
                      int64_t held_bytes)
{
    lua_engine *engine = bind_engine(L);
    holder->engine = engine;
    holder->close = close;
    holder->previous = NULL;
    holder->next = engine->holders;
    if (holder->next)
        holder->next->previous = holder;
    engine->holders = holder;
    if (!bind_hold(L, held_bytes)) {
        bind_close_holder(holder);
        return false;
    }
    holder->held_bytes = held_bytes;
    return true;
}

void bind_close_holder(bind_holder *holder)
{
    if (!holder->close)
        return;
    lua_engine *engine = holder->engine;
    if (holder->previous)
        holder->previous->next = holder->next;
    else
        engine->holders = holder->next;
    if (holder->next)
        holder->next->previous = holder->previous;
    holder->previous = holder->next = NULL;
    bind_hold(engine->state, -holder->held_bytes);
    void (*close)(bind_holder *) = holder->close;
    holder->close = NULL;
    close(holder);
}

void bind_close_holders(lua_engine *engine)
{
    while (engine->holders)
        bind_close_holder(engine->holders);
}
