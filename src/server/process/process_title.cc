#include "server/process/process_title.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

namespace millrace {
namespace {

std::string listening_address(const Config& config) {
  if (config.port == 0 && !config.unixsocket.empty()) return config.unixsocket;
  const std::string address = config.bind.empty() ? "*" : config.bind[0];
  return fmt::format("{}:{}", address, config.port);
}

std::string value_of(std::string_view variable, const Config& config, std::string_view executable,
                     std::string_view config_file) {
  if (variable == "title") return std::string(executable);
  if (variable == "listen-addr") return listening_address(config);
  if (variable == "port") return std::to_string(config.port);
  if (variable == "tls-port") return "0";
  if (variable == "unixsocket") return config.unixsocket;
  if (variable == "config-file") return std::string(config_file);
  return {};  // server-mode: neither cluster node nor sentinel
}

// The run of bytes from argv[0] to the end of the last variable that lies right behind the one
// before. glibc keeps the pointer to argv[0] in program_invocation_name.
std::span<char> find_room() {
  char* const begin = program_invocation_name;
  char* end = begin + std::strlen(begin) + 1;
  // The arguments: as many strings as lie before the environment.
  while (environ[0] && end < environ[0]) end += std::strlen(end) + 1;
  for (char** variable = environ; *variable && *variable == end; ++variable) {
    end += std::strlen(end) + 1;
  }
  return {begin, end};
}

// The copies live as long as the process.
void move_environment() {
  size_t count = 0;
  while (environ[count]) ++count;
  char** const moved = new char*[count + 1];
  for (size_t i = 0; i < count; ++i) moved[i] = strdup(environ[i]);
  moved[count] = nullptr;
  environ = moved;
}

struct Room {
  std::string executable;
  std::span<char> bytes;
};

const Room& room() {
  static const Room& instance = *[] {
    auto* found = new Room{program_invocation_name, find_room()};
    move_environment();
    program_invocation_name = strdup(program_invocation_name);  // error(3) and glibc itself use it
    return found;
  }();
  return instance;
}

}  // namespace

std::string expand_title(const Config& config, std::string_view executable,
                         std::string_view config_file) {
  std::string out;
  std::string_view rest = config.proc_title_template;
  while (!rest.empty()) {
    const size_t open = std::min(rest.find('{'), rest.size());
    out.append(rest.substr(0, open));
    rest.remove_prefix(open);
    const size_t close = rest.find('}');
    if (close == rest.npos) break;
    out.append(value_of(rest.substr(1, close - 1), config, executable, config_file));
    rest.remove_prefix(close + 1);
  }
  while (out.ends_with(' ')) out.pop_back();  // {server-mode} is empty
  return out;
}

void set_process_title(std::string_view title) {
  const std::span<char> bytes = room().bytes;
  const size_t length = std::min(title.size(), bytes.size() - 1);
  std::memset(bytes.data(), 0, bytes.size());
  std::memcpy(bytes.data(), title.data(), length);
}

std::string_view executable_name() {
  return room().executable;
}

}  // namespace millrace
