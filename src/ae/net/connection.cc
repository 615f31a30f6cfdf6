// The handle: every method is a look-up and a call on the table, and nothing on a connection that
// is gone.
#include "ae/net/connection.h"

#include <cerrno>

#include "ae/net/connection_table.h"

namespace ae {

void ConnectionHandler::on_open(Connection) {}
void ConnectionHandler::on_half_closed(Connection connection) {
  connection.close_after_flush(CloseReason::kPeerClosed);
}
void ConnectionHandler::on_hang_up(Connection) {}
void ConnectionHandler::on_drained(Connection) {}
void ConnectionHandler::on_high_watermark(Connection) {}

namespace {

const ConnectionRecord* record_of(const ConnectionTable* table, ConnectionId id) {
  return table == nullptr ? nullptr : table->record(id);
}

}  // namespace

bool Connection::alive() const {
  return state() != ConnectionState::kClosed;
}

ConnectionState Connection::state() const {
  const ConnectionRecord* record = record_of(table_, id_);
  return record == nullptr ? ConnectionState::kClosed : record->state;
}

uint64_t Connection::user() const {
  const ConnectionRecord* record = record_of(table_, id_);
  return record == nullptr ? 0 : record->user;
}

int Connection::fd() const {
  const ConnectionRecord* record = record_of(table_, id_);
  return record == nullptr ? -1 : record->end.fd;
}

CloseReason Connection::close_reason() const {
  const ConnectionRecord* record = record_of(table_, id_);
  return record == nullptr ? CloseReason::kNone : record->reason;
}

int Connection::error() const {
  const ConnectionRecord* record = record_of(table_, id_);
  return record == nullptr ? 0 : record->error;
}

bool Connection::paused(PauseReason reason) const {
  const ConnectionRecord* record = record_of(table_, id_);
  return record != nullptr && (record->pauses & uint8_t(reason)) != 0;
}

size_t Connection::pending_output() const {
  return table_ == nullptr ? 0 : table_->pending_output(id_);
}

void Connection::set_user(uint64_t word) {
  if (table_ != nullptr) table_->set_user(id_, word);
}
void Connection::send(Bytes bytes) {
  if (table_ != nullptr) table_->send(id_, bytes);
}
void Connection::shutdown_output() {
  if (table_ != nullptr) table_->shutdown_output(id_);
}
void Connection::unread(Bytes bytes) {
  if (table_ != nullptr) table_->unread(id_, bytes);
}
void Connection::pause(PauseReason reason) {
  if (table_ != nullptr) table_->pause(id_, reason);
}
void Connection::resume(PauseReason reason) {
  if (table_ != nullptr) table_->resume(id_, reason);
}
void Connection::close(CloseReason reason) {
  if (table_ != nullptr) table_->close(id_, reason);
}
void Connection::close_after_flush(CloseReason reason, Nanoseconds deadline) {
  if (table_ != nullptr) table_->close_after_flush(id_, reason, deadline);
}

Result<Address> Connection::peer_address() const {
  const ConnectionRecord* record = record_of(table_, id_);
  if (record == nullptr) return fail(ENOTCONN, "getpeername");
  return table_->loop().os().peer_address(record->end.fd);
}

Result<Address> Connection::local_address() const {
  const ConnectionRecord* record = record_of(table_, id_);
  if (record == nullptr) return fail(ENOTCONN, "getsockname");
  return table_->loop().os().local_address(record->end.fd);
}

}  // namespace ae
