#include "server/shutdown.h"

#include <limits>
#include <utility>

#include "server/command/clients.h"
#include "server/command/server_state.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/process/supervision.h"

namespace millrace {

ShutdownAnswer Shutdown::request(ShutdownRequest request) {
  Farewell& farewell = parts_.replication.farewell();
  if (timer_.valid()) return ShutdownAnswer::kEnds;
  if (farewell.under_way()) return ShutdownAnswer::kWaits;
  log::notice("User requested shutdown...");
  supervision::notify_stopping();
  request_ = request;
  const ae::Nanoseconds grace =
      request.now ? ae::Nanoseconds(0) : ae::Seconds(parts_.services.config.shutdown_timeout_s);
  deadline_ = parts_.loop.now() + grace;
  if (grace == ae::Nanoseconds(0) || !farewell.is_due()) return save();
  hold_writes();
  farewell.begin(deadline_, [this] { save(); });
  return ShutdownAnswer::kWaits;
}

ShutdownAnswer Shutdown::save() {
  parts_.replication.farewell().log_lagging();
  if (save_data()) {
    drain();
    return ShutdownAnswer::kEnds;
  }
  log::warning("Errors trying to shut down the server. Check the logs for more information.");
  parts_.replication.farewell().cancel();
  parts_.services.clients.unpause();
  return ShutdownAnswer::kFailed;
}

bool Shutdown::save_data() {
  if (parts_.append_only.lacks_base()) {
    log::warning("Writing initial AOF{}", request_.force ? ". Exit anyway." : ", can't exit.");
    if (!request_.force) return false;
  }
  const FinalSave wish = parts_.services.state.loading() ? FinalSave::kNo : request_.save;
  return parts_.snapshots.save_for_exit(wish) || request_.force;
}

// What has been saved is what there is: from here on writes wait, for the end or its abort.
void Shutdown::drain() {
  hold_writes();
  parts_.replication.stop_following();
  parts_.close_endpoints();
  timer_ = parts_.loop.add_periodic(kLook, [this] { look(); });
}

void Shutdown::hold_writes() {
  parts_.services.clients.pause(PauseKind::kWrites, std::numeric_limits<int64_t>::max());
}

void Shutdown::look() {
  if (!timer_.valid()) return;
  if (parts_.flush() > 0 && parts_.loop.now() < deadline_) return;
  parts_.append_only.finish();
  log::warning("Millrace is now ready to exit, bye bye...");
  parts_.loop.stop();
}

bool Shutdown::abort() {
  Farewell& farewell = parts_.replication.farewell();
  const bool drains = timer_.valid();
  if (!drains && !farewell.under_way()) return false;
  farewell.cancel();
  parts_.services.clients.unpause();
  log::notice("Shutdown manually aborted.");
  supervision::notify_status("Ready to accept connections");
  if (!drains) return true;
  parts_.loop.cancel(std::exchange(timer_, {}));
  parts_.replication.begin();
  parts_.open_endpoints();
  return true;
}

std::optional<int64_t> Shutdown::in_ms() const {
  if (!parts_.replication.farewell().under_way()) return std::nullopt;
  return std::chrono::duration_cast<ae::Milliseconds>(deadline_ - parts_.loop.now()).count();
}

}  // namespace millrace
