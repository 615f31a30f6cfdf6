// How much memory the server uses, cheaply enough to be asked before every write.
//
// With jemalloc each thread keeps running totals of what it has allocated and freed; the meter
// holds pointers to those of the thread that runs commands (mallctl "thread.allocatedp"), so
// used_bytes() is three loads. What the slabs hold in reserve is not in use and is taken off.
// Threads that allocate on their own account have to register their totals here.
//
// Without jemalloc (the debug builds) the C library is asked, which is slow but exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace millrace::memory {

// Binds the meter to the calling thread. Before it, used_bytes() counts from the first call on.
void bind_thread();

// Bytes in live allocations, without the slabs' reserve.
size_t used_bytes();
// Remembers what is used now as the cost of an empty server; once, when it begins to serve.
void mark_startup();
size_t startup_bytes();  // 0 before
// Resident set of the process, from /proc/self/statm. A system call or three.
size_t resident_bytes();

// What the allocator says of itself; refreshed by each call.
struct AllocatorStats {
  size_t allocated = 0;  // in live allocations
  size_t active = 0;     // in pages that hold any
  size_t resident = 0;
  size_t retained = 0;  // address space kept without memory behind it
  size_t slab_reserve = 0;
};
AllocatorStats allocator_stats();
const char* allocator_name();    // "jemalloc-5.3.0", "libc"
std::string allocator_report();  // MEMORY MALLOC-STATS

// Gives unused pages back to the kernel (MEMORY PURGE).
void purge();
// This thread will have little to do for a while: its cache of free blocks is emptied.
void rest();

}  // namespace millrace::memory
