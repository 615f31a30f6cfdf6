#include "server/command/table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ae/base/assert.h"
#include "ae/base/prng.h"

namespace millrace {
namespace {

// Setting this bit in every byte folds ASCII letters to lower case. It also folds a few other bytes
// together, which the final comparison tells apart.
constexpr uint64_t kFold8 = 0x2020202020202020;
constexpr uint32_t kFold4 = 0x20202020;

template <typename Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The bytes of a name in one word: all of them up to eight, else the first and last eight mixed.
uint64_t fold(std::string_view name) {
  const char* p = name.data();
  size_t n = name.size();
  if (n >= 8) {
    uint64_t head = load<uint64_t>(p) | kFold8;
    uint64_t tail = load<uint64_t>(p + n - 8) | kFold8;
    return head ^ std::rotl(tail, 29) ^ n;
  }
  if (n >= 4) {
    uint64_t head = load<uint32_t>(p) | kFold4;
    uint64_t tail = load<uint32_t>(p + n - 4) | kFold4;
    return (head | tail << 32) ^ n;
  }
  if (n == 0) return 0;
  uint64_t word = uint8_t(p[0] | 0x20);
  word |= uint64_t(uint8_t(p[n / 2] | 0x20)) << 8;
  word |= uint64_t(uint8_t(p[n - 1] | 0x20)) << 16;
  return word ^ n << 24;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? char(c + 32) : c;
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

NameIndex::NameIndex(std::vector<std::string_view> names) : names_(std::move(names)) {
  // Eight slots a name make a collision-free multiplier quick to find: about one try in e^(n/16)
  // for n names would be hopeless at four hundred, so the table grows until one turns up.
  size_t slots = std::bit_ceil(names_.size() * 8 + 1);
  ae::Prng prng(0x6d696c6c72616365);
  for (;; slots *= 2) {
    slots_.assign(slots, -1);
    shift_ = 64 - std::countr_zero(slots);
    for (int attempt = 0; attempt < 2000; ++attempt)
      if (try_multiplier(prng.next() | 1)) return;
    AE_ASSERT(slots < (size_t{1} << 24));  // two names are equal
  }
}

bool NameIndex::try_multiplier(uint64_t multiplier) {
  multiplier_ = multiplier;
  std::fill(slots_.begin(), slots_.end(), int16_t{-1});
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].empty()) continue;
    int16_t& entry = slots_[slot(names_[i])];
    if (entry >= 0) return false;
    entry = int16_t(i);
  }
  return true;
}

uint32_t NameIndex::slot(std::string_view name) const {
  return uint32_t((fold(name) * multiplier_) >> shift_);
}

int NameIndex::find(std::string_view name) const {
  int16_t position = slots_[slot(name)];
  if (position < 0 || !equals_ignoring_case(names_[position], name)) return -1;
  return position;
}

CommandTable::CommandTable(std::span<const std::span<const CommandSpec>> families,
                           std::span<const Rename> renames) {
  size_t total = 0;
  for (auto family : families)
    for (const CommandSpec& spec : family) total += 1 + spec.subcommands.size();
  commands_.reserve(total);  // pointers into it are handed out

  std::vector<std::string_view> names;
  auto add = [&](const CommandSpec& spec, const Command* parent) {
    AE_ASSERT(spec.handler || !spec.subcommands.empty());
    Command command{.spec = &spec,
                    .id = uint16_t(commands_.size()),
                    .parent = parent,
                    .full_name = {},
                    .subcommands = {},
                    .index = {}};
    command.full_name = parent ? parent->full_name + "|" : std::string();
    command.full_name += spec.name;
    commands_.push_back(std::move(command));
  };
  for (auto family : families)
    for (const CommandSpec& spec : family) {
      names.push_back(spec.name);
      add(spec, nullptr);
    }
  top_level_ = commands_.size();
  own_names_ = index_ = std::make_shared<NameIndex>(names);
  if (!renames.empty()) {
    new_names_.reserve(renames.size());  // the index has views of them
    for (const Rename& one : renames) rename(names, one);
    index_ = std::make_shared<NameIndex>(std::move(names));
  }

  for (size_t i = 0; i < top_level_; ++i) {
    Command& container = commands_[i];
    if (container.spec->subcommands.empty()) continue;
    size_t first = commands_.size();
    std::vector<std::string_view> words;
    for (const CommandSpec& spec : container.spec->subcommands) {
      add(spec, &container);
      words.push_back(spec.name);
    }
    container.subcommands = {&commands_[first], commands_.size() - first};
    container.index = std::make_shared<NameIndex>(std::move(words));
  }
  for (const Command& command : commands_) by_id_.push_back(&command);
  for (size_t i = 0; i < top_level_; ++i)
    if (!index_->name(i).empty()) named_.push_back(&commands_[i]);
}

const Command* CommandTable::resolve_subcommand(const Command* container, std::string_view word) {
  int position = container->index->find(word);
  return position < 0 ? container : &container->subcommands[position];
}

// One by one and in their order, so that a name that a line gives up is free for the next.
void CommandTable::rename(std::vector<std::string_view>& names, const Rename& rename) {
  const auto called = [&](std::string_view wanted) {
    return std::find_if(names.begin(), names.end(), [&](std::string_view name) {
      return !name.empty() && equals_ignoring_case(name, wanted);
    });
  };
  const auto command = called(rename.command);
  if (command == names.end()) {
    problem_ = "No such command in rename-command: '" + rename.command + "'";
    return;
  }
  if (called(rename.name) != names.end()) {
    problem_ = "Target command name already exists: '" + rename.name + "'";
    return;
  }
  *command = new_names_.emplace_back(rename.name);
}

const Command* CommandTable::find_in(const NameIndex& index, std::string_view full_name) const {
  size_t bar = full_name.find('|');
  int position = index.find(full_name.substr(0, bar));
  if (position < 0) return nullptr;
  const Command* command = &commands_[position];
  if (bar == std::string_view::npos) return command;
  if (command->subcommands.empty()) return nullptr;
  const Command* found = resolve_subcommand(command, full_name.substr(bar + 1));
  return found == command ? nullptr : found;
}

}  // namespace millrace
