#include "server/observe/client_text.h"

#include <algorithm>

#include "server/acl/acl.h"
#include "server/command/append_text.h"
#include "server/command/clients.h"
#include "server/command/table.h"
#include "server/observe/memory_overview.h"

namespace millrace {
namespace {

struct FlagLetter {
  SessionFlag flag;
  char letter;
};
// In Redis' order; what is ours alone comes last.
constexpr FlagLetter kFlagLetters[] = {
    {SessionFlag::kMonitor, 'O'},    {SessionFlag::kSubscribed, 'P'}, {SessionFlag::kMulti, 'x'},
    {SessionFlag::kBlocked, 'b'},    {SessionFlag::kTracking, 't'},   {SessionFlag::kClosing, 'c'},
    {SessionFlag::kUnixSocket, 'U'}, {SessionFlag::kNoEvict, 'e'},    {SessionFlag::kNoTouch, 'T'},
    {SessionFlag::kAdmin, 'a'},      {SessionFlag::kHeartbeat, 'h'},
};

std::string flag_letters(const Session& session, const SessionExtras& extras) {
  std::string letters;
  if (session.replica) letters += 'S';
  for (const FlagLetter& row : kFlagLetters) {
    if (row.flag == SessionFlag::kClosing) {
      if (extras.tracking && extras.tracking->broken_redirect) letters += 'R';
      if (extras.tracking && extras.tracking->broadcast) letters += 'B';
      if (extras.watches && extras.watches->broken) letters += 'd';
    }
    if (session.has(row.flag)) letters += row.letter;
  }
  return letters.empty() ? "N" : letters;
}

// -1 outside of a transaction.
int64_t queued_commands(const SessionExtras& extras) {
  return extras.transaction ? int64_t(extras.transaction->requests().size()) : -1;
}

size_t subscriptions(const SessionExtras& extras, ChannelKind kind) {
  return extras.subscriptions ? extras.subscriptions->count(kind) : 0;
}

int64_t redirect(const SessionExtras& extras) {
  return extras.tracking ? int64_t(extras.tracking->redirect) : -1;
}

std::string_view last_command_of(const Services& services, const Session& session) {
  if (session.last_command == Session::kNoCommand) return "NULL";
  return services.commands.by_id(session.last_command).full_name;
}

}  // namespace

size_t client_bytes(Services& services, const Session& session) {
  ClientLink& link = services.clients.link();
  size_t bytes = idle_client_bytes() + link.unread_bytes(session) + link.unread_room(session) +
                 link.output_bytes(session);
  if (session.extras) bytes += session.extras->memory_bytes();
  return bytes;
}

bool is_client_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

void set_client_name(Clients& clients, Session& session, std::string_view name) {
  clients.change_extras(session, [name](SessionExtras& extras) { extras.name = name; });
}

void append_client_line(std::string& text, Services& services, const Session& session) {
  static const SessionExtras kNoExtras;
  const SessionExtras& extras = session.extras ? *session.extras : kNoExtras;
  ClientLink& link = services.clients.link();
  const uint32_t now_s = services.tick.uptime_s;
  const size_t unread = link.unread_bytes(session);
  const size_t unsent = link.output_bytes(session);
  append_text(text, "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={}",
              session.id, link.peer_text(session), link.local_text(session),
              link.descriptor(session), extras.name, now_s - session.created_s,
              now_s - session.active_s, flag_letters(session, extras), session.db);
  append_text(text, " sub={} psub={} ssub={} multi={}",
              subscriptions(extras, ChannelKind::kChannel),
              subscriptions(extras, ChannelKind::kPattern),
              subscriptions(extras, ChannelKind::kShard), queued_commands(extras));
  append_text(text, " qbuf={} qbuf-free={} argv-mem=0 multi-mem={}", unread,
              link.unread_room(session),
              extras.transaction ? extras.transaction->memory_bytes() : 0);
  append_text(text, " rbs=0 rbp=0 obl=0 oll={} omem={} tot-mem={} events={}", unsent > 0 ? 1 : 0,
              unsent, client_bytes(services, session), unsent > 0 ? "rw" : "r");
  append_text(text, " cmd={} user={} redir={} resp={} lib-name={} lib-ver={} io-thread={}\n",
              last_command_of(services, session), services.acl.user_of(session).name,
              redirect(extras), session.resp, extras.library_name, extras.library_version,
              session.thread);
}

void append_master_line(std::string& text, const MasterClient& master) {
  const bool behind = master.unsent_bytes > 0;
  append_text(text,
              "id=0 addr={} laddr={} fd={} name= age={} idle={} flags=M db={} sub=0 psub=0 "
              "ssub=0 multi=-1 qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 "
              "oll={} omem={} tot-mem={} events={} cmd=NULL user=(superuser) redir=-1 resp=2 "
              "lib-name= lib-ver= io-thread=0\n",
              master.peer, master.local, master.descriptor, master.age_s, master.idle_s, master.db,
              master.unread_bytes, behind ? 1 : 0, master.unsent_bytes,
              idle_client_bytes() + master.unread_bytes + master.unsent_bytes, behind ? "rw" : "r");
}

}  // namespace millrace
