// The last bytes of the replication stream, so that a replica whose link was cut goes on where it
// stopped. A ring of fixed size; bytes are numbered from 1 on, as Redis numbers them: a replica
// that has `offset` bytes asks for number offset + 1.
//
//         first_offset()                    next_offset()
//              |                                  |
//   ... gone | held ........................ | to come
//
//   Backlog backlog(1 << 20, 1);         // the next byte is number 1
//   backlog.append(stream);
//   if (backlog.reaches(from)) for (std::string_view piece : backlog.from(from)) send(piece);
//
// Invariant: next_offset() - first_offset() == size() <= capacity().
// Memory: one block, whose pages are touched as bytes come. Thread: the one that runs commands.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace millrace {

class Backlog {
 public:
  // Redis' floor for repl-backlog-size: below it not even a few commands fit.
  static constexpr size_t kMinBytes = 16 * 1024;

  Backlog(size_t capacity, int64_t next_offset);

  void append(std::string_view bytes);

  int64_t first_offset() const { return next_offset_ - int64_t(size_); }
  int64_t next_offset() const { return next_offset_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }

  // Whether everything from this byte on is here. The byte to come is: it is nothing.
  bool reaches(int64_t offset) const { return offset >= first_offset() && offset <= next_offset_; }
  // Everything from there on, in two pieces. Good until the next append or resize.
  std::array<std::string_view, 2> from(int64_t offset) const;

  // Keeps the newest bytes.
  void resize(size_t capacity);

 private:
  size_t place(int64_t offset) const { return size_t(uint64_t(offset) % capacity_); }

  size_t capacity_;
  std::unique_ptr<char[]> bytes_;  // byte `offset` at place(offset)
  int64_t next_offset_;
  size_t size_ = 0;
};

}  // namespace millrace
