#include "ae/net/dialer.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ae/base/assert.h"
#include "ae/net/socket_options.h"

namespace ae {

Dialer::~Dialer() {
  dials_.visit(0, SIZE_MAX, [this](DialId, Dial& dial) { abandon(dial); });
}

DialId Dialer::dial(std::vector<Address> addresses, DialOptions options, Done done) {
  AE_ASSERT(!addresses.empty() && done);
  const DialId id = dials_.emplace();
  Dial& dial = dials_.at(id.slot);
  dial.addresses = std::move(addresses);
  dial.options = options;
  dial.done = std::move(done);
  dial.round = 1;
  attempt(id);
  return id;
}

bool Dialer::cancel(DialId id) {
  Dial* dial = dials_.find(id);
  if (dial == nullptr) return false;
  abandon(*dial);
  return dials_.erase(id);
}

// --- one attempt

void Dialer::attempt(DialId id) {
  Dial* dial = dials_.find(id);
  AE_ASSERT(dial != nullptr);
  dial->timer = {};
  ++attempts_;
  if (const Status started = start(id, *dial); !started) {
    return attempt_failed(id, *dial, started.error());
  }
  dial->timer = loop_.add_timer(dial->options.attempt_timeout, [this, id] {
    Dial* late = dials_.find(id);
    late->timer = {};
    attempt_failed(id, *late, {ETIMEDOUT, "connect"});
  });
}

Status Dialer::start(DialId id, Dial& dial) {
  const Address& address = dial.addresses[dial.next];
  const Result<int> fd = os_.socket(address.family(), SOCK_STREAM, 0);
  if (!fd) return fail(fd.error());
  dial.fd = *fd;
  if (const Status bound = bind_source(dial); !bound) return bound;
  // Connected at once (a Unix socket) is Writable at once: there is one way to success.
  if (const Result<int> connecting = os_.connect(dial.fd, address); !connecting) {
    return fail(connecting.error());
  }
  const Result<FileId> file = loop_.watch(dial.fd, Events::kWritable, this, id.slot);
  if (!file) return fail(file.error());
  dial.file = *file;
  return {};
}

Status Dialer::bind_source(const Dial& dial) {
  if (!dial.options.source) return {};
  const Address& source = *dial.options.source;
  if (source.is_ip() && source.port() == 0) {
    if (const Status late = set_late_port(os_, dial.fd); !late) return late;
  }
  return os_.bind(dial.fd, source);
}

void Dialer::on_file_event(FileId, uint32_t token, Events) {
  Dial& dial = dials_.at(token);
  attempt_ended(dials_.id_of(token), dial, os_.pending_error(dial.fd));
}

void Dialer::attempt_ended(DialId id, Dial& dial, int error) {
  if (error == 0 && dial.addresses[dial.next].is_ip() && is_self_connected(dial.fd)) {
    error = ECONNREFUSED;
  }
  if (error != 0) return attempt_failed(id, dial, {error, "connect"});
  loop_.unwatch(std::exchange(dial.file, {}));
  finish(id, dial, std::exchange(dial.fd, -1));
}

bool Dialer::is_self_connected(int fd) {
  const Result<Address> local = os_.local_address(fd);
  const Result<Address> peer = os_.peer_address(fd);
  return local && peer && *local == *peer;
}

// --- what follows

// Always by way of a timer, also when it is due at once: attempts that fail within connect()
// neither nest nor call `done` from within dial().
void Dialer::attempt_failed(DialId id, Dial& dial, Error error) {
  abandon(dial);
  dial.last_error = error;
  const bool round_over = ++dial.next == dial.addresses.size();
  if (round_over && dial.round == dial.options.rounds) {
    dial.timer = loop_.add_timer(Nanoseconds::zero(), [this, id] {
      Dial* failed = dials_.find(id);
      failed->timer = {};
      finish(id, *failed, fail(failed->last_error));
    });
    return;
  }
  const Nanoseconds pause = round_over ? back_off(dial) : Nanoseconds::zero();
  if (round_over) {
    dial.next = 0;
    ++dial.round;
  }
  dial.timer = loop_.add_timer(pause, [this, id] { attempt(id); });
}

Nanoseconds Dialer::back_off(const Dial& dial) {
  const DialOptions& options = dial.options;
  Nanoseconds pause = options.first_back_off;
  for (uint32_t i = 1; i < dial.round && pause < options.most_back_off; ++i) pause *= 2;
  const Nanoseconds half = std::min(pause, options.most_back_off) / 2;
  return half + Nanoseconds(int64_t(prng_.fraction() * double(half.count())));
}

// Gives back what the attempt holds.
void Dialer::abandon(Dial& dial) {
  if (dial.timer.valid()) loop_.cancel(std::exchange(dial.timer, {}));
  if (dial.file.valid()) loop_.unwatch(std::exchange(dial.file, {}));
  if (dial.fd != -1) os_.close(std::exchange(dial.fd, -1));
}

// The record goes first: the callee may dial again, or cancel this one, which is over.
void Dialer::finish(DialId id, Dial& dial, Result<int> result) {
  abandon(dial);
  Done done = std::move(dial.done);
  dials_.erase(id);
  done(result);
}

}  // namespace ae
