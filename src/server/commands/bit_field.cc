// BITFIELD: integers of any width at any bit of a string, several operations in one command.
#include <algorithm>
#include <vector>

#include "server/command/arg_reader.h"
#include "server/commands/bit_string.h"
#include "server/commands/families.h"
#include "server/ds/bit_field.h"

namespace millrace {
namespace {

using ds::BitFieldType;
using ds::Overflow;

enum class Verb : uint8_t { kGet, kSet, kIncrement };

struct Operation {
  Verb verb;
  BitFieldType type;
  uint64_t offset;
  int64_t operand = 0;                  // the value, the increment
  Overflow overflow = Overflow::kWrap;  // what the last OVERFLOW before it said

  uint64_t last_bit() const { return offset + type.bits - 1; }
};

// What a request wants, in order. All of it is read before anything is done.
struct Program {
  std::vector<Operation> operations;

  bool reads_only() const {
    return std::all_of(operations.begin(), operations.end(),
                       [](const Operation& each) { return each.verb == Verb::kGet; });
  }
  uint64_t highest_written_bit() const {
    uint64_t highest = 0;
    for (const Operation& each : operations)
      if (each.verb != Verb::kGet) highest = std::max(highest, each.last_bit());
    return highest;
  }
};

std::optional<Verb> take_verb(ArgReader& args) {
  if (args.take("GET", 2)) return Verb::kGet;
  if (args.take("SET", 3)) return Verb::kSet;
  if (args.take("INCRBY", 3)) return Verb::kIncrement;
  return std::nullopt;
}

Overflow read_overflow(ArgReader& args) {
  if (args.take("WRAP")) return Overflow::kWrap;
  if (args.take("SAT")) return Overflow::kSaturate;
  if (args.take("FAIL")) return Overflow::kFail;
  args.error("ERR Invalid OVERFLOW type specified");
  return Overflow::kWrap;
}

// Bits, or with a '#' in front fields of this type.
std::optional<uint64_t> read_offset(Context& c, std::string_view text, BitFieldType type) {
  const bool in_fields = !text.empty() && text[0] == '#';
  return read_bit_offset(c, text.substr(in_fields), in_fields ? type.bits : 1);
}

// Behind the verb: type offset [operand]. Nothing: answered an error.
std::optional<Operation> read_operation(Context& c, ArgReader& args, Verb verb, Overflow overflow) {
  const auto type = BitFieldType::parse(args.word());
  if (!type) {
    args.error(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
        "i64 is.");
    return std::nullopt;
  }
  const auto offset = read_offset(c, args.word(), *type);
  if (!offset) return std::nullopt;
  Operation operation{verb, *type, *offset, 0, overflow};
  if (verb != Verb::kGet) operation.operand = args.integer();
  if (!args.ok()) return std::nullopt;
  return operation;
}

std::optional<Program> read_program(Context& c) {
  ArgReader args(c, 2);
  Program program;
  Overflow overflow = Overflow::kWrap;
  while (args.more()) {
    if (args.take("OVERFLOW", 1)) {
      overflow = read_overflow(args);
    } else if (const auto verb = take_verb(args)) {
      const auto operation = read_operation(c, args, *verb, overflow);
      if (!operation) return std::nullopt;
      program.operations.push_back(*operation);
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return std::nullopt;
  return program;
}

// --- running it

void read_fields(Context& c, const Program& program) {
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  TextBuffer buffer;
  const std::string_view bytes = entry ? entry->text(buffer) : std::string_view();
  c.reply().array(program.operations.size());
  for (const Operation& each : program.operations)
    c.reply().integer(each.type.get(bytes, each.offset));
}

// What SET or INCRBY is to write, before it is made to fit. An unsigned field is set to the
// operand's bits, so that a negative one is far too large.
BitFieldType::Wide intended_value(const Operation& operation, int64_t old) {
  using Wide = BitFieldType::Wide;
  if (operation.verb == Verb::kIncrement) return Wide{old} + operation.operand;
  if (operation.type.is_signed) return operation.operand;
  return static_cast<uint64_t>(operation.operand);
}

// Answers one operation; true: it has changed the string.
bool apply(Context& c, const Operation& operation, ae::MutableBytes bytes) {
  const BitFieldType type = operation.type;
  const int64_t old = type.get({bytes.data(), bytes.size()}, operation.offset);
  if (operation.verb == Verb::kGet) return c.reply().integer(old), false;
  const auto value = type.fit(intended_value(operation, old), operation.overflow);
  if (!value) return c.reply().null(), false;
  type.set(bytes, operation.offset, *value);
  c.reply().integer(operation.verb == Verb::kSet ? old : *value);
  return *value != old;
}

void change_fields(Context& c, const Program& program) {
  const auto string = writable_bits(c, program.highest_written_bit());
  if (!string) return;
  bool changed = string->grown;
  c.reply().array(program.operations.size());
  for (const Operation& each : program.operations) changed |= apply(c, each, string->bytes);
  if (changed) c.modified(c.key(1), KeyEventClass::kString, "setbit");
}

// BITFIELD key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value |
//   INCRBY encoding offset increment> …]
void bitfield(Context& c) {
  const auto program = read_program(c);
  if (!program) return;
  program->reads_only() ? read_fields(c, *program) : change_fields(c, *program);
}

// BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]
void bitfield_ro(Context& c) {
  const auto program = read_program(c);
  if (!program) return;
  if (!program->reads_only()) return c.fail("ERR BITFIELD_RO only supports the GET subcommand");
  read_fields(c, *program);
}

constexpr CommandSpec kTable[] = {
    {.name = "bitfield",
     .handler = bitfield,
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .since = "3.2.0",
     .group = Group::kBitmap,
     .summary = "Reads and changes integers of any width inside a string.",
     .complexity = "O(1) for each operation",
     .syntax = "key [<GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset "
               "value | INCRBY encoding offset increment>> [<GET encoding offset | [OVERFLOW <WRAP "
               "| SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment>> "
               "...]]"},
    {.name = "bitfield_ro",
     .handler = bitfield_ro,
     .arity = -2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "6.0.0",
     .group = Group::kBitmap,
     .summary = "Reads integers of any width inside a string.",
     .complexity = "O(1) for each operation",
     .syntax = "key [GET encoding offset [GET encoding offset ...]]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> bit_field_commands() {
  return kTable;
}

}  // namespace millrace
