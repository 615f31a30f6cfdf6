#include "ae/sim/audit.h"

#include <algorithm>

namespace ae::sim {

size_t AuditedHandler::closed(CloseReason reason) const {
  const auto found = reasons_.find(reason);
  return found == reasons_.end() ? 0 : found->second;
}

void AuditedHandler::complain(Connection connection, const char* what) {
  broken_ += "connection " + std::to_string(connection.id().slot) + "." +
             std::to_string(connection.id().generation) + ": " + what + "\n";
}

AuditedHandler::Life& AuditedHandler::note(Connection connection, const char* call) {
  Life& life = lives_[connection.id().packed()];
  if (life.closed) complain(connection, call);
  return life;
}

void AuditedHandler::on_open(Connection connection) {
  Life& life = note(connection, "on_open after on_closed");
  if (life.opened) complain(connection, "on_open twice");
  life.opened = true;
  inner_.on_open(connection);
}

size_t AuditedHandler::on_data(Connection connection, MutableBytes data) {
  note(connection, "on_data after on_closed");
  if (data.empty()) complain(connection, "on_data without data");
  const size_t size = data.size();
  const size_t consumed = inner_.on_data(connection, data);
  if (consumed > size) complain(connection, "the handler consumed more than there was");
  return consumed;
}

void AuditedHandler::on_half_closed(Connection connection) {
  Life& life = note(connection, "on_half_closed after on_closed");
  if (life.half_closed) complain(connection, "on_half_closed twice");
  life.half_closed = true;
  inner_.on_half_closed(connection);
}

void AuditedHandler::on_hang_up(Connection connection) {
  const Life& life = note(connection, "on_hang_up after on_closed");
  if (life.half_closed) complain(connection, "on_hang_up after on_half_closed");
  inner_.on_hang_up(connection);
}

void AuditedHandler::on_drained(Connection connection) {
  note(connection, "on_drained after on_closed");
  inner_.on_drained(connection);
}

void AuditedHandler::on_high_watermark(Connection connection) {
  note(connection, "on_high_watermark after on_closed");
  inner_.on_high_watermark(connection);
}

void AuditedHandler::on_closed(Connection connection, CloseReason reason) {
  Life& life = note(connection, "on_closed twice");
  if (!life.closed) ++closed_;
  life.closed = true;
  ++reasons_[reason];
  if (reason == CloseReason::kNone) complain(connection, "closed without a reason");
  inner_.on_closed(connection, reason);
}

std::string AuditedHandler::violations() const {
  std::string text = broken_;
  for (const auto& [id, life] : lives_) {
    if (life.closed) continue;
    text += "connection " + std::to_string(ConnectionId::unpack(id).slot) + " was never closed\n";
  }
  return text;
}

std::string prefix_violation(const std::string& received, const std::string& reference) {
  const size_t common = std::min(received.size(), reference.size());
  const auto part = std::ranges::mismatch(received, reference);
  const size_t at = size_t(part.in1 - received.begin());
  if (at == received.size()) return "";
  if (at == common)
    return "received " + std::to_string(received.size() - common) + " bytes too many";
  return "byte " + std::to_string(at) + " differs: received \"" + received.substr(at, 40) +
         "\", expected \"" + reference.substr(at, 40) + "\"";
}

}  // namespace ae::sim
