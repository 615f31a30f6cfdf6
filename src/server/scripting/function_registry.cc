#include "server/scripting/function_registry.h"

#include <algorithm>

#include "server/command/table.h"
#include "server/scripting/shebang.h"

namespace millrace::scripting {
namespace {

constexpr std::string_view kEngine = "lua";
constexpr std::string_view kNameOption = "name=";
constexpr std::string_view kBadName =
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least "
    "one character long";

}  // namespace

bool is_good_name(std::string_view name) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_good);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = char(c + 32);
  return lower;
}

const Function* Library::find(std::string_view function) const {
  for (const auto& known : functions)
    if (equals_ignoring_case(known->name, function)) return known.get();
  return nullptr;
}

Interpreter& FunctionRegistry::interpreter() {
  if (!interpreter_)
    interpreter_ = std::make_unique<Interpreter>(services_, Dialect::kFunctions, prng_);
  return *interpreter_;
}

// Empty: the first line is good; else the error.
std::string FunctionRegistry::read_name(std::string_view code, std::string& name,
                                        std::string_view& body) const {
  if (!code.starts_with("#!")) return "ERR Missing library metadata";
  const auto shebang = parse_shebang(code);
  if (!shebang) return "ERR Invalid library metadata";
  bool named = false;
  for (const std::string_view option : shebang->options) {
    if (!option.starts_with(kNameOption))
      return std::string("ERR Invalid metadata value given: ").append(option);
    if (named) return "ERR Invalid metadata value, name argument was given multiple times";
    named = true;
    name = option.substr(kNameOption.size());
  }
  if (!named) return "ERR Library name was not given";
  if (!is_good_name(name)) return std::string(kBadName);
  if (!equals_ignoring_case(shebang->engine, kEngine))
    return "ERR Engine '" + shebang->engine + "' not found";
  body = shebang->code;
  return {};
}

std::string FunctionRegistry::run_body(Library& library, std::string_view body) {
  const Interpreter::Compiled compiled = interpreter().compile(body, "@user_function");
  if (!compiled.function) return "ERR Error compiling function: " + compiled.error;
  const auto error = interpreter().run_library(*compiled.function, register_function, &library);
  interpreter().release(*compiled.function);
  if (error) return "ERR Error registering functions: " + *error;
  if (library.functions.empty()) return "ERR No functions registered";
  return {};
}

std::string FunctionRegistry::make(std::string_view code, std::unique_ptr<Library>& library) {
  auto made = std::make_unique<Library>();
  std::string_view body;
  std::string error = read_name(code, made->name, body);
  if (!error.empty()) return error;
  made->code = code;
  error = run_body(*made, body);
  if (!error.empty()) {
    release(*made);
    return error;
  }
  library = std::move(made);
  return {};
}

// Functions of the library that is replaced are in nobody's way.
std::string FunctionRegistry::check_conflicts(const Library& library,
                                              OnConflict on_conflict) const {
  const auto known = libraries_.find(library.name);
  const Library* replaced = known == libraries_.end() ? nullptr : known->second.get();
  if (replaced && on_conflict == OnConflict::kRefuse)
    return "ERR Library '" + library.name + "' already exists";
  for (const auto& function : library.functions) {
    const Function* other = find(function->name);
    if (!other || (replaced && replaced->find(function->name) == other)) continue;
    return "ERR Function " + function->name + " already exists";
  }
  return {};
}

void FunctionRegistry::take_in(std::unique_ptr<Library> library) {
  remove(library->name);
  for (const auto& function : library->functions)
    functions_[lower_case(function->name)] = function.get();
  const std::string name = library->name;
  libraries_[name] = std::move(library);
  publish_facts();
}

FunctionRegistry::Loaded FunctionRegistry::load(std::string_view code, OnConflict on_conflict) {
  std::unique_ptr<Library> library;
  std::string error = make(code, library);
  if (error.empty()) {
    error = check_conflicts(*library, on_conflict);
    if (!error.empty()) release(*library);
  }
  if (!error.empty()) return {nullptr, std::move(error)};
  const Library* kept = library.get();
  take_in(std::move(library));
  return {kept, {}};
}

// Into a registry of its own first, so that what is there stays as it is until all is well.
std::string FunctionRegistry::restore(const std::vector<std::string>& codes, Restore policy) {
  FunctionRegistry fresh(services_, prng_);
  for (const std::string& code : codes) {
    const Loaded loaded = fresh.load(code, OnConflict::kRefuse);
    if (!loaded.library) return loaded.error;
  }
  const auto on_conflict = policy == Restore::kReplace ? OnConflict::kReplace : OnConflict::kRefuse;
  if (policy == Restore::kFlush) flush();
  for (const auto& [name, library] : fresh.libraries_) {
    std::string error;
    if (on_conflict == OnConflict::kRefuse && libraries_.count(name) != 0) {
      error = "ERR Library " + name + " already exists";
    } else {
      error = check_conflicts(*library, on_conflict);
    }
    if (error.empty()) continue;
    publish_facts();
    return error;
  }
  for (const std::string& code : codes) load(code, on_conflict);
  publish_facts();
  return {};
}

const Function* FunctionRegistry::find(std::string_view name) const {
  const auto known = functions_.find(lower_case(name));
  return known == functions_.end() ? nullptr : known->second;
}

void FunctionRegistry::release(const Library& library) {
  for (const auto& function : library.functions) interpreter().release(function->function);
}

void FunctionRegistry::forget(const Library& library) {
  for (const auto& function : library.functions) functions_.erase(lower_case(function->name));
  release(library);
}

bool FunctionRegistry::remove(std::string_view library) {
  const auto known = libraries_.find(library);
  if (known == libraries_.end()) return false;
  forget(*known->second);
  libraries_.erase(known);
  publish_facts();
  return true;
}

void FunctionRegistry::flush() {
  functions_.clear();
  libraries_.clear();
  interpreter_.reset();
  publish_facts();
}

void FunctionRegistry::publish_memory() {
  services_.script_facts.functions.interpreter_bytes =
      interpreter_ ? interpreter_->memory_bytes() : 0;
}

void FunctionRegistry::publish_facts() {
  size_t bytes = 0;
  for (const auto& [name, library] : libraries_)
    bytes += sizeof(Library) + library->code.size() + library->functions.size() * sizeof(Function);
  services_.script_facts.function_count = functions_.size();
  services_.script_facts.library_count = libraries_.size();
  services_.script_facts.functions.overhead_bytes = bytes;
  publish_memory();
}

}  // namespace millrace::scripting
