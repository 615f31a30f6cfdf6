#include <gtest/gtest.h>

#include "load/report.h"

namespace load {
namespace {

Report sample_report() {
  Report report;
  report.options.command = "GET \"k\"";
  report.server_at_first = ServerSample{ae::TimePoint(), 1'000'000, {}};
  PhaseReport phase{{ScenarioKind::kRandom, ae::Seconds(2), 500},
                    std::make_unique<PhaseResult>(),
                    ServerSample{ae::TimePoint(), 2'000'000, ae::Milliseconds(100)},
                    ServerSample{ae::TimePoint(ae::Seconds(2)), 3'000'000, ae::Milliseconds(600)}};
  phase.result->asked = phase.result->answered = 1000;
  phase.result->wall = ae::Seconds(2);
  phase.result->cpu = ae::Milliseconds(5);
  phase.result->present = 1000;
  for (int i = 1; i <= 1000; ++i) phase.result->latency.record(ae::Microseconds(100 * i));
  report.phases.push_back(std::move(phase));
  return report;
}

TEST(ReportTest, TextSaysWhatCounts) {
  const Report report = sample_report();
  const std::string text = phase_text(report, report.phases[0]);
  for (const char* words :
       {"random     2.000 s, 1000 connections, 500 requests a second", "1000 asked, 1000 answered",
        "p50 50.0  p90 90.0  p99 99.0", "max 100 ms", "5.00 us of CPU per request", "25.0 % CPU",
        "2000 bytes per connection"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
  EXPECT_EQ(text.find("TROUBLE"), std::string::npos);
}

TEST(ReportTest, TroubleIsNamed) {
  Report report = sample_report();
  report.phases[0].result->unanswered = 3;
  report.phases[0].result->note_wrong("(error) \"no\"");
  const std::string text = phase_text(report, report.phases[0]);
  EXPECT_NE(text.find("TROUBLE    3 unanswered; 1 wrong"), std::string::npos) << text;
  EXPECT_NE(text.find("the first wrong reply: (error) \"no\""), std::string::npos) << text;
  EXPECT_NE(verdict_text(report).find("LOST OR WRONG"), std::string::npos);
}

TEST(ReportTest, ATesterThatMeasuresItselfSaysSo) {
  Report report = sample_report();
  EXPECT_EQ(phase_text(report, report.phases[0]).find("NOTE"), std::string::npos);
  for (int i = 0; i < 1000; ++i) report.phases[0].result->lag.record(ae::Milliseconds(80));
  EXPECT_NE(phase_text(report, report.phases[0]).find("NOTE"), std::string::npos);
}

// That they are well formed is for the parsers of tests/e2e/load_test.py to say.
TEST(ReportTest, JsonAndSvgHoldTheFigures) {
  const Report report = sample_report();
  const std::string json = to_json(report);
  for (const char* words :
       {"\"command\": \"GET \\u0022k\\u0022\"", "\"clean\": true", "\"scenario\": \"random\"",
        "\"answered\": 1000", "\"max_ns\": 100000000"}) {
    EXPECT_NE(json.find(words), std::string::npos) << words << "\n" << json;
  }
  const std::string svg = to_svg(report);
  EXPECT_NE(svg.find("<polyline"), std::string::npos);
  EXPECT_NE(svg.find("random, 500 a second"), std::string::npos);
}

}  // namespace
}  // namespace load
