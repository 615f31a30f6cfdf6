// COMMAND DOCS' part of command_facts.h: a row's texts, and the argument tree of its synopsis.
#include <algorithm>

#include "server/command/syntax_tree.h"
#include "server/commands/command_facts.h"

namespace millrace {
namespace {

using Kind = SyntaxNode::Kind;
using proto::ReplyWriter;

constexpr std::string_view group_name(Group group) {
  constexpr std::string_view kNames[] = {
      "generic", "string",       "list",       "set",    "sorted-set", "hash",
      "pubsub",  "transactions", "connection", "server", "scripting",  "hyperloglog",
      "cluster", "sentinel",     "geo",        "stream", "bitmap"};
  return kNames[size_t(group)];
}
static_assert(group_name(Group::kBitmap) == "bitmap");

void reply_pair(ReplyWriter& reply, std::string_view name, std::string_view text) {
  reply.bulk(name);
  reply.bulk(text);
}

std::string_view type_name(const SyntaxNode& node) {
  switch (node.kind) {
    case Kind::kToken:
      return "pure-token";
    case Kind::kOneOf:
      return "oneof";
    case Kind::kBlock:
      return "block";
    case Kind::kValue:
      break;
  }
  return type_of_value(node.name);
}

// Writes the trees of one command; keys are numbered by the specification they belong to.
class ArgumentWriter {
 public:
  ArgumentWriter(ReplyWriter& reply, const CommandSpec& spec)
      : reply_(reply),
        last_specification_(int(spec.more_keys.kind != KeySpec::Kind::kNone) +
                            int(spec.third_keys.kind != KeySpec::Kind::kNone)) {}

  void write(const std::vector<SyntaxNode>& nodes) {
    reply_.array(nodes.size());
    for (const SyntaxNode& node : nodes) write(node);
  }

 private:
  static size_t field_count(const SyntaxNode& node, bool is_key) {
    const bool has_token = !node.token.empty();
    const bool has_flags = node.optional || node.multiple || node.multiple_token;
    return 3 + size_t(is_key) + size_t(has_token) + size_t(has_flags);
  }

  void write(const SyntaxNode& node) {
    const std::string_view type = type_name(node);
    const bool is_key = type == "key";
    reply_.map(field_count(node, is_key));
    reply_pair(reply_, "name", node.name);
    reply_pair(reply_, "type", type);
    if (!node.is_group()) reply_pair(reply_, "display_text", node.name);
    if (is_key) {
      reply_.bulk("key_spec_index");
      reply_.integer(std::min(keys_seen_++, last_specification_));
    }
    if (!node.token.empty()) reply_pair(reply_, "token", node.token);
    write_flags(node);
    if (!node.is_group()) return;
    reply_.bulk("arguments");
    write(node.children);
  }

  void write_flags(const SyntaxNode& node) {
    const int count = int(node.optional) + int(node.multiple) + int(node.multiple_token);
    if (count == 0) return;
    reply_.bulk("flags");
    reply_.set(size_t(count));
    if (node.optional) reply_.status("optional");
    if (node.multiple) reply_.status("multiple");
    if (node.multiple_token) reply_.status("multiple_token");
  }

  ReplyWriter& reply_;
  int last_specification_;
  int keys_seen_ = 0;
};

}  // namespace

void reply_command_docs(ReplyWriter& reply, const Command& command) {
  const CommandSpec& spec = *command.spec;
  const std::vector<SyntaxNode> arguments = parse_syntax(spec.syntax);
  reply.map(4 + size_t(!arguments.empty()) + size_t(!command.subcommands.empty()));
  reply_pair(reply, "summary", spec.summary);
  reply_pair(reply, "since", spec.since);
  reply_pair(reply, "group", group_name(spec.group));
  reply_pair(reply, "complexity", spec.complexity);
  if (!arguments.empty()) {
    reply.bulk("arguments");
    ArgumentWriter(reply, spec).write(arguments);
  }
  if (command.subcommands.empty()) return;
  reply.bulk("subcommands");
  reply.map(command.subcommands.size());
  for (const Command& subcommand : command.subcommands) {
    reply.bulk(subcommand.full_name);
    reply_command_docs(reply, subcommand);
  }
}

}  // namespace millrace
