#include "server/config/config_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "server/config/text.h"

namespace millrace {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

std::string absolute(const std::string& path, const std::string& directory) {
  return (std::filesystem::path(directory) / path).string();
}

bool is_pattern(std::string_view path) {
  return path.find_first_of("*?[") != path.npos;
}

// The paths a pattern stands for, in alphabetical order.
std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

ae::Result<std::string> read_all(int fd) {
  std::string bytes;
  constexpr size_t kChunkBytes = 16 * 1024;
  while (bytes.size() <= kMaxConfigFileBytes) {
    const size_t had = bytes.size();
    bytes.resize(had + kChunkBytes);
    const ssize_t got = read(fd, bytes.data() + had, kChunkBytes);
    const int error = errno;
    bytes.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return bytes;
    if (got < 0 && error != EINTR) return ae::fail(error, "read");
  }
  return ae::fail(EFBIG, "read");
}

// Walks a text and what it includes. The depth is that of the call stack.
class Reader {
 public:
  Reader(const std::string& directory, ConfigText& text) : directory_(directory), text_(text) {}

  // `asked_by` is the line that names the file; it takes the error if there is one.
  void read_file(const std::string& path, const ConfigLine& asked_by) {
    if (text_.files == kMaxConfigFiles) return stop(asked_by, "too many configuration files");
    ++text_.files;
    const ae::Result<std::string> bytes = read_whole_file(absolute(path, directory_));
    if (bytes) return read_text(*bytes, path);
    add_error(asked_by, fmt::format("can't open config file '{}': {}", path,
                                    std::strerror(bytes.error().code)));
  }

  void read_text(std::string_view bytes, const std::string& source) {
    for (size_t number = 1; !bytes.empty() && !stopped_; ++number) {
      const size_t end = std::min(bytes.find('\n'), bytes.size());
      ConfigLine line{source, number, std::string(trimmed(bytes.substr(0, end))), {}, {}};
      bytes.remove_prefix(std::min(end + 1, bytes.size()));
      if (!line.text.empty() && line.text[0] != '#') read_line(std::move(line));
    }
  }

 private:
  void read_line(ConfigLine line) {
    if (text_.lines.size() == kMaxConfigLines) return stop(line, "too many lines");
    if (line.text.find('\0') != line.text.npos) return add_error(line, "a NUL byte in the line");
    std::optional<std::vector<std::string>> words = split_words(line.text);
    if (!words) return add_error(line, "Unbalanced quotes in configuration line");
    line.words = std::move(*words);
    if (equal_ignoring_case(line.words[0], "include")) return include(line);
    text_.lines.push_back(std::move(line));
  }

  void include(const ConfigLine& line) {
    if (line.words.size() != 2) return add_error(line, "wrong number of arguments");
    if (depth_ == kMaxIncludeDepth) {
      return add_error(line,
                       fmt::format("more than {} files, each included by the one before: does "
                                   "a file include itself?",
                                   kMaxIncludeDepth));
    }
    ++depth_;
    if (is_pattern(line.words[1])) {
      for (const std::string& path : matches(absolute(line.words[1], directory_))) {
        read_file(path, line);
      }
    } else {
      read_file(line.words[1], line);
    }
    --depth_;
  }

  void stop(const ConfigLine& line, const char* error) {
    if (!stopped_) add_error(line, error);
    stopped_ = true;
  }

  void add_error(const ConfigLine& line, std::string error) {
    text_.lines.push_back({line.source, line.number, line.text, {}, std::move(error)});
  }

  const std::string& directory_;
  ConfigText& text_;
  size_t depth_ = 0;
  bool stopped_ = false;
};

}  // namespace

void read_config_file(const std::string& path, const std::string& directory, ConfigText& text) {
  Reader(directory, text).read_file(path, {path, 0, "", {}, {}});
}

void read_config_text(std::string_view bytes, const std::string& source,
                      const std::string& directory, ConfigText& text) {
  Reader(directory, text).read_text(bytes, source);
}

ae::Result<std::string> read_whole_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ae::fail(errno, "open");
  ae::Result<std::string> bytes = read_all(fd);
  close(fd);
  return bytes;
}

ae::Result<std::string> read_standard_input() {
  return read_all(STDIN_FILENO);
}

}  // namespace millrace
