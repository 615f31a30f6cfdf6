#include "server/persist/aof_rewriter.h"

#include <unistd.h>

#include <cstring>
#include <utility>

#include "server/command/elapsed.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/persist/aof_base.h"

namespace millrace {

bool AofRewriter::start(const AofFiles& files, ae::Callback<void(Outcome)> done) {
  kind_ = services_.config.aof_use_rdb_preamble ? AofBase::kSnapshot : AofBase::kCommands;
  temporary_ = files.temporary_base(getpid());
  done_ = std::move(done);
  const auto pid = child_.start(
      ChildKind::kAppendOnlyBase,
      [&storage = files.storage(), path = temporary_, kind = kind_,
       &services = services_](ChildProgress& progress) {
        return write_aof_base(storage, path, kind, services,
                              [&](uint64_t keys) { progress.keys_done(keys); });
      },
      [this](const ChildResult& result) { ended(result); });
  if (!pid) {
    log::warning("Can't rewrite append only file in background: fork: {}",
                 std::strerror(pid.error().code));
    settled(RewritePolicy::Outcome::kFailed);
    return false;
  }
  running_ = true;
  pid_ = *pid;
  began_ = loop_.now();
  ++count_;
  log::notice("Background append only file rewriting started by pid {}", *pid);
  return true;
}

void AofRewriter::ended(const ChildResult& result) {
  running_ = false;
  last_took_s_ = seconds_between(began_, loop_.now());
  last_cow_bytes_ = result.copied_bytes;
  if (result.cancelled) return done_(Outcome::kCancelled);
  if (result.succeeded()) {
    log::notice("Background AOF rewrite terminated with success");
  } else if (result.signal != 0) {
    log::warning("Background AOF rewrite terminated by signal {}", result.signal);
  } else {
    log::warning("Background AOF rewrite terminated with error: {}", std::strerror(result.error));
  }
  done_(result.succeeded() ? Outcome::kWritten : Outcome::kFailed);
}

void AofRewriter::kill() {
  if (!running_) return;
  log::notice("Killing running AOF rewrite child: {}", pid_);
  child_.cancel_now();
}

void AofRewriter::settled(RewritePolicy::Outcome outcome) {
  last_ok_ = outcome == RewritePolicy::Outcome::kDone;
  policy_.finished(outcome);
}

void AofRewriter::fill(AppendOnlyStatus& status) const {
  status.rewrite_in_progress = running_;
  status.last_rewrite_s = last_took_s_;
  if (running_) status.current_rewrite_s = seconds_between(began_, loop_.now());
  status.last_rewrite_ok = last_ok_;
  status.rewrites = count_;
  status.rewrite_failures_in_a_row = policy_.failures_in_a_row();
  status.last_cow_bytes = last_cow_bytes_;
}

}  // namespace millrace
