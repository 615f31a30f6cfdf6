// MEMORY DOCTOR: the overview of the memory, judged. Each finding is a sentence with its numbers.
#pragma once

#include <string>

#include "server/config/config.h"
#include "server/observe/memory_overview.h"

namespace millrace {

std::string memory_report(const MemoryOverview& memory, const Config& config);

}  // namespace millrace
