// INFO: facts of the server as text, in sections.
//
//   # Clients
//   connected_clients:1
//   ...
//
// Names and units of the fields are Redis'; what reads one reads the other. A field of Redis that
// would not be true here is left out, one that is zero because the feature is missing is there only
// where zero is the truth (blocked_clients:0). redis_version is what clients go by; server_name and
// millrace_version say who is answering.
//
// A section is a function that writes its lines, in the info_*.cc file of its subject; info.cc
// lists them in order. Thread: the loop that runs commands.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/command/append_text.h"
#include "server/command/services.h"
#include "server/config/config.h"

namespace millrace {

// "99", "99.9"
std::string percentile_name(double percent);

// What a section writes to.
class InfoText {
 public:
  void begin_section(std::string_view title);

  template <typename Value>
  void field(std::string_view name, const Value& value) {
    append_text(text_, "{}:{}\r\n", name, value);
  }
  // "0.25": two digits behind the point.
  void ratio(std::string_view name, double value) {
    append_text(text_, "{}:{:.2f}\r\n", name, value);
  }
  // "12.34%"
  void percent(std::string_view name, double value) {
    append_text(text_, "{}:{:.2f}%\r\n", name, value);
  }
  // name:1048576 and name_human:1.00M
  void bytes(std::string_view name, uint64_t bytes);
  // The rest of a line in fmt's own words.
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    append_formatted(text_, format, fmt::make_format_args(args...));
    text_ += "\r\n";
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// "p50=1.003,p99=20.479": those of latency-tracking-info-percentiles, in microseconds.
template <typename Histogram>
std::string percentiles_us(const Histogram& histogram, const Config& config) {
  std::string text;
  for (double percent : config.latency_tracking_info_percentiles) {
    if (!text.empty()) text += ',';
    text += fmt::format("p{}={:.3f}", percentile_name(percent),
                        double(histogram.percentile(percent).count()) / 1000);
  }
  return text;
}

// "967.14K", "1.50G"; below a kilobyte "200B".
std::string human_bytes(uint64_t bytes);

// INFO's answer for these sections: their names in any case, "default", "all", "everything". None:
// default. Unknown names add nothing.
std::string info_text(Services& services, std::span<const std::string_view> sections);

// The sections, by subject.
namespace info {
void server(Services& services, InfoText& text);
void clients(Services& services, InfoText& text);
void memory(Services& services, InfoText& text);
void persistence(Services& services, InfoText& text);
void stats(Services& services, InfoText& text);
void replication(Services& services, InfoText& text);
void cpu(Services& services, InfoText& text);
void threads(Services& services, InfoText& text);
void loops(Services& services, InfoText& text);
void modules(Services& services, InfoText& text);
void command_stats(Services& services, InfoText& text);
void error_stats(Services& services, InfoText& text);
void latency_stats(Services& services, InfoText& text);
void loop_latency(Services& services, InfoText& text);
void cluster(Services& services, InfoText& text);
void keyspace(Services& services, InfoText& text);
}  // namespace info

}  // namespace millrace
