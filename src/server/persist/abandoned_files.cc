#include "server/persist/abandoned_files.h"

#include <signal.h>

#include <cerrno>
#include <charconv>
#include <fstream>

#include "server/observe/log.h"

namespace millrace {
namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number <= 0) return std::nullopt;
  text.remove_prefix(size_t(end - text.data()));
  return number;
}

// One that has ended, and whose parent has not asked how: in a container, where the first process
// may never ask, for ever.
bool is_zombie(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string facts;
  std::getline(file, facts);  // "pid (name) state ...", and a name may hold anything
  const size_t name_end = facts.rfind(')');
  return name_end != std::string::npos && facts.substr(name_end + 1, 2) == " Z";
}

}  // namespace

std::optional<int> owner_of_temporary(std::string_view name) {
  if (take(name, "temp-rewriteaof-bg-")) {
    const auto pid = take_number(name);
    return name == ".aof" ? pid : std::nullopt;
  }
  if (!take(name, "temp-")) return std::nullopt;
  auto pid = take_number(name);  // or a time
  if (pid && name != ".rdb" && take(name, ".")) pid = take_number(name);
  return name == ".rdb" ? pid : std::nullopt;
}

void remove_abandoned_files(Storage& storage, const std::string& directory,
                            const std::function<bool(int pid)>& lives) {
  const auto names = storage.list(directory);
  if (!names) return;  // whoever needs the directory will say what is wrong with it
  for (const std::string& name : *names) {
    const auto pid = owner_of_temporary(name);
    if (!pid || lives(*pid)) continue;
    if (const ae::Status removed = storage.remove(directory + "/" + name); !removed) {
      log::warning("Can't remove {}: {}", name, removed.error().message());
    } else {
      log::notice("Removed {}, which the process {} had begun when it was killed", name, *pid);
    }
  }
}

bool process_lives(int pid) {
  return (kill(pid, 0) == 0 || errno != ESRCH) && !is_zombie(pid);
}

}  // namespace millrace
