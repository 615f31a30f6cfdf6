// struct: numbers and strings to bytes and back, by a format. The language of formats is that of
// Roberto Ierusalimschy's lua-struct (http://www.inf.puc-rio.br/~roberto/struct/), which Redis has:
//
//   >  <        big, little endian from here on          b B    signed, unsigned char
//   ![n]        alignment up to n (8 unless said)        h H    short
//   x           a byte of padding                        l L    long
//   f d         float, double                            i[n] I[n]  n bytes (4)
//   s           a string and a zero byte                 T      size_t
//   c[n]        n bytes of a string (1); c0: a whole string when packing, and when unpacking as
//               many bytes as the number before it says
#include <algorithm>
#include <bit>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <string>

#include "server/scripting/lua.h"

namespace millrace::scripting {
namespace {

constexpr size_t kMostIntegerBytes = 32;
constexpr size_t kNaturalAlignment = 8;

// A format being read, item by item.
class Format {
 public:
  Format(lua_State* lua, int argument) : lua_(lua), text_(luaL_checkstring(lua, argument)) {}

  struct Item {
    char option;
    size_t size;
    size_t padding;  // before it, for alignment
  };

  bool more() const { return *text_ != '\0'; }
  bool big_endian() const { return big_endian_; }

  // The next item, which would stand at `offset`.
  Item next(size_t offset) {
    const char option = *text_++;
    const size_t size = size_of(option);
    return {option, size, padding(option, size, offset)};
  }

  // For who has no use for the option.
  void refuse_unknown(char option) {
    if (std::isalnum(uint8_t(option)) != 0) refuse(option);
  }

 private:
  void refuse(char option) {
    luaL_argerror(lua_, 1, lua_pushfstring(lua_, "invalid format option '%c'", option));
  }

  bool digit() const { return *text_ >= '0' && *text_ <= '9'; }

  size_t number_or(size_t otherwise) {
    if (!digit()) return otherwise;
    size_t number = 0;
    while (digit()) {
      number = number * 10 + size_t(*text_++ - '0');
      if (number > INT32_MAX) luaL_error(lua_, "integral size overflow");
    }
    return number;
  }

  size_t integer_size() {
    const size_t size = number_or(sizeof(int));
    if (size > kMostIntegerBytes)
      luaL_error(lua_, "integral size %d is larger than limit of %d", int(size),
                 int(kMostIntegerBytes));
    return size;
  }

  // Of the bytes the option stands for; 0 for c0, and for what only directs.
  size_t size_of(char option) {
    switch (option) {
      case 'b':
      case 'B':
      case 'x':
        return 1;
      case 'h':
      case 'H':
        return sizeof(short);
      case 'l':
      case 'L':
        return sizeof(long);
      case 'T':
        return sizeof(size_t);
      case 'f':
        return sizeof(float);
      case 'd':
        return sizeof(double);
      case 'c':
        return number_or(1);
      case 'i':
      case 'I':
        return integer_size();
      case 's':
      case ' ':
        return 0;
      default:  // struct.size passes over letters it does not know
        if (std::isalnum(uint8_t(option)) == 0) direct(option);
        return 0;
    }
  }

  void direct(char option) {
    if (option == '<' || option == '>') {
      big_endian_ = option == '>';
    } else if (option == '!') {
      alignment_ = number_or(kNaturalAlignment);
      if (!std::has_single_bit(alignment_))
        luaL_error(lua_, "alignment %d is not a power of 2", int(alignment_));
    } else {
      refuse(option);
    }
  }

  size_t padding(char option, size_t size, size_t offset) const {
    if (size == 0 || option == 'c' || option == 'x') return 0;
    const size_t alignment = std::min(size, alignment_);
    if (alignment <= 1) return 0;
    return (alignment - (offset & (alignment - 1))) & (alignment - 1);
  }

