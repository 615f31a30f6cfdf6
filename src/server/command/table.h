// The vocabulary of the server: every command by name, found without an allocation or a string
// hash.
//
// A name is folded to lower case while it is loaded: its first and last eight bytes and its length
// make two words, one multiplication and a shift give the slot. The multiplier is searched once, at
// start, until no two names share a slot (a perfect hash in the manner of Fredman, Komlós and
// Szemerédi, "Storing a sparse table with O(1) worst case access time", 1984), so a lookup is one
// probe and one compare.
//
// Thread: immutable after construction, shared by all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/command/spec.h"
#include "server/config/access.h"

namespace millrace {

class NameIndex;

// A command at run time: its row, and a small dense number that statistics are kept under.
struct Command {
  const CommandSpec* spec = nullptr;
  uint16_t id = 0;
  const Command* parent = nullptr;         // the container of a subcommand
  std::string full_name;                   // "client|getname"
  std::span<const Command> subcommands;    // of a container
  std::shared_ptr<const NameIndex> index;  // of a container
};

// Names to positions, case-insensitively, one probe each. An empty name is not found.
class NameIndex {
 public:
  explicit NameIndex(std::vector<std::string_view> names);
  // The position of `name` among the names, or -1.
  int find(std::string_view name) const;
  std::string_view name(size_t position) const { return names_[position]; }

 private:
  bool try_multiplier(uint64_t multiplier);
  uint32_t slot(std::string_view name) const;

  std::vector<std::string_view> names_;
  std::vector<int16_t> slots_;
  uint64_t multiplier_ = 0;
  int shift_ = 0;
};

class CommandTable {
 public:
  explicit CommandTable(std::span<const std::span<const CommandSpec>> families,
                        std::span<const Rename> renames = {});
  // Why a renaming could not be done; the others were. A sentence for the operator.
  const std::optional<std::string>& problem() const { return problem_; }

  // The command an argument list names: the subcommand where the first word is a container's and
  // the second is known. Null: unknown command; a container: its subcommand is missing or unknown.
  const Command* resolve(std::span<const std::string_view> args) const {
    int position = index_->find(args[0]);
    if (position < 0) return nullptr;
    const Command* command = &commands_[position];
    if (command->subcommands.empty() || args.size() < 2) return command;
    return resolve_subcommand(command, args[1]);
  }
  // "get", "client|getname" (as COMMAND INFO takes them); null when unknown.
  const Command* find(std::string_view full_name) const { return find_in(*index_, full_name); }
  // The same by its own name, whatever rename-command calls it: access rules go by that.
  const Command* find_original(std::string_view full_name) const {
    return find_in(*own_names_, full_name);
  }

  std::span<const Command> commands() const { return {commands_.data(), top_level_}; }
  // Those of them that have a name: rename-command can take it away.
  std::span<const Command* const> named() const { return named_; }
  // Every command and subcommand, by id.
  const Command& by_id(uint16_t id) const { return *by_id_[id]; }
  size_t size() const { return by_id_.size(); }

 private:
  static const Command* resolve_subcommand(const Command* container, std::string_view word);
  const Command* find_in(const NameIndex& index, std::string_view full_name) const;
  void rename(std::vector<std::string_view>& names, const Rename& rename);

  std::vector<Command> commands_;  // top level first, then subcommands, contiguous per container
  size_t top_level_ = 0;
  std::vector<const Command*> by_id_;
  std::vector<const Command*> named_;
  std::vector<std::string> new_names_;
  std::shared_ptr<const NameIndex> own_names_;
  std::shared_ptr<const NameIndex> index_;  // the same object while nothing is renamed
  std::optional<std::string> problem_;
};

// Every family of this build.
std::span<const std::span<const CommandSpec>> command_families();

bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace millrace
