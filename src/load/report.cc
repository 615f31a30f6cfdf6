#include "load/report.h"

#include <algorithm>

namespace load {

bool Report::clean() const {
  return std::ranges::all_of(phases,
                             [](const PhaseReport& phase) { return phase.result->clean(); });
}

std::optional<double> Report::bytes_per_connection(const PhaseReport& phase) const {
  if (!server_at_first || !phase.server_after || phase.result->present == 0) return std::nullopt;
  const double grown =
      double(phase.server_after->resident_bytes) - double(server_at_first->resident_bytes);
  return grown / double(phase.result->present);
}

}  // namespace load