  lua_State* lua_;
  const char* text_;
  size_t alignment_ = 1;
  bool big_endian_ = std::endian::native == std::endian::big;
};

bool is_integer(char option) {
  return std::strchr("bBhHlLTiI", option) != nullptr;
}
bool is_signed(char option) {
  return std::strchr("bhli", option) != nullptr;
}

// What fits no 64 bits becomes what Redis makes of it on x86-64; the language leaves it open.
uint64_t whole_number(lua_Number number) {
  constexpr lua_Number kBeyondSigned = 0x1p63;
  if (number >= 2 * kBeyondSigned) return 0;
  if (number >= 0) return uint64_t(number);
  if (number >= -kBeyondSigned) return uint64_t(int64_t(number));
  return uint64_t{1} << 63;  // no number, too
}

// What lies beyond 64 bits is written as zeros.
void append_integer(std::string& out, lua_Number number, const Format::Item& item, bool big) {
  const uint64_t value = whole_number(number);
  char bytes[kMostIntegerBytes];
  for (size_t i = 0; i < item.size; ++i) {
    const char byte = i < 8 ? char(value >> (8 * i)) : '\0';
    bytes[big ? item.size - 1 - i : i] = byte;
  }
  out.append(bytes, item.size);
}

lua_Number read_integer(const char* data, const Format::Item& item, bool big) {
  uint64_t value = 0;
  for (size_t i = 0; i < std::min<size_t>(item.size, 8); ++i)
    value |= uint64_t(uint8_t(data[big ? item.size - 1 - i : i])) << (8 * i);
  if (!is_signed(item.option) || item.size == 0) return lua_Number(value);
  const size_t unused = item.size < 8 ? 64 - 8 * item.size : 0;
  return lua_Number(int64_t(value << unused) >> unused);
}

template <typename Real>
void append_real(std::string& out, lua_Number number, bool big) {
  const Real real = Real(number);
  char bytes[sizeof real];
  std::memcpy(bytes, &real, sizeof real);
  if (big != (std::endian::native == std::endian::big)) std::reverse(bytes, bytes + sizeof real);
  out.append(bytes, sizeof real);
}

template <typename Real>
lua_Number read_real(const char* data, bool big) {
  char bytes[sizeof(Real)];
  std::memcpy(bytes, data, sizeof bytes);
  if (big != (std::endian::native == std::endian::big)) std::reverse(bytes, bytes + sizeof bytes);
  Real real;
  std::memcpy(&real, bytes, sizeof real);
  return real;
}

void append_text(lua_State* lua, std::string& out, const Format::Item& item, int argument) {
  size_t length = 0;
  const char* text = luaL_checklstring(lua, argument, &length);
  const size_t size = item.option == 's' || item.size == 0 ? length : item.size;
  // One behind: lua-struct counts so.
  luaL_argcheck(lua, length >= size, argument + 1, "string too short");
  out.append(text, size);
  if (item.option == 's') out += '\0';
}

// struct.pack(format, value, ...)
int pack(lua_State* lua) {
  Format format(lua, 1);
  std::string out;
  int argument = 2;
  lua_pushnil(lua);  // what a missing value is
  while (format.more()) {
    const Format::Item item = format.next(out.size());
    out.append(item.padding, '\0');
    if (is_integer(item.option)) {
      append_integer(out, luaL_checknumber(lua, argument++), item, format.big_endian());
    } else if (item.option == 'f') {
      append_real<float>(out, luaL_checknumber(lua, argument++), format.big_endian());
    } else if (item.option == 'd') {
      append_real<double>(out, luaL_checknumber(lua, argument++), format.big_endian());
    } else if (item.option == 'c' || item.option == 's') {
      append_text(lua, out, item, argument++);
    } else if (item.option == 'x') {
      out += '\0';
    } else {
      format.refuse_unknown(item.option);
    }
  }
  push_text(lua, out);
  return 1;
}

// The bytes of a string item at `offset`; the number before c0 leaves the stack.
size_t text_size(lua_State* lua, const Format::Item& item, std::string_view data, size_t offset,
                 int first) {
  if (item.option == 's') {
    const size_t end = data.find('\0', offset);
    if (end == std::string_view::npos) luaL_error(lua, "unfinished string in data");
    return end - offset;
  }
  if (item.size != 0) return item.size;
  if (lua_gettop(lua) < first || !lua_isnumber(lua, -1))
    luaL_error(lua, "format 'c0' needs a previous size");
  const lua_Number number = lua_tonumber(lua, -1);
  lua_pop(lua, 1);
  luaL_argcheck(lua, number >= 0 && number < lua_Number(data.size() - offset) + 1, 2,
                "data string too short");
  return size_t(number);
}

// struct.unpack(format, data [, from]): the values, and the position behind them
int unpack(lua_State* lua) {
  Format format(lua, 1);
  luaL_checkstring(lua, 2);
  const std::string_view data = text_at(lua, 2);
  const auto from = luaL_optinteger(lua, 3, 1);
  luaL_argcheck(lua, from > 0, 3, "offset must be 1 or greater");
  auto offset = size_t(from - 1);
  lua_settop(lua, 2);
  while (format.more()) {
    const Format::Item item = format.next(offset);
    const size_t needed = item.padding + item.size;
    luaL_argcheck(lua, offset <= data.size() && needed <= data.size() - offset, 2,
                  "data string too short");
    luaL_checkstack(lua, 3, "too many results");
    offset += item.padding;
    size_t size = item.size;
    if (is_integer(item.option)) {
      lua_pushnumber(lua, read_integer(data.data() + offset, item, format.big_endian()));
    } else if (item.option == 'f') {
      lua_pushnumber(lua, read_real<float>(data.data() + offset, format.big_endian()));
    } else if (item.option == 'd') {
      lua_pushnumber(lua, read_real<double>(data.data() + offset, format.big_endian()));
    } else if (item.option == 'c' || item.option == 's') {
      size = text_size(lua, item, data, offset, 3);
      push_text(lua, data.substr(offset, size));
      if (item.option == 's') ++size;
    } else if (item.option != 'x') {
      format.refuse_unknown(item.option);
    }
    offset += size;
  }
  lua_pushnumber(lua, lua_Number(offset + 1));
  return lua_gettop(lua) - 2;
}

// struct.size(format)
int size(lua_State* lua) {
  Format format(lua, 1);
  size_t total = 0;
  while (format.more()) {
    const Format::Item item = format.next(total);
    if (item.option == 's') luaL_argerror(lua, 1, "option 's' has no fixed size");
    if (item.option == 'c' && item.size == 0)
      luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    total += item.padding + item.size;
    luaL_argcheck(lua, total <= INT32_MAX, 1, "format result too large");
  }
  lua_pushnumber(lua, lua_Number(total));
  return 1;
}

}  // namespace

int open_struct(lua_State* lua) {
  lua_newtable(lua);
  set_field(lua, "pack", pack);
  set_field(lua, "unpack", unpack);
  set_field(lua, "size", size);
  return 1;
}

}  // namespace millrace::scripting
