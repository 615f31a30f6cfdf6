// One member of a set: its bytes in one slab cell.
//
//     | length | bytes … |
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "server/ds/packed_text.h"
#include "server/ds/slab.h"

namespace millrace::ds {

class Member {
 public:
  static Member* create(std::string_view text) {
    auto* member = static_cast<Member*>(slab().allocate(packed_text_bytes(text.size())));
    write_packed_text(reinterpret_cast<char*>(member), text);
    return member;
  }
  static Member* copy(const Member& other) {
    void* member = slab().allocate(other.bytes());
    return static_cast<Member*>(std::memcpy(member, &other, other.bytes()));
  }
  static void destroy(Member* member) { slab().release(member, member->bytes()); }

  Member() = delete;

  std::string_view text() const { return read_packed_text(reinterpret_cast<const char*>(this)); }

  // What the cell takes from memory.
  size_t memory_bytes() const { return Slab::rounded(bytes()); }

 private:
  size_t bytes() const { return packed_text_bytes(text().size()); }
};

}  // namespace millrace::ds
