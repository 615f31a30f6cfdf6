#include "server/config/config_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "ae/base/assert.h"
#include "server/config/command_line.h"
#include "server/config/directives.h"
#include "server/config/rewrite.h"
#include "server/config/text.h"
#include "server/db/glob.h"
#include "server/version.h"

namespace millrace {
namespace {

std::string current_directory() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::current_path(error);
  return error ? "/" : path.string();
}

Config defaults_in(const std::string& directory) {
  Config config;
  config.dir = directory;
  return config;
}

std::string unknown_directive(std::string_view name) {
  const std::string_view similar = similar_directive(name);
  if (similar.empty()) return fmt::format("Unknown directive '{}'", name);
  return fmt::format("Unknown directive '{}': did you mean '{}'?", name, similar);
}

Refusal apply_line(const ConfigLine& line, Config& config) {
  if (line.error) return line.error;
  const Directive* directive = find_directive(line.words[0]);
  if (!directive) return unknown_directive(line.words[0]);
  return parse_value(*directive, config, Words(line.words).subspan(1));
}

std::string failed_because(std::string_view name, std::string_view reason) {
  return fmt::format("CONFIG SET failed (possibly related to argument '{}') - {}", name, reason);
}

// CONFIG SET has one argument where a file has words.
std::vector<std::string> words_of(const Directive& directive, std::string_view value) {
  if (!directive.has(DirectiveFlag::kMultiWord)) return {std::string(value)};
  std::vector<std::string> words;
  while (!value.empty()) {
    const size_t end = std::min(value.find(' '), value.size());
    if (end > 0) words.emplace_back(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  if (words.empty()) words.emplace_back();
  return words;
}

bool is_settable(const Directive* directive) {
  return directive && !directive->has(DirectiveFlag::kFileOnly);
}

bool may_set_protected(Permission permission, ClientPlace place) {
  return permission == Permission::kYes ||
         (permission == Permission::kLocal && place == ClientPlace::kLocal);
}

bool matches_any(std::string_view name, std::span<const std::string_view> patterns) {
  return !name.empty() && std::ranges::any_of(patterns, [name](std::string_view pattern) {
    return glob_matches(pattern, name, GlobCase::kIgnore);
  });
}

// A hidden one answers to its name, whatever patterns it matches besides.
bool is_asked_for(const Directive& directive, std::string_view name,
                  std::span<const std::string_view> patterns) {
  if (!directive.has(DirectiveFlag::kHidden)) return matches_any(name, patterns);
  return std::ranges::any_of(
      patterns, [name](std::string_view pattern) { return equal_ignoring_case(pattern, name); });
}

const char* reason_of(const ae::Error& error) {
  return std::strerror(error.code);
}

}  // namespace

std::vector<ConfigProblem> apply_lines(std::span<const ConfigLine> lines, Config& config) {
  std::vector<ConfigProblem> problems;
  for (size_t i = 0; i < lines.size(); ++i) {
    const ConfigLine& line = lines[i];
    if (problems.size() == kMaxProblems) {
      problems.push_back({line.source, 0, "", "There is more; these were the first problems."});
      apply_lines_quietly(lines.subspan(i), config);
      break;
    }
    if (Refusal refusal = apply_line(line, config)) {
      problems.push_back({line.source, line.number, line.text, std::move(*refusal)});
    }
  }
  return problems;
}

void apply_lines_quietly(std::span<const ConfigLine> lines, Config& config) {
  for (const ConfigLine& line : lines) {
    const Directive* directive = line.error ? nullptr : find_directive(line.words[0]);
    if (directive) (void)parse_value(*directive, config, Words(line.words).subspan(1));
  }
}

ConfigStore::ConfigStore()
    : defaults_(defaults_in(current_directory())),
      start_directory_(defaults_.dir),
      config_(defaults_) {}

// --- loading

Refusal ConfigStore::load_file(const std::string& path) {
  remember_path(path);
  return load_all();
}

Refusal ConfigStore::load_arguments(int argc, const char* const* argv) {
  const std::span<const char* const> arguments(argv, static_cast<size_t>(argc));
  CommandLine line = read_command_line(arguments.subspan(std::min<size_t>(1, arguments.size())));
  if (!line.file.empty()) remember_path(line.file);
  command_line_text_ = std::move(line.text);
  if (line.reads_standard_input) {
    ae::Result<std::string> bytes = read_standard_input();
    if (!bytes) return fmt::format("Can't read standard input: {}\n", reason_of(bytes.error()));
    standard_input_text_ = std::move(*bytes);
  }
  return load_all();
}

void ConfigStore::remember_path(std::string_view path) {
  path_as_given_ = path;
  path_ = (std::filesystem::path(start_directory_) / path).lexically_normal().string();
}

std::vector<ConfigProblem> ConfigStore::load_sources(Config& into) const {
  ConfigText text;
  if (!path_.empty()) read_config_file(path_as_given_, start_directory_, text);
  read_config_text(standard_input_text_, std::string(kStandardInput), start_directory_, text);
  read_config_text(command_line_text_, std::string(kCommandLine), start_directory_, text);
  return apply_lines(text.lines, into);
}

Refusal ConfigStore::load_all() {
  Config fresh = defaults_;
  const std::vector<ConfigProblem> problems = load_sources(fresh);
  if (!problems.empty()) return fatal_text(problems, kVersion, path_as_given_);
  config_ = std::move(fresh);
  return std::nullopt;
}

// --- changing

void ConfigStore::on_change(std::initializer_list<std::string_view> names, ApplyHook hook) {
  for (const std::string_view name : names) {
    const Directive* directive = find_directive(name);
    AE_ASSERT(directive && directive->name == name && !directive->is_absent());
  }
  hooks_.push_back({names, std::move(hook)});
}

void ConfigStore::on_any_change(ApplyHook hook) {
  hooks_.push_back({{}, std::move(hook)});
}

Refusal ConfigStore::set(std::span<const Setting> settings, ClientPlace place) {
  if (Refusal refusal = check_names(settings, place)) return refusal;
  Config next = config_;
  if (Refusal refusal = set_values(settings, next)) return refusal;
  std::string_view culprit;
  Refusal refusal = commit(next, &culprit);
  if (!refusal) return std::nullopt;
  return failed_because(culprit.empty() ? settings[0].name : culprit, *refusal);
}

Refusal ConfigStore::check_names(std::span<const Setting> settings, ClientPlace place) const {
  std::vector<const Directive*> seen;
  for (const Setting& setting : settings) {
    const Directive* directive = find_directive(setting.name);
    if (!is_settable(directive)) {
      return fmt::format("Unknown option or number of arguments for CONFIG SET - '{}'",
                         setting.name);
    }
    if (directive->has(DirectiveFlag::kStartOnly)) {
      return failed_because(setting.name, "can't set immutable config");
    }
    if (directive->has(DirectiveFlag::kProtected) &&
        !may_set_protected(config_.enable_protected_configs, place)) {
      return failed_because(setting.name, "can't set protected config");
    }
    if (std::ranges::find(seen, directive) != seen.end()) {
      return failed_because(setting.name, "duplicate parameter");
    }
    seen.push_back(directive);
  }
  return std::nullopt;
}

Refusal ConfigStore::set_values(std::span<const Setting> settings, Config& next) const {
  for (const Setting& setting : settings) {
    const Directive& directive = *find_directive(setting.name);
    const std::vector<std::string> words = words_of(directive, setting.value);
    begin_value(directive, next);
    if (Refusal refusal = parse_value(directive, next, words)) {
      return failed_because(setting.name, *refusal);
    }
  }
  return std::nullopt;
}

// The first directive a hook is for whose value is no longer as in `old`. Nothing: none has
// changed. For a hook that is for any, an empty name: no single directive is to blame if it
// refuses.
std::optional<std::string_view> ConfigStore::first_changed(const Hook& hook,
                                                           const Config& old) const {
  if (hook.names.empty()) return old == config_ ? std::nullopt : std::optional(std::string_view());
  for (const std::string_view name : hook.names) {
    if (!same_value(*find_directive(name), old, config_)) return name;
  }
  return std::nullopt;
}

Refusal ConfigStore::commit(const Config& next, std::string_view* culprit) {
  AE_ASSERT(!committing_);  // a hook must not set
  committing_ = true;
  const Config old = config_;
  config_ = next;
  Refusal refusal;
  for (size_t i = 0; i < hooks_.size() && !refusal; ++i) {
    const std::optional<std::string_view> name = first_changed(hooks_[i], old);
    if (!name) continue;
    refusal = hooks_[i].apply(old, config_);
    if (!refusal) continue;
    *culprit = *name;
    undo(old, i);
  }
  committing_ = false;
  return refusal;
}

void ConfigStore::undo(const Config& old, size_t hooks_run) {
  const Config refused = config_;
  config_ = old;
  for (size_t i = 0; i < hooks_run; ++i) {
    if (first_changed(hooks_[i], refused)) (void)hooks_[i].apply(refused, config_);
  }
}

// --- asking

std::vector<std::pair<std::string_view, std::string>> ConfigStore::get(
    std::span<const std::string_view> patterns) const {
  std::vector<std::pair<std::string_view, std::string>> found;
  for (const Directive& directive : directives()) {
    if (!is_settable(&directive)) continue;
    for (const std::string_view name : {directive.name, directive.alias}) {
      if (is_asked_for(directive, name, patterns))
        found.emplace_back(name, print_value(directive, config_));
    }
  }
  return found;
}

// --- files

Refusal ConfigStore::rewrite() const {
  if (path_.empty()) return "The server is running without a config file";
  const ae::Status written = rewrite_file(path_, config_, defaults_);
  if (written) return std::nullopt;
  return fmt::format("Rewriting config file: {}", reason_of(written.error()));
}

std::vector<std::string> ConfigStore::reload() {
  Config fresh = defaults_;
  std::vector<std::string> log;
  for (const ConfigProblem& problem : load_sources(fresh)) {
    log.push_back(fmt::format("{}: {}", place_of(problem, path_as_given_), problem.reason));
  }
  if (!log.empty()) {
    log.emplace_back("The configuration stays as it was.");
    return log;
  }
  for (const Directive& directive : directives()) {
    if (!same_value(directive, config_, fresh)) log.push_back(follow(directive, fresh));
  }
  if (log.empty()) log.emplace_back("The configuration is as it was: nothing to apply.");
  return log;
}

std::string ConfigStore::follow(const Directive& directive, const Config& fresh) {
  const bool secret = directive.has(DirectiveFlag::kSecret);
  const std::string change =
      secret ? fmt::format("{} has changed", directive.name)
             : fmt::format("{}: '{}' -> '{}'", directive.name, print_value(directive, config_),
                           print_value(directive, fresh));
  if (directive.has(DirectiveFlag::kStartOnly)) return change + ", needs a restart";
  Config next = config_;
  copy_value(directive, fresh, next);
  std::string_view culprit;
  if (Refusal refusal = commit(next, &culprit)) return change + ", refused: " + *refusal;
  return change + ", applied";
}

}  // namespace millrace
