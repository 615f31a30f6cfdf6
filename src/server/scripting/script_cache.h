// The scripts that EVAL and SCRIPT LOAD have brought, compiled, by their SHA1. As in Redis they
// stay until SCRIPT FLUSH: a client that has loaded a script may count on EVALSHA.
//
// EVAL looks a script up by its text: comparing it with the known one costs less than hashing it
// with SHA1 to learn its name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "server/scripting/interpreter.h"
#include "server/scripting/script_run.h"

namespace millrace::scripting {

struct Script {
  std::string sha;
  std::string body;
  FunctionRef function;
  ScriptFlags flags = 0;
  bool has_shebang = false;  // flags were declared, if only by their absence
};

class ScriptCache {
 public:
  struct Loaded {
    const Script* script;
    std::string error;  // if it is null
  };

  ScriptCache(Services& services, Prng& prng) : services_(services), prng_(prng) {}

  // Compiles the script unless it is known.
  Loaded load(std::string_view body);
  // By SHA1, in any case. Null: not known.
  const Script* find(std::string_view sha) const;
  void flush();

  Interpreter& interpreter();
  void publish_facts();

 private:
  Loaded compile(std::string_view body);

  Services& services_;
  Prng& prng_;
  std::unique_ptr<Interpreter> interpreter_;  // made for the first script
  std::unordered_map<std::string_view, std::unique_ptr<Script>> by_body_;  // keys: Script::body
  std::unordered_map<std::string_view, const Script*> by_sha_;             // keys: Script::sha
  size_t source_bytes_ = 0;
};

}  // namespace millrace::scripting
