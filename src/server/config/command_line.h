// The command line, by the rules of redis-server:
//
//   millrace-server [file] [-] [--directive value value ...]... [-]
//
// The first argument is a file if it does not begin with '-'. A lone '-', first or last, reads a
// configuration from standard input. Everything else is a configuration of its own, read last: each
// argument that begins with "--" starts a line, unless it stands where the first value of a
// directive must stand (`--requirepass --secret`); the other arguments are its values. "--port
// 6380" may be one argument. `--save` before another directive, or last, means `--save ""`.
#pragma once

#include <span>
#include <string>

namespace millrace {

struct CommandLine {
  std::string file;  // empty: none
  bool reads_standard_input = false;
  std::string text;  // the directives, a line each, quoted as in a file
};

// `arguments` excludes the program's name.
CommandLine read_command_line(std::span<const char* const> arguments);

}  // namespace millrace
