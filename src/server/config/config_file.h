// Configuration files as lines: reading, comments, quotes, includes. What the words mean is no
// matter here (directive.h), so a line may be anything.
//
//   ConfigText text;
//   read_config_file("/etc/millrace.conf", "/", text);
//   for (const ConfigLine& line : text.lines) {
//     if (line.error) ...                      // what is wrong with it
//     else use(line.words);                    // line.words[0] is the directive
//   }
//
// The grammar is that of redis.conf: a line is blank, a comment (first character '#'), or words.
// The directive `include path` is replaced by the lines of that file; the path may be a glob
// pattern, whose matches are read in alphabetical order and which may match nothing.
//
// Nothing here fails as a whole: what cannot be read is a line with an error, in its place, so that
// all errors of a configuration can be told in order.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/result.h"

namespace millrace {

// A configuration of a megabyte is no configuration. Keeps `include /dev/zero` from eating the
// memory.
inline constexpr size_t kMaxConfigFileBytes = 1 << 20;

// A file that includes itself is stopped here.
inline constexpr size_t kMaxIncludeDepth = 16;

// All files together; a pattern may match many, and each may include patterns. Reading stops there.
inline constexpr size_t kMaxConfigFiles = 256;

// And all their lines. Each directive twenty times would be 4,000.
inline constexpr size_t kMaxConfigLines = 64 * 1024;

struct ConfigLine {
  std::string source;
  size_t number = 0;  // from 1, in its source; 0: the source as a whole (it could not be opened)
  std::string text;   // without the white space around it
  std::vector<std::string> words;  // at least one, if there is no error
  std::optional<std::string> error;
};

struct ConfigText {
  std::vector<ConfigLine> lines;  // in the order in which they take effect, includes in their place
  size_t files = 0;
};

// Appends the file's lines to `text`. Relative paths, `path` itself and included ones, start at
// `directory`.
void read_config_file(const std::string& path, const std::string& directory, ConfigText& text);

// The same for text that is at hand. `source` names it in problems.
void read_config_text(std::string_view bytes, const std::string& source,
                      const std::string& directory, ConfigText& text);

// The whole file; EFBIG beyond kMaxConfigFileBytes.
ae::Result<std::string> read_whole_file(const std::string& path);

// All that standard input has, with the same limit.
ae::Result<std::string> read_standard_input();

}  // namespace millrace
