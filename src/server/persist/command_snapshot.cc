#include "server/persist/command_snapshot.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "ae/base/decimal.h"
#include "server/persist/command_text.h"
#include "server/persist/stream_commands.h"
#include "server/scripting/function_registry.h"

namespace millrace {
namespace {

void add_string(CommandText& text, const Entry& entry) {
  TextBuffer buffer;
  text.add({"SET", entry.key(), entry.text(buffer)});
}

void add_list(CommandText& text, const Entry& entry) {
  CollectionCommands commands(text, "RPUSH", entry.key(), entry.list().size());
  entry.list().for_range(0, entry.list().size(), [&](const ds::Element& element) {
    ds::Element::TextBuffer buffer;
    commands.element({element.text(buffer)});
  });
}

void add_set(CommandText& text, const Entry& entry) {
  CollectionCommands commands(text, "SADD", entry.key(), entry.set().size());
  entry.set().for_each([&](std::string_view member) { commands.element({member}); });
}

void add_sorted_set(CommandText& text, const Entry& entry) {
  CollectionCommands commands(text, "ZADD", entry.key(), entry.sorted_set().size());
  entry.sorted_set().for_each([&](std::string_view member, double score) {
    char number[ae::kMaxDoubleChars];
    commands.element({{number, ae::format_double(score, number)}, member});
  });
}

void add_hash(CommandText& text, const Entry& entry) {
  CollectionCommands commands(text, "HMSET", entry.key(), entry.hash().size());
  entry.hash().for_each([&](std::string_view field, std::string_view value) {
    commands.element({field, value});
  });
}

void add_value(CommandText& text, const Entry& entry) {
  switch (entry.type()) {
    case Type::kString:
      return add_string(text, entry);
    case Type::kList:
      return add_list(text, entry);
    case Type::kSet:
      return add_set(text, entry);
    case Type::kZSet:
      return add_sorted_set(text, entry);
    case Type::kHash:
      return add_hash(text, entry);
    case Type::kStream:
      return add_stream(text, entry.key(), entry.stream());
  }
}

void add_entry(CommandText& text, const Entry& entry) {
  add_value(text, entry);
  if (entry.has_expiry())
    text.add({"PEXPIREAT", entry.key(), std::to_string(entry.expire_at_ms())});
}

}  // namespace

ae::Status write_commands(ByteSink& sink, const Databases& databases,
                          const scripting::FunctionRegistry& functions, KeyDelay delay) {
  CommandText text(sink);
  for (const auto& [name, library] : functions.libraries())
    text.add({"FUNCTION", "LOAD", library->code});
  for (size_t db = 0; db < databases.count() && text.status(); ++db) {
    if (databases[db].size() == 0) continue;
    text.add({"SELECT", std::to_string(db)});
    databases[db].for_each([&](const Entry& entry) {
      add_entry(text, entry);
      delay.after_key();
    });
  }
  return text.finish();
}

}  // namespace millrace
