#include "server/scripting/script_cache.h"

#include <algorithm>

#include "server/command/sha1.h"
#include "server/scripting/shebang.h"

namespace millrace::scripting {
namespace {

constexpr size_t kShaDigits = 40;
constexpr std::string_view kFlags = "flags=";

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = char(c + 32);
  return lower;
}

// Empty: all are known; else the error.
std::string read_flags(std::string_view list, ScriptFlags& flags) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const ScriptFlags flag = flag_of(name);
    if (flag == 0) return std::string("ERR Unexpected flag in script shebang: ").append(name);
    flags |= flag;
  }
  return {};
}

// Fills in what the first line declares and leaves the code. Empty: it is good; else the error.
std::string read_shebang(Script& script, std::string_view& code) {
  if (!code.starts_with("#!")) return {};
  const auto shebang = parse_shebang(code);
  if (!shebang) return "ERR Invalid script shebang";
  if (shebang->engine != "lua")
    return "ERR Unexpected engine in script shebang: #!" + shebang->engine;
  for (const std::string_view option : shebang->options) {
    if (!option.starts_with(kFlags))
      return std::string("ERR Unknown lua shebang option: ").append(option);
    std::string error = read_flags(option.substr(kFlags.size()), script.flags);
    if (!error.empty()) return error;
  }
  script.has_shebang = true;
  code = shebang->code;
  return {};
}

}  // namespace

Interpreter& ScriptCache::interpreter() {
  if (!interpreter_)
    interpreter_ = std::make_unique<Interpreter>(services_, Dialect::kScripts, prng_);
  return *interpreter_;
}

ScriptCache::Loaded ScriptCache::load(std::string_view body) {
  const auto known = by_body_.find(body);
  if (known != by_body_.end()) return {known->second.get(), {}};
  return compile(body);
}

ScriptCache::Loaded ScriptCache::compile(std::string_view body) {
  auto script = std::make_unique<Script>();
  std::string_view code = body;
  std::string error = read_shebang(*script, code);
  if (!error.empty()) return {nullptr, std::move(error)};
  Interpreter::Compiled compiled = interpreter().compile(code, "@user_script");
  if (!compiled.function)
    return {nullptr, "ERR Error compiling script (new function): " + compiled.error};
  script->function = *compiled.function;
  script->sha = hex_of(sha1(body));
  script->body = body;
  source_bytes_ += sizeof(Script) + script->body.size();
  const Script* kept = script.get();
  by_sha_.emplace(kept->sha, kept);
  by_body_.emplace(kept->body, std::move(script));
  publish_facts();
  return {kept, {}};
}

const Script* ScriptCache::find(std::string_view sha) const {
  if (sha.size() != kShaDigits) return nullptr;
  auto known = by_sha_.find(sha);
  if (known == by_sha_.end()) known = by_sha_.find(lower_case(sha));
  return known == by_sha_.end() ? nullptr : known->second;
}

void ScriptCache::flush() {
  by_sha_.clear();
  by_body_.clear();
  interpreter_.reset();
  source_bytes_ = 0;
  publish_facts();
}

void ScriptCache::publish_facts() {
  services_.script_facts.cached_scripts = by_sha_.size();
  services_.script_facts.eval = {interpreter_ ? interpreter_->memory_bytes() : 0, source_bytes_};
}

}  // namespace millrace::scripting
