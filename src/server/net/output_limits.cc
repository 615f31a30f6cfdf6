#include "server/net/output_limits.h"

#include "server/observe/log.h"

namespace millrace {

void OutputLimits::check(ae::Connection connection) {
  const size_t pending = connection.pending_output();
  if (limit_.hard_bytes != 0 && pending > limit_.hard_bytes) return close(connection, pending);
  if (limit_.soft_bytes == 0 || pending <= limit_.soft_bytes) return forget(connection.id());
  remember(connection.id());
}

void OutputLimits::remember(ae::ConnectionId id) {
  if (above_soft_.empty()) timer_ = table_.loop().add_periodic(kLook, [this] { look(); });
  above_soft_.try_emplace(id.slot, Since{id, table_.loop().now()});
}

void OutputLimits::look() {
  for (auto it = above_soft_.begin(); it != above_soft_.end();) {
    ae::Connection connection = table_.find(it->second.connection);
    const size_t pending = connection.pending_output();
    if (pending <= limit_.soft_bytes) {
      it = above_soft_.erase(it);
      continue;
    }
    if (table_.loop().now() - it->second.when > ae::Seconds(limit_.soft_s))
      close(connection, pending);
    ++it;
  }
  if (above_soft_.empty()) table_.loop().cancel(timer_);
}

void OutputLimits::close(ae::Connection connection, size_t pending) {
  const ae::Result<ae::Address> peer = connection.peer_address();
  log::warning(
      "Client {} scheduled to be closed ASAP for overcoming of output buffer limits ({} "
      "bytes pending).",
      peer ? peer->to_string() : "?:0", pending);
  connection.close(ae::CloseReason::kOutputLimit);
}

}  // namespace millrace
