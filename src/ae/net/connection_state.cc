#include "ae/net/connection_state.h"

#include <cerrno>

#include "ae/base/assert.h"

namespace ae {
namespace {

constexpr uint8_t bit(ConnectionState state) {
  return uint8_t(1u << uint8_t(state));
}

// Indexed by the state that is left; a set of the states that may be entered.
constexpr uint8_t kSuccessors[] = {
    bit(ConnectionState::kOpen) | bit(ConnectionState::kClosing),      // kConnecting
    bit(ConnectionState::kDraining) | bit(ConnectionState::kClosing),  // kOpen
    bit(ConnectionState::kClosing),                                    // kDraining
    bit(ConnectionState::kClosed),                                     // kClosing
    0,                                                                 // kClosed
};

}  // namespace

bool may_follow(ConnectionState from, ConnectionState to) {
  return (kSuccessors[uint8_t(from)] & bit(to)) != 0;
}

void enter(ConnectionState& state, ConnectionState next) {
  AE_ASSERT(may_follow(state, next));
  state = next;
}

CloseReason reason_of_error(int error) {
  switch (error) {
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case ECONNABORTED:
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case ENOTCONN:  // shutdown() of a socket that was reset meanwhile
      return CloseReason::kPeerReset;
    default:
      return CloseReason::kSystemError;
  }
}

std::string_view name(ConnectionState state) {
  switch (state) {
    case ConnectionState::kConnecting:
      return "connecting";
    case ConnectionState::kOpen:
      return "open";
    case ConnectionState::kDraining:
      return "draining";
    case ConnectionState::kClosing:
      return "closing";
    case ConnectionState::kClosed:
      return "closed";
  }
  return "unknown";
}

std::string_view name(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNone:
      return "none";
    case CloseReason::kPeerClosed:
      return "peer-closed";
    case CloseReason::kPeerReset:
      return "peer-reset";
    case CloseReason::kConnectFailed:
      return "connect-failed";
    case CloseReason::kIdleTimeout:
      return "idle-timeout";
    case CloseReason::kHeartbeatLost:
      return "heartbeat-lost";
    case CloseReason::kOutputLimit:
      return "output-limit";
    case CloseReason::kInputLimit:
      return "input-limit";
    case CloseReason::kProtocolError:
      return "protocol-error";
    case CloseReason::kDrainDeadline:
      return "drain-deadline";
    case CloseReason::kRequested:
      return "requested";
    case CloseReason::kShutdown:
      return "shutdown";
    case CloseReason::kSystemError:
      return "system-error";
  }
  return "unknown";
}

}  // namespace ae
