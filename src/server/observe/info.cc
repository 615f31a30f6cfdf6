#include "server/observe/info.h"

#include <algorithm>

#include "ae/base/decimal.h"
#include "server/command/table.h"

namespace millrace {
namespace {

// Part of INFO without arguments, or only of "all" and of its own name.
enum class Shown : uint8_t { kByDefault, kOnDemand };

struct Section {
  std::string_view name;
  std::string_view title;
  Shown shown;
  void (*write)(Services& services, InfoText& text);
};

// In the order they are printed, which is Redis'; loops and looplatency are ours.
constexpr Section kSections[] = {
    {"server", "Server", Shown::kByDefault, info::server},
    {"clients", "Clients", Shown::kByDefault, info::clients},
    {"memory", "Memory", Shown::kByDefault, info::memory},
    {"persistence", "Persistence", Shown::kByDefault, info::persistence},
    {"stats", "Stats", Shown::kByDefault, info::stats},
    {"replication", "Replication", Shown::kByDefault, info::replication},
    {"cpu", "CPU", Shown::kByDefault, info::cpu},
    {"threads", "Threads", Shown::kByDefault, info::threads},
    {"loops", "Loops", Shown::kByDefault, info::loops},
    {"modules", "Modules", Shown::kByDefault, info::modules},
    {"commandstats", "Commandstats", Shown::kOnDemand, info::command_stats},
    {"errorstats", "Errorstats", Shown::kByDefault, info::error_stats},
    {"latencystats", "Latencystats", Shown::kOnDemand, info::latency_stats},
    {"looplatency", "Looplatency", Shown::kOnDemand, info::loop_latency},
    {"cluster", "Cluster", Shown::kByDefault, info::cluster},
    {"keyspace", "Keyspace", Shown::kByDefault, info::keyspace},
};

bool names(std::string_view word, const Section& section) {
  if (equals_ignoring_case(word, "all") || equals_ignoring_case(word, "everything")) return true;
  if (equals_ignoring_case(word, "default")) return section.shown == Shown::kByDefault;
  return equals_ignoring_case(word, section.name);
}

bool is_asked_for(const Section& section, std::span<const std::string_view> words) {
  if (words.empty()) return section.shown == Shown::kByDefault;
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return names(word, section); });
}

}  // namespace

void InfoText::begin_section(std::string_view title) {
  if (!text_.empty()) text_ += "\r\n";
  text_.append("# ").append(title).append("\r\n");
}

void InfoText::bytes(std::string_view name, uint64_t bytes) {
  field(name, bytes);
  line("{}_human:{}", name, human_bytes(bytes));
}

std::string percentile_name(double percent) {
  char digits[ae::kMaxDoubleChars];
  return std::string(digits, ae::format_double(percent, digits));
}

std::string human_bytes(uint64_t bytes) {
  constexpr std::string_view kUnits = "KMGTPE";
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = double(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

std::string info_text(Services& services, std::span<const std::string_view> sections) {
  InfoText text;
  for (const Section& section : kSections) {
    if (!is_asked_for(section, sections)) continue;
    text.begin_section(section.title);
    section.write(services, text);
  }
  return text.take();
}

}  // namespace millrace
