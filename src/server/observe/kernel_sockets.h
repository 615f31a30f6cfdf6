// What the kernel holds for TCP, from /proc/net/sockstat. Of the whole machine: the kernel keeps no
// such sum per process. Buffers only, in pages; a socket's own record (2 to 3 KB, in slabs that
// only root may look at) comes on top.
//
//   TCP: inuse 4 orphan 0 tw 0 alloc 9 mem 3
//
// Thread: any. Costs an open, a read and a close.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace millrace {

struct KernelSockets {
  size_t allocated = 0;     // TCP sockets, in any state
  size_t buffer_bytes = 0;  // of TCP
};

// Nothing where the file is not there or not understood.
std::optional<KernelSockets> read_kernel_sockets();
std::optional<KernelSockets> parse_sockstat(std::string_view text, size_t page_bytes);

}  // namespace millrace
