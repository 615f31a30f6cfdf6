#include "server/scripting/lua_values.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "ae/base/assert.h"

namespace millrace::scripting {
namespace {

// --- reply to Lua

class ReplyReader {
 public:
  ReplyReader(lua_State* lua, std::string_view bytes) : lua_(lua), at_(bytes.data()) {}

  void push_value() {
    luaL_checkstack(lua_, 5, "reply too deep");
    const char sigil = *at_++;
    switch (sigil) {
      case ':':
        return lua_pushnumber(lua_, lua_Number(number()));
      case '$':
        return push_bulk();
      case '+':
        return push_status();
      case '-':
        return push_counted_error(lua_, line());
      case '*':
      case '>':
        return push_array();
      case '_':
        line();
        return lua_pushnil(lua_);
      case '#':
        return lua_pushboolean(lua_, line() == "t");
      case ',':
        return push_double();
      case '(':
        return push_wrapped("big_number", line());
      case '=':
        return push_verbatim();
      case '%':
        return push_map();
      case '~':
        return push_set();
      case '|':
        skip_attribute();
        return push_value();
      default:
        AE_ASSERT(false);
    }
  }

 private:
  std::string_view line() {
    const auto* end = static_cast<const char*>(rawmemchr(at_, '\r'));
    const std::string_view text(at_, size_t(end - at_));
    at_ = end + 2;
    return text;
  }

  int64_t number() {
    const bool negative = *at_ == '-';
    uint64_t value = 0;
    for (const char digit : line())
      if (digit != '-') value = value * 10 + uint64_t(digit - '0');
    return int64_t(negative ? 0 - value : value);
  }

  std::string_view bulk(int64_t size) {
    const std::string_view text(at_, size_t(size));
    at_ += size + 2;
    return text;
  }

  void push_bulk() {
    const int64_t size = number();
    if (size < 0) return lua_pushboolean(lua_, 0);
    push_text(lua_, bulk(size));
  }

  void push_wrapped(const char* name, std::string_view text) {
    lua_createtable(lua_, 0, 1);
    set_field(lua_, name, text);
  }

  void push_status() { push_wrapped("ok", line()); }

  void push_double() {
    const std::string text(line());
    lua_createtable(lua_, 0, 1);
    set_field(lua_, "double", std::strtod(text.c_str(), nullptr));
  }

  void push_verbatim() {
    const std::string_view text = bulk(number());
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, 2);
    set_field(lua_, "format", text.substr(0, 3));
    set_field(lua_, "string", text.substr(4));
    lua_setfield(lua_, -2, "verbatim_string");
  }

  void push_array() {
    const int64_t count = number();
    if (count < 0) return lua_pushboolean(lua_, 0);
    lua_createtable(lua_, int(count), 0);
    for (int64_t i = 1; i <= count; ++i) {
      push_value();
      lua_rawseti(lua_, -2, int(i));
    }
  }

  void push_map() {
    const int64_t pairs = number();
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, int(pairs));
    for (int64_t i = 0; i < pairs; ++i) {
      push_value();
      push_value();
      lua_rawset(lua_, -3);
    }
    lua_setfield(lua_, -2, "map");
  }

  // A script does not see what is said about a reply.
  void skip_attribute() {
    const int64_t pairs = number();
    for (int64_t i = 0; i < 2 * pairs; ++i) {
      push_value();
      lua_pop(lua_, 1);
    }
  }

  void push_set() {
    const int64_t count = number();
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, int(count));
    for (int64_t i = 0; i < count; ++i) {
      push_value();
      lua_pushboolean(lua_, 1);
      lua_rawset(lua_, -3);
    }
    lua_setfield(lua_, -2, "set");
  }

  lua_State* lua_;
  const char* at_;
};

// --- Lua to reply

class ValueWriter {
 public:
  ValueWriter(lua_State* lua, Context& context, proto::Resp spoken)
      : lua_(lua), context_(context), reply_(context.reply()), spoken_(spoken) {}

