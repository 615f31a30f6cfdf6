#include <algorithm>

#include "ae/base/decimal.h"
#include "proto/reply_value.h"

namespace proto {
namespace {

// "txt:" of a verbatim text.
constexpr size_t kVerbatimPrefixBytes = 4;

std::string integer_text(int64_t value) {
  char text[ae::kMaxInt64Chars];
  return {text, ae::format_int64(value, text)};
}

std::string verbatim_text(const std::string& text) {
  return text.substr(std::min(kVerbatimPrefixBytes, text.size()));
}

// Statuses and errors are shown bare; with a control byte in them, in quotes, so that a line stays
// one.
std::string bare_text(const std::string& text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  return std::any_of(text.begin(), text.end(), is_control) ? quoted(text) : text;
}

std::string scalar_text(const ReplyValue& value) {
  switch (value.kind) {
    case ReplyKind::kStatus:
      return bare_text(value.text);
    case ReplyKind::kError:
      return "(error) " + bare_text(value.text);
    case ReplyKind::kInteger:
      return "(integer) " + integer_text(value.integer);
    case ReplyKind::kBulk:
      return quoted(value.text);
    case ReplyKind::kVerbatim:
      return verbatim_text(value.text);
    case ReplyKind::kDouble:
      return "(double) " + value.text;
    case ReplyKind::kBigNumber:
      return "(big number) " + value.text;
    case ReplyKind::kBoolean:
      return value.integer != 0 ? "(true)" : "(false)";
    default:
      return "(nil)";
  }
}

// How the kinds of aggregates are told apart, many lines and one line.
struct AggregateStyle {
  const char* empty;
  char mark;         // after the number of an element
  const char* open;  // one line
  const char* close;
};

AggregateStyle style_of(ReplyKind kind) {
  switch (kind) {
    case ReplyKind::kMap:
      return {"(empty hash)", '#', "{", "}"};
    case ReplyKind::kSet:
      return {"(empty set)", '~', "~[", "]"};
    case ReplyKind::kPush:
      return {"(empty push)", '>', ">[", "]"};
    default:
      return {"(empty array)", ')', "[", "]"};
  }
}

// Writes a tree with the children of each aggregate in one column.
class TextWriter {
 public:
  void write(const ReplyValue& value, size_t column) {
    if (!value.attributes.empty()) write_attributes(value, column);
    if (!value.is_aggregate()) {
      out_ += scalar_text(value);
    } else if (value.children.empty()) {
      out_ += style_of(value.kind).empty;
    } else {
      write_children(value, column);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void write_children(const ReplyValue& value, size_t column) {
    const bool pairs = value.kind == ReplyKind::kMap;
    const size_t step = pairs ? 2 : 1;
    const size_t count = value.children.size() / step;
    const size_t width = ae::decimal_length(count);
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) new_line(column);
      const size_t inner = write_number(i + 1, width, style_of(value.kind).mark, column);
      write(value.children[i * step], inner);
      if (pairs) write_map_value(value.children[i * step + 1], inner);
    }
  }

  // Returns the column behind the number.
  size_t write_number(size_t number, size_t width, char mark, size_t column) {
    out_.append(width - ae::decimal_length(number), ' ');
    out_ += integer_text(static_cast<int64_t>(number));
    out_ += mark;
    out_ += ' ';
    return column + width + 2;
  }

  // An aggregate below its key, a scalar beside it.
  void write_map_value(const ReplyValue& value, size_t column) {
    out_ += " =>";
    if (value.is_aggregate() && !value.children.empty()) {
      new_line(column);
    } else {
      out_ += ' ';
    }
    write(value, column);
  }

  void write_attributes(const ReplyValue& value, size_t column) {
    out_ += "(attributes)";
    for (size_t i = 0; i + 1 < value.attributes.size(); i += 2) {
      out_ += ' ' + to_line(value.attributes[i]) + " => " + to_line(value.attributes[i + 1]);
    }
    new_line(column);
  }

  void new_line(size_t column) {
    out_ += '\n';
    out_.append(column, ' ');
  }

  std::string out_;
};

void append_line(const ReplyValue& value, std::string* out);

void append_children(const std::vector<ReplyValue>& children, bool pairs, std::string* out) {
  for (size_t i = 0; i < children.size(); ++i) {
    if (i > 0) *out += pairs && i % 2 == 1 ? " => " : ", ";
    append_line(children[i], out);
  }
}

void append_line(const ReplyValue& value, std::string* out) {
  if (!value.attributes.empty()) {
    *out += "|{";
    append_children(value.attributes, true, out);
    *out += "} ";
  }
  if (!value.is_aggregate()) {
    *out +=
        value.kind == ReplyKind::kVerbatim ? quoted(verbatim_text(value.text)) : scalar_text(value);
    return;
  }
  const AggregateStyle style = style_of(value.kind);
  *out += style.open;
  append_children(value.children, value.kind == ReplyKind::kMap, out);
  *out += style.close;
}

// The letter of a one-letter escape, or 0.
char escape_letter(char c) {
  switch (c) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\a':
      return 'a';
    case '\b':
      return 'b';
    case '"':
    case '\\':
      return c;
    default:
      return 0;
  }
}

}  // namespace

std::string to_text(const ReplyValue& value) {
  TextWriter writer;
  writer.write(value, 0);
  return writer.take();
}

std::string to_line(const ReplyValue& value) {
  std::string out;
  append_line(value, &out);
  return out;
}

std::string quoted(std::string_view bytes) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (const char letter = escape_letter(c)) {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += "\\x";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace proto
