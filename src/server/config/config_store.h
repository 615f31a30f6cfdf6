// Owns the configuration in force: loads it, answers CONFIG GET, SET and REWRITE, and re-reads it
// at SIGHUP.
//
//   ConfigStore store;
//   if (auto error = store.load_arguments(argc, argv)) {
//     std::fputs(error->c_str(), stderr);
//     return 1;
//   }
//   store.on_change("timeout", [&](const Config&, const Config& now) -> Refusal {
//     idle_wheel.set_timeout(now.timeout_s);
//     return std::nullopt;
//   });
//
// Thread: the main loop's. Errors are texts for a person, without a leading "ERR ".
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ae/base/callback.h"
#include "server/config/config.h"
#include "server/config/config_file.h"
#include "server/config/config_problem.h"
#include "server/config/directive.h"

namespace millrace {

// Whose CONFIG SET it is. enable-protected-configs `local` asks for a loopback or unix socket.
enum class ClientPlace : uint8_t { kLocal, kRemote };

struct Setting {
  std::string_view name;
  std::string_view value;
};

class ConfigStore {
 public:
  // Makes a change take effect. Called after the new values are in force, with the old ones beside;
  // may read the store and must not change it. A refusal undoes the whole change: the old values
  // come back, and the hooks that had agreed are called again with old and new exchanged (they
  // cannot refuse that).
  using ApplyHook = ae::Callback<Refusal(const Config& old, const Config& now)>;

  // All defaults; `dir` is the directory the process is in.
  ConfigStore();

  ConfigStore(const ConfigStore&) = delete;
  ConfigStore& operator=(const ConfigStore&) = delete;

  // The values in force. The reference is good for the life of the store.
  const Config& config() const { return config_; }

  // --- at start. Both read everything before they complain: the text names every problem with its
  // line, ready for standard error. After an error the configuration is as it was.

  Refusal load_file(const std::string& path);
  // `argc` and `argv` as main gets them; command_line.h has the rules. --help and --version are
  // main's.
  Refusal load_arguments(int argc, const char* const* argv);

  // The configuration file, absolute: INFO's config_file. Empty if there is none.
  std::string_view path() const { return path_; }

  // What the machine makes of the configuration: maxclients lowered to the descriptors there are.
  // For the composition root, before clients are served. Calls no hook.
  template <typename Function>
  void adjust(Function&& function) {
    function(config_);
  }

  // --- while serving

  // `name` as in the table; an alias or a mistake is a programming error. A hook for several names
  // is called once for a change of any of them. Hooks run in the order in which they were
  // registered.
  void on_change(std::string_view name, ApplyHook hook) { on_change({name}, std::move(hook)); }
  void on_change(std::initializer_list<std::string_view> names, ApplyHook hook);
  void on_any_change(ApplyHook hook);

  // CONFIG SET: all of the settings or none.
  Refusal set(std::span<const Setting> settings, ClientPlace place);

  // CONFIG GET: names (aliases too) and values, each once, in the table's order.
  std::vector<std::pair<std::string_view, std::string>> get(
      std::span<const std::string_view> patterns) const;

  // CONFIG REWRITE; see rewrite.h.
  Refusal rewrite() const;

  // SIGHUP: reads the file, standard input's text and the command line again and applies what may
  // change now, directive by directive. The sources win over earlier CONFIG SETs. If a source has a
  // problem, nothing is applied. Returns lines for the log: the differences and what became of
  // each, or the problems, or that there is no difference.
  std::vector<std::string> reload();

 private:
  struct Hook {
    std::vector<std::string_view> names;  // empty: any
    ApplyHook apply;
  };

  std::vector<ConfigProblem> load_sources(Config& into) const;
  Refusal load_all();
  void remember_path(std::string_view path);
  Refusal check_names(std::span<const Setting> settings, ClientPlace place) const;
  Refusal set_values(std::span<const Setting> settings, Config& next) const;
  // Puts `next` in force and runs the hooks. On refusal nothing has changed, and `culprit` is the
  // name whose hook refused.
  Refusal commit(const Config& next, std::string_view* culprit);
  void undo(const Config& old, size_t hooks_run);
  std::optional<std::string_view> first_changed(const Hook& hook, const Config& old) const;
  std::string follow(const Directive& directive, const Config& fresh);

  const Config defaults_;
  const std::string start_directory_;
  Config config_;
  std::string path_as_given_;
  std::string path_;
  std::string standard_input_text_;
  std::string command_line_text_;
  std::vector<Hook> hooks_;
  bool committing_ = false;
};

// As many problems are told; a file with more is no configuration, and SIGHUP must not hold up the
// clients to explain it.
inline constexpr size_t kMaxProblems = 100;

// Changes `config` as the lines say. Goes on after a problem; if there are more than kMaxProblems,
// the last one says so.
std::vector<ConfigProblem> apply_lines(std::span<const ConfigLine> lines, Config& config);

// The same for lines whose problems are known.
void apply_lines_quietly(std::span<const ConfigLine> lines, Config& config);

}  // namespace millrace
