// How much memory a forked child does not share with its parent any more: what copy-on-write costs.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

// Of this process: its private dirty pages, from /proc/self/smaps_rollup. 0 where the kernel does
// not tell. Costs the kernel a walk through the page tables: milliseconds for gigabytes.
uint64_t copied_bytes();

// "Private_Dirty:      1234 kB" in such a file; 0: there is no such line.
uint64_t private_dirty_bytes(std::string_view smaps);

}  // namespace millrace
