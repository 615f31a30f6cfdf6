// The report for programs. Times are nanoseconds, under names that say so.
#include "load/format.h"
#include "load/report.h"

namespace load {
namespace {

// Collects "key": value pairs; the commas are its business.
class Object {
 public:
  Object& raw(std::string_view key, const std::string& json) {
    text_ += text_.empty() ? "" : ", ";
    text_ += "\"" + std::string(key) + "\": " + json;
    return *this;
  }
  Object& number(std::string_view key, uint64_t value) { return raw(key, std::to_string(value)); }
  Object& number(std::string_view key, double value) { return raw(key, format("%.6g", value)); }
  Object& time(std::string_view key, ae::Nanoseconds value) {
    return raw(key, std::to_string(value.count()));
  }
  Object& text(std::string_view key, std::string_view value) { return raw(key, quoted(value)); }
  std::string done() const { return "{" + text_ + "}"; }

 private:
  static std::string quoted(std::string_view value) {
    std::string out = "\"";
    for (const char c : value) {
      const bool plain = uint8_t(c) >= 0x20 && c != '"' && c != '\\' && uint8_t(c) < 0x7f;
      out += plain ? std::string(1, c) : format("\\u%04x", unsigned(uint8_t(c)));
    }
    return out + "\"";
  }

  std::string text_;
};

std::string histogram_json(const Histogram& histogram) {
  Object object;
  object.number("count", histogram.total()).time("mean_ns", histogram.mean());
  for (const double percent : kPercentiles) {
    object.time(format("p%g_ns", percent), histogram.percentile(percent));
  }
  return object.time("max_ns", histogram.max()).done();
}

std::string server_json(const Report& report, const PhaseReport& phase) {
  Object object;
  object.number("resident_bytes", phase.server_after->resident_bytes);
  object.time("cpu_ns", phase.server_cpu()).time("time_ns", phase.server_time());
  if (const auto bytes = report.bytes_per_connection(phase)) {
    object.number("bytes_per_connection", *bytes);
  }
  return object.done();
}

std::string phase_json(const Report& report, const PhaseReport& phase) {
  const PhaseResult& result = *phase.result;
  Object object;
  object.text("scenario", name(phase.phase.kind)).number("rate", phase.phase.rate);
  object.time("wall_ns", result.wall).time("reconnect_ns", result.reconnect);
  object.number("asked", result.asked)
      .number("answered", result.answered)
      .number("late", result.late)
      .number("wrong", result.wrong)
      .number("unanswered", result.unanswered)
      .number("lost", result.lost)
      .number("unasked", result.unasked);
  object.number("connected", result.connected)
      .number("connect_failed", result.connect_failed)
      .number("connect_errno", uint64_t(result.connect_error))
      .number("present", result.present)
      .number("broken", result.broken)
      .number("peers_closed", result.peers_closed)
      .number("peer_bytes", result.peer_bytes);
  object.text("first_wrong", result.first_wrong);
  object.time("tester_cpu_ns", result.cpu).raw("tester_lag", histogram_json(result.lag));
  object.raw("latency", histogram_json(result.latency));
  object.raw("closed_loop", histogram_json(result.closed));
  object.raw("connect", histogram_json(result.connect));
  if (phase.has_server()) object.raw("server", server_json(report, phase));
  return object.done();
}

}  // namespace

std::string to_json(const Report& report) {
  std::string phases;
  for (const PhaseReport& phase : report.phases) {
    phases += (phases.empty() ? "\n  " : ",\n  ") + phase_json(report, phase);
  }
  const Options& options = report.options;
  return Object()
             .text("host", options.host)
             .number("port", uint64_t{options.port})
             .number("connections", uint64_t{options.connections})
             .number("processes", uint64_t{options.processes})
             .text("command", options.command)
             .number("seed", options.seed)
             .raw("clean", report.clean() ? "true" : "false")
             .raw("phases", "[" + phases + "]")
             .done() +
         "\n";
}

}  // namespace load
