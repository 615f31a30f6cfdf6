// One field of a hash: its name and its value in one slab cell.
//
//     | length | name … | length | value … |
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "server/ds/packed_text.h"
#include "server/ds/slab.h"

namespace millrace::ds {

class Field {
 public:
  static Field* create(std::string_view name, std::string_view value) {
    auto* field = static_cast<Field*>(slab().allocate(bytes_for(name.size(), value.size())));
    write_packed_text(write_packed_text(field->begin(), name), value);
    return field;
  }
  static Field* copy(const Field& other) {
    void* field = slab().allocate(other.bytes());
    return static_cast<Field*>(std::memcpy(field, other.begin(), other.bytes()));
  }
  static void destroy(Field* field) { slab().release(field, field->bytes()); }

  Field() = delete;

  std::string_view name() const { return read_packed_text(begin()); }
  std::string_view value() const {
    const std::string_view before = name();
    return read_packed_text(before.data() + before.size());
  }

  // Whether a value of this length fits the cell as exactly as it would its own, so that it may be
  // written over the old one.
  bool takes_value(size_t length) const {
    return Slab::rounded(bytes_for(name().size(), length)) == memory_bytes();
  }
  // takes_value() holds, and the value does not lie in this field.
  void overwrite_value(std::string_view value) {
    write_packed_text(begin() + packed_text_bytes(name().size()), value);
  }

  // What the cell takes from memory.
  size_t memory_bytes() const { return Slab::rounded(bytes()); }

 private:
  static size_t bytes_for(size_t name_length, size_t value_length) {
    return packed_text_bytes(name_length) + packed_text_bytes(value_length);
  }
  size_t bytes() const { return bytes_for(name().size(), value().size()); }

  char* begin() { return reinterpret_cast<char*>(this); }
  const char* begin() const { return reinterpret_cast<const char*>(this); }
};

}  // namespace millrace::ds
