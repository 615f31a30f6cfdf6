// One member of a sorted set: its score and its bytes in one slab cell. The set's hash table and
// its tree both point here.
//
//     | score:f64 | length | bytes … |
#pragma once

#include <cstddef>
#include <new>
#include <string_view>

#include "server/ds/packed_text.h"
#include "server/ds/slab.h"

namespace millrace::ds {

class ScoredMember {
 public:
  static ScoredMember* create(std::string_view text, double score) {
    void* cell = slab().allocate(bytes_for(text.size()));
    auto* member = new (cell) ScoredMember(score);
    write_packed_text(reinterpret_cast<char*>(member + 1), text);
    return member;
  }
  static void destroy(ScoredMember* member) { slab().release(member, member->bytes()); }

  ScoredMember(const ScoredMember&) = delete;
  ScoredMember& operator=(const ScoredMember&) = delete;

  std::string_view text() const {
    return read_packed_text(reinterpret_cast<const char*>(this + 1));
  }
  double score() const { return score_; }
  // For whoever keeps the order: a member in a tree is moved by OrderedTree::update_score.
  void set_score(double score) { score_ = score; }

  // What the cell takes from memory.
  size_t memory_bytes() const { return Slab::rounded(bytes()); }

 private:
  explicit ScoredMember(double score) : score_(score) {}

  static size_t bytes_for(size_t length) {
    return sizeof(ScoredMember) + packed_text_bytes(length);
  }
  size_t bytes() const { return bytes_for(text().size()); }

  double score_;
};

}  // namespace millrace::ds
