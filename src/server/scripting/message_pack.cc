// cmsgpack: Lua values to MessagePack and back
// (https://github.com/msgpack/msgpack/blob/master/spec.md). What becomes what is as in Salvatore
// Sanfilippo's lua-cmsgpack, which Redis has: the shortest integer form, a float where it is exact,
// tables whose keys are 1..n as arrays.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "server/scripting/lua.h"

namespace millrace::scripting {
namespace {

// A table deeper than this is packed as nil, as there: a table may contain itself.
constexpr int kMostNesting = 16;

// --- packing

void append_big_endian(std::string& out, uint8_t tag, uint64_t value, size_t bytes) {
  out += char(tag);
  for (size_t i = bytes; i-- > 0;) out += char(value >> (8 * i));
}

void pack_integer(std::string& out, int64_t value) {
  if (value >= -32 && value <= 127) {
    out += char(value);
  } else if (value >= 0) {
    if (value <= UINT8_MAX) return append_big_endian(out, 0xcc, uint64_t(value), 1);
    if (value <= UINT16_MAX) return append_big_endian(out, 0xcd, uint64_t(value), 2);
    if (value <= UINT32_MAX) return append_big_endian(out, 0xce, uint64_t(value), 4);
    append_big_endian(out, 0xcf, uint64_t(value), 8);
  } else {
    if (value >= INT8_MIN) return append_big_endian(out, 0xd0, uint64_t(value), 1);
    if (value >= INT16_MIN) return append_big_endian(out, 0xd1, uint64_t(value), 2);
    if (value >= INT32_MIN) return append_big_endian(out, 0xd2, uint64_t(value), 4);
    append_big_endian(out, 0xd3, uint64_t(value), 8);
  }
}

void pack_number(std::string& out, double number) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (number >= -kLimit && number < kLimit && std::floor(number) == number)
    return pack_integer(out, int64_t(number));
  const auto single = float(number);
  if (double(single) == number) {
    uint32_t bits;
    std::memcpy(&bits, &single, sizeof bits);
    return append_big_endian(out, 0xca, bits, 4);
  }
  uint64_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  append_big_endian(out, 0xcb, bits, 8);
}

void pack_text(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    out += char(0xa0 | text.size());
  } else if (text.size() <= UINT8_MAX) {
    append_big_endian(out, 0xd9, text.size(), 1);
  } else if (text.size() <= UINT16_MAX) {
    append_big_endian(out, 0xda, text.size(), 2);
  } else {
    append_big_endian(out, 0xdb, text.size(), 4);
  }
  out.append(text);
}

void pack_header(std::string& out, size_t count, uint8_t fixed, uint8_t tag) {
  if (count <= 15) {
    out += char(fixed | count);
  } else if (count <= UINT16_MAX) {
    append_big_endian(out, tag, count, 2);
  } else {
    append_big_endian(out, uint8_t(tag + 1), count, 4);
  }
}

struct Shape {
  size_t count = 0;
  bool is_array = true;  // the keys are 1 .. count
};

// Of the table on top.
Shape shape_of(lua_State* lua) {
  Shape shape;
  double highest = 0;
  for (lua_pushnil(lua); lua_next(lua, -2) != 0; lua_pop(lua, 1)) {
    ++shape.count;
    const double key = lua_type(lua, -2) == LUA_TNUMBER ? lua_tonumber(lua, -2) : 0;
    if (key < 1 || std::floor(key) != key) shape.is_array = false;
    highest = std::max(highest, key);
  }
  shape.is_array = shape.is_array && highest == double(shape.count);
  return shape;
}

void pack_top(lua_State* lua, std::string& out, int level);

void pack_table(lua_State* lua, std::string& out, int level) {
  luaL_checkstack(lua, 4, "too deep");
  const Shape shape = shape_of(lua);
  if (shape.is_array) {
    pack_header(out, shape.count, 0x90, 0xdc);
    for (size_t i = 1; i <= shape.count; ++i) {
      lua_rawgeti(lua, -1, int(i));
      pack_top(lua, out, level + 1);
    }
    return;
  }
  pack_header(out, shape.count, 0x80, 0xde);
  for (lua_pushnil(lua); lua_next(lua, -2) != 0;) {
    lua_pushvalue(lua, -2);
    pack_top(lua, out, level + 1);  // the key
    pack_top(lua, out, level + 1);
  }
}

// Packs the value on top and pops it.
void pack_top(lua_State* lua, std::string& out, int level) {
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
      pack_text(out, text_at(lua, -1));
      break;
    case LUA_TBOOLEAN:
      out += lua_toboolean(lua, -1) ? char(0xc3) : char(0xc2);
      break;
    case LUA_TNUMBER:
      pack_number(out, lua_tonumber(lua, -1));
      break;
    case LUA_TTABLE:
      if (level < kMostNesting) {
        pack_table(lua, out, level);
        break;
      }
      [[fallthrough]];
    default:
      out += char(0xc0);
  }
  lua_pop(lua, 1);
}

// cmsgpack.pack(value, ...): their bytes one behind the other
int pack(lua_State* lua) {
  const int values = lua_gettop(lua);
  if (values == 0) luaL_argerror(lua, 0, "MessagePack pack needs input.");
  luaL_checkstack(lua, 1, "too many values");
  std::string out;
  for (int i = 1; i <= values; ++i) {
    lua_pushvalue(lua, i);
    pack_top(lua, out, 0);
  }
  push_text(lua, out);
  return 1;
}

