// millrace-load: an open-loop load tester for servers that speak RESP. docs/load.md says how to
// read what it prints.
//
// From here: options.h (what a run is), conductor.h (processes), tester.h (one process's part),
// scenario.h (what is done), exchange.h (how it is measured).
#include <cstdio>
#include <fstream>
#include <string>

#include "ae/net/address.h"
#include "load/conductor.h"
#include "load/options.h"
#include "load/report.h"

namespace {

constexpr int kClean = 0, kTrouble = 1, kUsage = 2;

int complain(const std::string& what) {
  std::fprintf(stderr, "millrace-load: %s\n", what.c_str());
  return kUsage;
}

bool write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  return bool(file.flush());
}

}  // namespace

int main(int argc, char** argv) {
  std::string problem;
  const auto options = load::parse_options(argc, argv, &problem);
  if (!options) return complain(problem + "; --help names all");
  if (options->help) return std::fputs(load::help_text().c_str(), stdout), kClean;
  const auto target = ae::Address::parse(options->host, options->port);
  if (!target) return complain("not an address: " + options->host);
  if (const ae::Status raised = load::raise_descriptor_limit(*options); !raised) {
    return complain(raised.error().message());
  }

  load::Conductor conductor(*options);
  problem = conductor.run(*target);
  if (!problem.empty()) return complain(problem);
  const load::Report& report = conductor.report();
  if (!options->json_path.empty() && !write_file(options->json_path, to_json(report))) {
    return complain("cannot write " + options->json_path);
  }
  if (!options->svg_path.empty() && !write_file(options->svg_path, to_svg(report))) {
    return complain("cannot write " + options->svg_path);
  }
  return report.clean() ? kClean : kTrouble;
}
