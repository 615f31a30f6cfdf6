// SORT's patterns: how an element names the key that it is to be weighed by, or that is to be
// returned for it.
//
//   weight_*          the string under "weight_" + element
//   user_*->name      the field "name" of the hash under "user_" + element
//   #                 the element itself
//   anything else     names no key at all (BY then says: do not sort)
//
// PatternReader looks the keys up many at a time: all hashed, their buckets fetched, their entries
// fetched, so that the cache misses of a window overlap instead of queueing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/command/context.h"
#include "server/ds/function_ref.h"

namespace millrace {

class SortPattern {
 public:
  // A view; the text must outlive it.
  explicit SortPattern(std::string_view text);

  bool is_element() const { return is_element_; }
  bool names_keys() const { return names_keys_; }
  bool names_fields() const { return !field_.empty(); }
  std::string_view field() const { return field_; }
  void append_key(std::string_view element, std::string& names) const;

 private:
  bool is_element_;
  bool names_keys_;
  std::string_view before_, after_;  // the place of the element
  std::string_view field_;
};

class PatternReader {
 public:
  // What a pattern finds for an element: good during the call. Nothing: no such key or field, or a
  // key of another type.
  using Visit = ds::FunctionRef<void(size_t element, std::optional<std::string_view> value)>;

  PatternReader(Context& context, std::span<const SortPattern> patterns)
      : context_(context), patterns_(patterns) {}

  // Every pattern for the first of `count` elements, then every pattern for the next.
  void read(size_t count, ds::FunctionRef<std::string_view(size_t)> element, Visit visit);

 private:
  static constexpr size_t kWindow = 32;  // lookups at once; see command/key_batch.h
  struct Lookup {
    size_t element;
    const SortPattern* pattern;
    size_t name_begin, name_end;
    uint64_t hash;
  };

  void prepare(size_t from, size_t to, ds::FunctionRef<std::string_view(size_t)> element);
  void resolve(const Lookup& lookup, Visit visit);

  Context& context_;
  std::span<const SortPattern> patterns_;
  std::vector<Lookup> lookups_;
  std::string names_;
};

}  // namespace millrace