// --- unpacking

class Unpacker {
 public:
  Unpacker(lua_State* lua, std::string_view bytes) : lua_(lua), bytes_(bytes) {}

  size_t left() const { return bytes_.size(); }

  // Pushes the next value.
  void push_value() {
    luaL_checkstack(lua_, 4, "too deep");
    const auto tag = uint8_t(take(1)[0]);
    if (tag <= 0x7f) return lua_pushnumber(lua_, tag);
    if (tag >= 0xe0) return lua_pushnumber(lua_, int8_t(tag));
    if (tag <= 0x8f) return push_map(tag & 0xf);
    if (tag <= 0x9f) return push_array(tag & 0xf);
    if (tag <= 0xbf) return push_text(lua_, take(tag & 0x1f));
    push_tagged(tag);
  }

 private:
  std::string_view take(size_t count) {
    if (count > bytes_.size()) luaL_error(lua_, "Missing bytes in input.");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  uint64_t number(size_t bytes) {
    uint64_t value = 0;
    for (const char byte : take(bytes)) value = value << 8 | uint8_t(byte);
    return value;
  }

  void push_tagged(uint8_t tag) {
    switch (tag) {
      case 0xc0:
        return lua_pushnil(lua_);
      case 0xc2:
      case 0xc3:
        return lua_pushboolean(lua_, tag == 0xc3);
      case 0xca:
      case 0xcb:
        return push_real(tag);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return lua_pushnumber(lua_, lua_Number(number(size_t{1} << (tag - 0xcc))));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return push_signed(size_t{1} << (tag - 0xd0));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return push_text(lua_, take(size_t(number(size_t{1} << (tag - 0xd9)))));
      case 0xdc:
      case 0xdd:
        return push_array(size_t(number(tag == 0xdc ? 2 : 4)));
      case 0xde:
      case 0xdf:
        return push_map(size_t(number(tag == 0xde ? 2 : 4)));
      default:
        luaL_error(lua_, "Bad data format in input.");
    }
  }

  void push_signed(size_t bytes) {
    const size_t unused = 64 - 8 * bytes;
    lua_pushnumber(lua_, lua_Number(int64_t(number(bytes) << unused) >> unused));
  }

  void push_real(uint8_t tag) {
    if (tag == 0xca) {
      const auto bits = uint32_t(number(4));
      float single;
      std::memcpy(&single, &bits, sizeof single);
      return lua_pushnumber(lua_, single);
    }
    const uint64_t bits = number(8);
    double real;
    std::memcpy(&real, &bits, sizeof real);
    lua_pushnumber(lua_, real);
  }

  // Nothing is allocated for elements that are merely announced.
  void push_array(size_t count) {
    lua_newtable(lua_);
    for (size_t i = 1; i <= count; ++i) {
      lua_pushnumber(lua_, lua_Number(i));
      push_value();
      lua_settable(lua_, -3);
    }
  }

  void push_map(size_t count) {
    lua_newtable(lua_);
    for (size_t i = 0; i < count; ++i) {
      push_value();
      push_value();
      lua_settable(lua_, -3);
    }
  }

  lua_State* lua_;
  std::string_view bytes_;
};

// `limit` values from `offset` on, all where it is 0. With a limit or an offset the first result is
// where to go on, -1 at the end.
int unpack_some(lua_State* lua, int limit, int offset) {
  luaL_checkstring(lua, 1);
  const std::string_view bytes = text_at(lua, 1);
  const auto length = int(bytes.size());
  if (offset < 0 || limit < 0)
    luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.", offset, length);
  if (offset > length)
    luaL_error(lua, "Start offset %d greater than input length %d.", offset, length);
  const bool all = limit == 0 && offset == 0;
  Unpacker unpacker(lua, bytes.substr(size_t(offset)));
  lua_settop(lua, 1);
  for (int count = 0; unpacker.left() > 0 && (limit == 0 || count < limit); ++count)
    unpacker.push_value();
  if (!all) {
    luaL_checkstack(lua, 1, "too many values");
    lua_pushnumber(lua, unpacker.left() == 0 ? -1 : length - int(unpacker.left()));
    lua_insert(lua, 2);
  }
  return lua_gettop(lua) - 1;
}

// cmsgpack.unpack(bytes): every value
int unpack(lua_State* lua) {
  return unpack_some(lua, 0, 0);
}

// cmsgpack.unpack_one(bytes [, offset]): where to go on, and one value
int unpack_one(lua_State* lua) {
  return unpack_some(lua, 1, int(luaL_optinteger(lua, 2, 0)));
}

// cmsgpack.unpack_limit(bytes, limit [, offset]): where to go on, and so many values
int unpack_limit(lua_State* lua) {
  return unpack_some(lua, int(luaL_checkinteger(lua, 2)), int(luaL_optinteger(lua, 3, 0)));
}

}  // namespace

int open_message_pack(lua_State* lua) {
  lua_newtable(lua);
  set_field(lua, "pack", pack);
  set_field(lua, "unpack", unpack);
  set_field(lua, "unpack_one", unpack_one);
  set_field(lua, "unpack_limit", unpack_limit);
  set_field(lua, "_NAME", "cmsgpack");
  set_field(lua, "_VERSION", "lua-cmsgpack 0.4.0");
  return 1;
}

}  // namespace millrace::scripting
