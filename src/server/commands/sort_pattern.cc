#include "server/commands/sort_pattern.h"

#include <algorithm>

namespace millrace {

SortPattern::SortPattern(std::string_view text) : is_element_(text == "#") {
  const size_t star = text.find('*');
  names_keys_ = star != std::string_view::npos;
  if (!names_keys_) return;
  before_ = text.substr(0, star);
  after_ = text.substr(star + 1);
  // An arrow with nothing behind it is a part of the name.
  const size_t arrow = after_.find("->");
  if (arrow == std::string_view::npos || arrow + 2 == after_.size()) return;
  field_ = after_.substr(arrow + 2);
  after_ = after_.substr(0, arrow);
}

void SortPattern::append_key(std::string_view element, std::string& names) const {
  names.append(before_).append(element).append(after_);
}

void PatternReader::read(size_t count, ds::FunctionRef<std::string_view(size_t)> element,
                         Visit visit) {
  const size_t all = count * patterns_.size();
  for (size_t from = 0; from < all; from += kWindow) {
    prepare(from, std::min(from + kWindow, all), element);
    for (const Lookup& lookup : lookups_) {
      if (lookup.pattern->is_element()) {
        visit(lookup.element, element(lookup.element));
      } else {
        resolve(lookup, visit);
      }
    }
  }
}

void PatternReader::prepare(size_t from, size_t to,
                            ds::FunctionRef<std::string_view(size_t)> element) {
  lookups_.clear();
  names_.clear();
  const Keyspace& db = context_.db();
  for (size_t i = from; i < to; ++i) {
    Lookup lookup{i / patterns_.size(), &patterns_[i % patterns_.size()], names_.size(), 0, 0};
    if (lookup.pattern->names_keys()) lookup.pattern->append_key(element(lookup.element), names_);
    lookup.name_end = names_.size();
    const auto name = std::string_view(names_).substr(lookup.name_begin);
    lookup.hash = context_.key(name).hash;
    if (lookup.pattern->names_keys()) db.prefetch_bucket(lookup.hash);
    lookups_.push_back(lookup);
  }
  for (const Lookup& lookup : lookups_)
    if (lookup.pattern->names_keys()) db.prefetch_entry(lookup.hash);
}

void PatternReader::resolve(const Lookup& lookup, Visit visit) {
  const SortPattern& pattern = *lookup.pattern;
  if (!pattern.names_keys()) return visit(lookup.element, std::nullopt);
  const std::string_view name(names_.data() + lookup.name_begin,
                              lookup.name_end - lookup.name_begin);
  const Entry* entry = context_.read(Key{name, lookup.hash});
  const Type wanted = pattern.names_fields() ? Type::kHash : Type::kString;
  if (!entry || entry->type() != wanted) return visit(lookup.element, std::nullopt);
  if (pattern.names_fields()) {
    ds::Element::TextBuffer buffer;
    return visit(lookup.element, entry->hash().get(pattern.field(), buffer));
  }
  TextBuffer buffer;
  visit(lookup.element, entry->text(buffer));
}

}  // namespace millrace