  void write() {
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        reply_.bulk(text_at(lua_, -1));
        break;
      case LUA_TBOOLEAN:
        write_boolean(lua_toboolean(lua_, -1) != 0);
        break;
      case LUA_TNUMBER:
        reply_.integer(whole(lua_tonumber(lua_, -1)));
        break;
      case LUA_TTABLE:
        write_table();
        break;
      default:
        reply_.null();
    }
    lua_pop(lua_, 1);
  }

 private:
  // What is no int64_t is its least value, as the conversion of x86 has it.
  static int64_t whole(lua_Number number) {
    constexpr lua_Number kLimit = 9223372036854775808.0;  // 2^63
    return number >= -kLimit && number < kLimit ? int64_t(number) : INT64_MIN;
  }

  void write_boolean(bool value) {
    if (spoken_ == proto::Resp::k3) return reply_.boolean(value);
    value ? reply_.integer(1) : reply_.null();
  }

  // Pushes the table's field if it has the type; nothing otherwise.
  bool push_field(const char* name, int type) {
    lua_pushstring(lua_, name);
    lua_rawget(lua_, -2);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }

  void write_table() {
    if (!lua_checkstack(lua_, 6)) return reply_.error("ERR reached lua stack limit");
    if (write_text_field() || write_aggregate_field()) return;
    write_array();
  }

  bool write_text_field() {
    if (push_field("err", LUA_TSTRING)) {
      write_error(text_at(lua_, -1));
    } else if (push_field("ok", LUA_TSTRING)) {
      reply_.status(text_at(lua_, -1));
    } else if (push_field("double", LUA_TNUMBER)) {
      reply_.real(lua_tonumber(lua_, -1));
    } else {
      return false;
    }
    lua_pop(lua_, 1);
    return true;
  }

  // The table is below the text. An error of a command has been counted when it ran.
  void write_error(std::string_view text) {
    lua_pushvalue(lua_, -2);
    if (!has_field(lua_, kCountedField)) context_.services().stats.count_error(text);
    lua_pop(lua_, 1);
    context_.note_failure();
    reply_.error(text);
  }

  bool write_aggregate_field() {
    if (push_field("map", LUA_TTABLE)) {
      write_map();
    } else if (push_field("set", LUA_TTABLE)) {
      write_set();
    } else if (push_field("big_number", LUA_TSTRING)) {
      write_big_number();
    } else {
      return push_field("verbatim_string", LUA_TTABLE) && write_verbatim();
    }
    lua_pop(lua_, 1);
    return true;
  }

  void write_map() {
    const auto map = reply_.defer_map();
    size_t pairs = 0;
    for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; ++pairs) {
      lua_pushvalue(lua_, -2);
      write();
      write();
    }
    reply_.finish(map, pairs);
  }

  void write_set() {
    const auto set = reply_.defer_set();
    size_t members = 0;
    for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; ++members) {
      lua_pop(lua_, 1);
      lua_pushvalue(lua_, -1);
      write();
    }
    reply_.finish(set, members);
  }

  // It is a line of the protocol, so the script's text must be one.
  void write_big_number() {
    std::string text(text_at(lua_, -1));
    for (char& c : text)
      if (c == '\r' || c == '\n') c = ' ';
    reply_.big_number(text);
  }

  // Pops the table. False: it lacks a part, and the value is an array after all.
  bool write_verbatim() {
    bool written = false;
    if (push_field("format", LUA_TSTRING)) {
      lua_insert(lua_, -2);  // the table stays on top
      if (push_field("string", LUA_TSTRING)) {
        char format[4] = "   ";
        const std::string_view given = text_at(lua_, -3);
        std::memcpy(format, given.data(), std::min<size_t>(given.size(), 3));
        reply_.verbatim({format, 3}, text_at(lua_, -1));
        lua_pop(lua_, 1);
        written = true;
      }
      lua_remove(lua_, -2);
    }
    lua_pop(lua_, 1);
    return written;
  }

  void write_array() {
    const auto array = reply_.defer_array();
    size_t count = 0;
    for (;; ++count) {
      lua_rawgeti(lua_, -1, int(count + 1));
      if (lua_isnil(lua_, -1)) break;
      write();
    }
    lua_pop(lua_, 1);
    reply_.finish(array, count);
  }

  lua_State* lua_;
  Context& context_;
  proto::ReplyWriter& reply_;
  proto::Resp spoken_;
};

}  // namespace

void push_reply(lua_State* lua, std::string_view bytes) {
  ReplyReader(lua, bytes).push_value();
}

void push_error(lua_State* lua, std::string_view text) {
  lua_createtable(lua, 0, 4);
  set_field(lua, "err", text);
}

void push_counted_error(lua_State* lua, std::string_view text) {
  push_error(lua, text);
  lua_pushboolean(lua, 1);
  lua_setfield(lua, -2, kCountedField);
}

bool has_field(lua_State* lua, const char* name) {
  lua_pushstring(lua, name);
  lua_rawget(lua, -2);
  const bool there = !lua_isnil(lua, -1);
  lua_pop(lua, 1);
  return there;
}

void write_value(lua_State* lua, Context& context, proto::Resp spoken) {
  ValueWriter(lua, context, spoken).write();
}

}  // namespace millrace::scripting
