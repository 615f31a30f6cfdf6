#include "server/core/client_eviction.h"

#include <algorithm>
#include <string>

#include "server/command/clients.h"
#include "server/command/lifecycle.h"
#include "server/config/config.h"
#include "server/observe/client_text.h"
#include "server/observe/log.h"

namespace millrace {

ClientEviction::ClientEviction(ae::EventLoop& loop, Services& services)
    : loop_(loop), services_(services) {
  loop_.after_sleep([this] { look(); });  // what other hooks have sent since
  loop_.before_sleep([this] { look(); });
}

void ClientEviction::look() {
  const Config& config = services_.config;
  const size_t allowed = config.maxmemory_clients_bytes();
  if (allowed == 0) return;
  if (config.io_threads > 1 && loop_.now() - looked_ < kLookAtThreads) return;
  looked_ = loop_.now();
  const size_t held = services_.lifecycle.client_memory().own();
  if (held > allowed) evict(held, allowed);
}

// What those hold who are on their way out is as good as given back; replicas have limits of their
// own (client-output-buffer-limit).
void ClientEviction::evict(size_t held, size_t allowed) {
  std::vector<Candidate> candidates;
  services_.clients.each([&](Session& session) {
    const size_t bytes = client_bytes(services_, session);
    if (session.has(SessionFlag::kClosing) || session.replica) {
      held -= std::min(held, bytes);
    } else if (!session.has(SessionFlag::kNoEvict) && !session.has(SessionFlag::kAdmin)) {
      candidates.push_back({bytes, session.self});
    }
  });
  const auto less = [](const Candidate& a, const Candidate& b) { return a.bytes < b.bytes; };
  std::make_heap(candidates.begin(), candidates.end(), less);
  while (held > allowed && !candidates.empty()) {
    std::pop_heap(candidates.begin(), candidates.end(), less);
    const Candidate largest = candidates.back();
    candidates.pop_back();
    held -= std::min(held, largest.bytes);
    close(*services_.clients.find(largest.session));
  }
}

void ClientEviction::close(Session& session) {
  if (log::enabled(LogLevel::kNotice)) {
    std::string line;
    append_client_line(line, services_, session);
    if (line.ends_with('\n')) line.pop_back();
    log::notice("Evicting client: {}", line);
  }
  services_.clients.link().close_now(session);
  ++services_.stats.evicted_clients;
}

}  // namespace millrace
