#include "server/persist/aof_manifest.h"

#include <algorithm>
#include <charconv>

#include "server/config/text.h"

namespace millrace {
namespace {

constexpr std::string_view kEmpty = "Found an empty AOF manifest";
constexpr std::string_view kTooLong = "The AOF manifest file contains too long line";
constexpr std::string_view kInvalid = "Invalid AOF manifest file format";
constexpr std::string_view kPath = "File can't be a path, just a filename";
constexpr std::string_view kDuplicateBase = "Found duplicate base file information";
constexpr std::string_view kNotRising = "Found a non-monotonic sequence number";
constexpr std::string_view kUnknownType = "Unknown AOF file type";

constexpr std::string_view kBlanks = " \t\r\n";

struct ManifestLine {
  AofFile file;
  char type = 0;
};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The number at the front of the word; 0, which no file has, where there is none.
int64_t sequence_of(std::string_view word) {
  int64_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

tl::expected<ManifestLine, std::string_view> parse_line(std::string_view text) {
  const auto words = split_words(text);
  if (!words || words->size() < 6 || words->size() % 2 != 0) return tl::unexpected(kInvalid);
  ManifestLine line;
  for (size_t i = 0; i < words->size(); i += 2) {
    const std::string &key = (*words)[i], &value = (*words)[i + 1];
    if (equal_ignoring_case(key, "file")) {
      if (value.find('/') != std::string::npos) return tl::unexpected(kPath);
      line.file.name = value;
    } else if (equal_ignoring_case(key, "seq")) {
      line.file.sequence = sequence_of(value);
    } else if (equal_ignoring_case(key, "type")) {
      line.type = value.empty() ? '\0' : value.front();
    }
  }
  const bool whole = !line.file.name.empty() && line.file.sequence > 0 && line.type != 0;
  if (!whole) return tl::unexpected(kInvalid);
  return line;
}

// Empty: taken.
std::string_view take(AofManifest& manifest, ManifestLine line) {
  switch (line.type) {
    case 'b':
      if (manifest.base) return kDuplicateBase;
      manifest.base_sequence = line.file.sequence;
      manifest.base = std::move(line.file);
      return {};
    case 'h':
      manifest.history.push_back(std::move(line.file));
      return {};
    case 'i':
      if (line.file.sequence <= manifest.increment_sequence) return kNotRising;
      manifest.increment_sequence = line.file.sequence;
      manifest.increments.push_back(std::move(line.file));
      return {};
    default:
      return kUnknownType;
  }
}

void add_line(std::string& text, const AofFile& file, char type) {
  text.append("file ").append(quoted_word(file.name)).append(" seq ");
  text.append(std::to_string(file.sequence)).append(" type ").append(1, type).append("\n");
}

}  // namespace

tl::expected<AofManifest, ManifestProblem> AofManifest::parse(std::string_view text) {
  if (text.empty()) return tl::unexpected(ManifestProblem{0, "", kEmpty});
  AofManifest manifest;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, std::min(end, text.size())));
    const auto problem = [&](std::string_view sentence) {
      return tl::unexpected(ManifestProblem{number, std::string(line), sentence});
    };
    // A line without an end was cut off, whatever its length.
    if (end == std::string_view::npos || end >= kMaxLineBytes) return problem(kTooLong);
    text.remove_prefix(end + 1);
    if (line.starts_with('#')) continue;
    auto parsed = parse_line(line);
    if (!parsed) return problem(parsed.error());
    const std::string_view refused = take(manifest, std::move(*parsed));
    if (!refused.empty()) return problem(refused);
  }
  return manifest;
}

std::string AofManifest::text() const {
  std::string text;
  if (base) add_line(text, *base, 'b');
  for (const AofFile& file : history) add_line(text, file, 'h');
  for (const AofFile& file : increments) add_line(text, file, 'i');
  return text;
}

void AofManifest::replace_base(AofFile fresh, size_t first_kept) {
  if (base) history.push_back(std::move(*base));
  const auto kept = increments.begin() + std::min(ptrdiff_t(first_kept), std::ssize(increments));
  std::move(increments.begin(), kept, std::back_inserter(history));
  increments.erase(increments.begin(), kept);
  base_sequence = fresh.sequence;
  base = std::move(fresh);
}

}  // namespace millrace
