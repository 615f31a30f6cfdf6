// The report for people. Times are milliseconds, three significant digits.
#include <cstring>

#include "load/format.h"
#include "load/report.h"

namespace load {
namespace {

constexpr char kIndent[] = "           ";

// The kernel counts a process's time in hundredths of a second.
constexpr ae::Nanoseconds kLeastCpuTime = ae::Milliseconds(200);

// A loop that sends a burst is late by as much; nobody minds.
constexpr ae::Nanoseconds kHarmlessLag = ae::Milliseconds(1);

double ms(ae::Nanoseconds time) {
  return double(time.count()) / 1e6;
}
double seconds(ae::Nanoseconds time) {
  return double(time.count()) / 1e9;
}

// Three significant digits, and no exponent.
std::string short_ms(ae::Nanoseconds time) {
  const double value = ms(time);
  if (value >= 99.95) return format("%.0f", value);
  return format(value >= 9.995 ? "%.1f" : value >= 0.9995 ? "%.2f" : "%.3f", value);
}

std::string percentiles(const Histogram& histogram) {
  std::string text;
  for (const double percent : kPercentiles) {
    text += format("p%g %s  ", percent, short_ms(histogram.percentile(percent)).c_str());
  }
  return text + "max " + short_ms(histogram.max()) + " ms\n";
}

std::string connections_text(const PhaseResult& result) {
  std::string text;
  if (result.connected > 0) {
    text += kIndent + format("%lu connected, ", result.connected) + "each in " +
            percentiles(result.connect);
  }
  if (result.reconnect.count() > 0) {
    text += kIndent + format("all in again after %.3f s\n", seconds(result.reconnect));
  }
  if (result.peer_bytes > 0) {
    text += kIndent + format("the slow readers read %lu bytes\n", result.peer_bytes);
  }
  if (result.peers_closed > 0) {
    text += kIndent + format("%lu of the peers were thrown out\n", result.peers_closed);
  }
  return text;
}

std::string requests_text(const PhaseResult& result, ae::Nanoseconds late) {
  if (result.asked == 0) return {};
  std::string text =
      kIndent + format("%lu asked, %lu answered, %lu later than %s ms\n", result.asked,
                       result.answered, result.late, short_ms(late).c_str());
  text += kIndent + ("latency    " + percentiles(result.latency));
  if (result.closed.total() > 0) {
    text += kIndent + ("closed     " + percentiles(result.closed));
    text += kIndent + format("           (%lu more answers, to a closed loop beside it)\n",
                             result.closed.total());
  }
  return text;
}

std::string trouble_text(const PhaseResult& result) {
  if (result.clean()) return {};
  std::string text = kIndent + std::string("TROUBLE   ");
  const auto add = [&text](uint64_t count, const char* what) {
    if (count > 0) text += format(" %lu %s;", count, what);
  };
  add(result.unanswered, "unanswered");
  add(result.wrong, "wrong");
  add(result.lost, "lost with their connection");
  add(result.unasked, "not asked for want of a connection");
  add(result.connect_failed, "connections failed");
  add(result.broken, "connections broken");
  text.back() = '\n';
  if (result.connect_error != 0) {
    text += kIndent +
            format("the first connection failed with: %s\n", std::strerror(result.connect_error));
  }
  if (result.first_wrong[0] != '\0') {
    text += kIndent + format("the first wrong reply: %s\n", result.first_wrong);
  }
  return text;
}

// A tester that is itself late, or out of processor, measures itself.
std::string tester_text(const PhaseResult& result) {
  const uint64_t answers = result.answered + result.closed.total();
  if (answers == 0) return {};
  const ae::Nanoseconds lag = result.lag.percentile(99);
  std::string text =
      kIndent +
      format("tester     %.2f us of CPU per request; sent late by p50 %s  p99 %s  max %s ms\n",
             double(result.cpu.count()) / 1e3 / double(answers),
             short_ms(result.lag.percentile(50)).c_str(), short_ms(lag).c_str(),
             short_ms(result.lag.max()).c_str());
  if (lag > kHarmlessLag && lag > result.latency.percentile(99) / 2) {
    text += kIndent + std::string(
                          "           NOTE: most of the latency above is the tester's own "
                          "lateness; it lacks processor\n");
  }
  return text;
}

std::string server_text(const Report& report, const PhaseReport& phase) {
  if (!phase.has_server()) return {};
  std::string text = kIndent + format("server     %.1f MiB resident",
                                      double(phase.server_after->resident_bytes) / (1 << 20));
  if (const auto bytes = report.bytes_per_connection(phase)) {
    text += format(", %.0f bytes per connection", *bytes);
  }
  if (phase.server_time() >= kLeastCpuTime) {
    text +=
        format(", %.1f %% CPU", 100 * seconds(phase.server_cpu()) / seconds(phase.server_time()));
  }
  return text + "\n";
}

}  // namespace

std::string head_text(const Options& options) {
  const std::string at = options.host.find('/') == options.host.npos
                             ? options.host + ":" + std::to_string(options.port)
                             : options.host;
  return format("%s, %u connections, %u process%s, %s, seed %lu\n", at.c_str(), options.connections,
                options.processes, options.processes == 1 ? "" : "es", options.command.c_str(),
                options.seed);
}

std::string phase_text(const Report& report, const PhaseReport& phase) {
  const PhaseResult& result = *phase.result;
  const double wall = seconds(result.wall);
  std::string text = format("%-10s %.3f s, %lu connections",
                            std::string(name(phase.phase.kind)).c_str(), wall, result.present);
  if (result.asked > 0) text += format(", %.0f requests a second", double(result.asked) / wall);
  return text + "\n" + connections_text(result) + requests_text(result, report.options.late) +
         trouble_text(result) + tester_text(result) + server_text(report, phase);
}

std::string verdict_text(const Report& report) {
  if (report.clean()) return "nothing lost, nothing wrong\n";
  return "SOMETHING WAS LOST OR WRONG: see above\n";
}

}  // namespace load
