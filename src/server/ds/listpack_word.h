// A listpack that lives in a tagged word. A collection is one word whose low bits say what it
// points to; that a block is 8-byte aligned leaves them free.
//
//   ListpackInWord pack(&word_, kListpackTag);   // takes the listpack out of the word
//   pack->append("17");                          // may move its block
//                                                // puts it back at the end of the scope
//
// To read, view_listpack() is enough. Neither costs more than the arithmetic on the tag.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ae/base/prefetch.h"
#include "server/ds/listpack.h"

namespace millrace::ds {

inline char* listpack_in(uintptr_t word, uintptr_t tag) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the tag shares the word with the pointer
  return reinterpret_cast<char*>(word - tag);
}

inline ListpackView view_listpack(uintptr_t word, uintptr_t tag) {
  return ListpackView(listpack_in(word, tag));
}

inline uintptr_t listpack_word(Listpack pack, uintptr_t tag) {
  return reinterpret_cast<uintptr_t>(pack.release()) + tag;
}

inline void prefetch_listpack(uintptr_t word, uintptr_t tag) {
  ae::prefetch(reinterpret_cast<const char*>(word - tag));
}

// Bytes of heap behind the listpack.
inline size_t listpack_bytes(uintptr_t word, uintptr_t tag) {
  Listpack pack = Listpack::adopt(listpack_in(word, tag));
  const size_t bytes = pack.allocated_bytes();
  pack.release();
  return bytes;
}

class ListpackInWord {
 public:
  ListpackInWord(uintptr_t* word, uintptr_t tag)
      : word_(word), tag_(tag), pack_(Listpack::adopt(listpack_in(*word, tag))) {}
  ~ListpackInWord() { *word_ = reinterpret_cast<uintptr_t>(pack_.release()) + tag_; }
  ListpackInWord(const ListpackInWord&) = delete;
  ListpackInWord& operator=(const ListpackInWord&) = delete;

  Listpack* operator->() { return &pack_; }
  Listpack& operator*() { return pack_; }

 private:
  uintptr_t* word_;
  uintptr_t tag_;
  Listpack pack_;
};

}  // namespace millrace::ds
