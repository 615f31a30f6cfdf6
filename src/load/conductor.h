// The process that the user started: forks the workers, gives each phase's order to all of them at
// once, adds up what they send back, and watches the server meanwhile. It sends no request itself,
// so its work is nobody's latency.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "ae/base/result.h"
#include "ae/net/address.h"
#include "load/report.h"

namespace load {

class Conductor {
 public:
  explicit Conductor(const Options& options);
  ~Conductor();  // ends the workers
  Conductor(const Conductor&) = delete;
  Conductor& operator=(const Conductor&) = delete;

  // Everything, phase by phase, printed as it comes. The report, or why there is none.
  std::string run(const ae::Address& target);
  const Report& report() const { return report_; }

 private:
  struct Worker {
    pid_t pid = -1;
    int control = -1;
  };

  ae::Status start_workers(const ae::Address& target);
  ae::Status start_worker(const ae::Address& target, uint32_t index);
  // False if a worker is gone.
  bool conduct(uint32_t phase);

  const Options& options_;
  std::vector<Phase> phases_;  // connect, and what the user named
  std::vector<Worker> workers_;
  Report report_;
};

// Lets every worker have the descriptors its connections take.
ae::Status raise_descriptor_limit(const Options& options);

}  // namespace load
