// Libraries of functions (FUNCTION LOAD): each a piece of source whose body registers functions by
// name. The interpreter is one for all libraries, so a function keeps what its closure keeps.
//
// Names of functions are one space over all libraries, in any case; names of libraries are exact.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/scripting/interpreter.h"
#include "server/scripting/script_run.h"

namespace millrace::scripting {

struct Function {
  std::string name;
  std::optional<std::string> description;
  FunctionRef function = LUA_NOREF;
  ScriptFlags flags = 0;
};

struct Library {
  std::string name;
  std::string code;  // as it was given, with the first line
  std::vector<std::unique_ptr<Function>> functions;

  const Function* find(std::string_view function) const;
};

enum class OnConflict : uint8_t { kRefuse, kReplace };
enum class Restore : uint8_t { kFlush, kAppend, kReplace };

class FunctionRegistry {
 public:
  FunctionRegistry(Services& services, Prng& prng) : services_(services), prng_(prng) {}

  // Runs the body of a library and takes in what it registers; all or nothing.
  struct Loaded {
    const Library* library;
    std::string error;  // if it is null
  };
  Loaded load(std::string_view code, OnConflict on_conflict);

  // The libraries of FUNCTION DUMP; all or none. Empty: done; else the error.
  std::string restore(const std::vector<std::string>& codes, Restore policy);

  const Function* find(std::string_view name) const;
  bool remove(std::string_view library);
  void flush();

  const std::map<std::string, std::unique_ptr<Library>, std::less<>>& libraries() const {
    return libraries_;
  }
  size_t function_count() const { return functions_.size(); }

  Interpreter& interpreter();
  // After a run: what INFO tells of the interpreter's memory.
  void publish_memory();

 private:
  std::string read_name(std::string_view code, std::string& name, std::string_view& body) const;
  std::string run_body(Library& library, std::string_view body);
  // Empty: the library is made, and belongs to nobody yet; else the error.
  std::string make(std::string_view code, std::unique_ptr<Library>& library);
  std::string check_conflicts(const Library& library, OnConflict on_conflict) const;
  void take_in(std::unique_ptr<Library> library);
  void publish_facts();
  void release(const Library& library);
  void forget(const Library& library);

  Services& services_;
  Prng& prng_;
  std::unique_ptr<Interpreter> interpreter_;  // made for the first library
  std::map<std::string, std::unique_ptr<Library>, std::less<>> libraries_;
  std::unordered_map<std::string, const Function*> functions_;  // by name in lower case
};

// What names of libraries and functions are made of: letters, digits, underscores.
bool is_good_name(std::string_view name);
std::string lower_case(std::string_view text);

// redis.register_function, whose upvalue is a Library (register_function.cc).
int register_function(lua_State* lua);

}  // namespace millrace::scripting
