// Settings of the machine that make the server slower or smaller than it was asked to be. They are
// read, never written; what is found is a warning in the log that names the file and the cure.
#pragma once

#include <string>
#include <vector>

#include "server/config/config.h"

namespace millrace {

// `root` is where /proc and /sys are: "/", or a directory of a test. A file that cannot be read
// gives no warning (containers hide some).
std::vector<std::string> kernel_warnings(const Config& config, const std::string& root);

// Asks the kernel to give this process no transparent huge pages, whatever the machine does.
// With them, an allocator that returns 4 KiB pages returns nothing until 2 MiB are free.
bool disable_huge_pages();

}  // namespace millrace
