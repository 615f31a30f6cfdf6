// The manifest of an append-only file: which files it is made of. A text file, one line per file:
//
//   file appendonly.aof.2.base.rdb seq 2 type b
//   file appendonly.aof.1.incr.aof seq 1 type h
//   file appendonly.aof.2.incr.aof seq 2 type i
//
//   b  base: the whole keyspace at some moment; at most one
//   i  increment: what changed since then, in order of `seq`
//   h  history: no longer needed, to be deleted
//
// The format is that of Redis 7 ("Multi part AOF"), whose redis-check-aof reads the same lines.
// Keys of a line that are not known are skipped, names with blanks or odd bytes are quoted as in
// redis.conf, '#' begins a comment.
//
// Thread: none of its own; a plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace millrace {

struct AofFile {
  std::string name;  // without a directory
  int64_t sequence = 0;

  bool operator==(const AofFile&) const = default;
};

// What is wrong with a manifest; the sentences are Redis'.
struct ManifestProblem {
  size_t line = 0;  // 0: the file as a whole
  std::string text;
  std::string_view sentence;
};

struct AofManifest {
  // Longer lines are refused, as by Redis. A name of 255 bytes whose every byte is escaped fits.
  static constexpr size_t kMaxLineBytes = 1024;

  std::optional<AofFile> base;
  std::vector<AofFile> increments;  // rising sequence
  std::vector<AofFile> history;
  // The highest numbers given so far, history not counted.
  int64_t base_sequence = 0;
  int64_t increment_sequence = 0;

  static tl::expected<AofManifest, ManifestProblem> parse(std::string_view text);
  std::string text() const;

  // Nothing to be loaded.
  bool empty() const { return !base && increments.empty(); }
  size_t file_count() const { return (base ? 1 : 0) + increments.size(); }

  // What a finished rewrite makes of it: `fresh` is the base, what came before `first_kept` of the
  // increments is history, and so is the base of before.
  void replace_base(AofFile fresh, size_t first_kept);

  bool operator==(const AofManifest&) const = default;
};

}  // namespace millrace
