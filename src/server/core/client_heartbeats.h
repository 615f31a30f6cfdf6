// The heartbeats of the clients that asked for one, on ae's coarse wheel: no timer object and no
// work per request, only a look at a client about once an interval.
//
// The wheel knows clients by an id of a table of their own, so it is as large as the number of
// those who asked, not as the highest slot of a million who did not. When a client was last heard
// is what its session says (active_s); bytes of a request that has not come whole show as a change
// of what the connection keeps of it.
//
// A client that CLIENT PAUSE holds cannot be heard and is not judged. One that does not take its
// replies is: its input is not read either, and a peer that lives reads sooner or later.
//
// Thread: the loop's. The wheel (a timer a second) exists from the first CLIENT HEARTBEAT ON on.
#pragma once

#include <optional>

#include "ae/net/heartbeat.h"
#include "server/command/clients.h"
#include "server/command/heartbeats.h"
#include "server/command/services.h"

namespace millrace {

class ClientHeartbeats final : public Heartbeats, private ae::HeartbeatHandler {
 public:
  ClientHeartbeats(ae::EventLoop& loop, Clients& clients, ServerStats& stats)
      : loop_(loop), clients_(clients), stats_(stats), started_(loop.now()) {
    clients_.on_leave([this](Session& session) { stop(session); });
  }

  void start(Session& session, HeartbeatTerms terms) override;
  void stop(Session& session) override;
  size_t count() const override { return beats_.size(); }

 private:
  struct Beat {
    SessionId session;
    size_t unread_bytes = 0;  // of a half request, at the last look
  };

  std::optional<ae::TimePoint> last_heard(ae::ConnectionId id) override;
  void on_idle(ae::ConnectionId) override {}  // no idle timeout is set
  void on_probe(ae::ConnectionId id, uint32_t misses) override;
  void on_lost(ae::ConnectionId id) override;

  ae::EventLoop& loop_;
  Clients& clients_;
  ServerStats& stats_;
  const ae::TimePoint started_;  // where the sessions' seconds count from
  ae::SlotMap<Beat, ae::ConnectionId> beats_;
  std::optional<ae::Heartbeat> wheel_;
};

}  // namespace millrace
