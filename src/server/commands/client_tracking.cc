// CLIENT TRACKING: on which terms a client is told that what it has read has changed. The work is
// done in pubsub/tracking.h; here the terms are read, and refused where they contradict themselves
// or those in force.
#include "server/commands/client_tracking.h"

#include <algorithm>
#include <string>

#include "server/command/arg_reader.h"
#include "server/command/clients.h"
#include "server/pubsub/tracking.h"

namespace millrace {
namespace {

// --- reading the terms

void read_redirect(Context& c, ArgReader& args, TrackingTerms& terms) {
  if (terms.redirect != 0)
    return args.error("ERR A client can only redirect to a single other client");
  const int64_t id = args.integer();
  if (!args.ok()) return;
  const Session* target = c.services().clients.find_by_client_id(uint64_t(id));
  if (!target) return args.error("ERR The client ID you want redirect to does not exist");
  terms.redirect = uint64_t(id);
  terms.redirect_session = target->self;
}

void read_terms(Context& c, ArgReader& args, TrackingTerms& terms) {
  while (args.more()) {
    if (args.take("REDIRECT", 1)) {
      read_redirect(c, args, terms);
    } else if (args.take("BCAST")) {
      terms.broadcast = true;
    } else if (args.take("OPTIN")) {
      terms.opt_in = true;
    } else if (args.take("OPTOUT")) {
      terms.opt_out = true;
    } else if (args.take("NOLOOP")) {
      terms.no_loop = true;
    } else if (args.take("PREFIX", 1)) {
      terms.prefixes.emplace_back(args.word());
    } else {
      args.syntax_error();
    }
  }
}

// --- what does not go together

bool overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

// Two prefixes of which one begins with the other would bring every message twice. Those in force
// may be named again.
std::string overlapping(const TrackingTerms& terms, const TrackingTerms* in_force) {
  for (size_t i = 0; i < terms.prefixes.size(); ++i) {
    const std::string& prefix = terms.prefixes[i];
    if (in_force) {
      for (const std::string& old : in_force->prefixes)
        if (overlap(prefix, old))
          return "ERR Prefix '" + prefix + "' overlaps with an existing prefix '" + old +
                 "'. Prefixes for a single client must not overlap.";
    }
    for (size_t j = i + 1; j < terms.prefixes.size(); ++j)
      if (overlap(prefix, terms.prefixes[j]))
        return "ERR Prefix '" + prefix + "' overlaps with another provided prefix '" +
               terms.prefixes[j] + "'. Prefixes for a single client must not overlap.";
  }
  return {};
}

std::string contradiction(const TrackingTerms& terms, const TrackingTerms* in_force) {
  if (!terms.broadcast && !terms.prefixes.empty())
    return "ERR PREFIX option requires BCAST mode to be enabled";
  if (in_force && in_force->broadcast != terms.broadcast)
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  if (terms.broadcast && (terms.opt_in || terms.opt_out))
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  if (terms.opt_in && terms.opt_out) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if (in_force && ((terms.opt_in && in_force->opt_out) || (terms.opt_out && in_force->opt_in)))
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  return terms.broadcast ? overlapping(terms, in_force) : std::string();
}

const TrackingTerms* terms_in_force(const Session& session) {
  return session.has(SessionFlag::kTracking) ? session.extras->tracking.get() : nullptr;
}

}  // namespace

// CLIENT TRACKING ON | OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST]
//   [OPTIN] [OPTOUT] [NOLOOP]
void client_tracking(Context& c) {
  ArgReader args(c, 3);
  TrackingTerms terms;
  read_terms(c, args, terms);
  if (!args.finish()) return;
  ArgReader first(c, 2);
  const bool on = first.take("ON");
  if (!on && !first.take("OFF")) return c.fail(errors::kSyntax);
  if (!on) {
    c.services().tracking.stop(c.session());
    return c.reply().ok();
  }
  const TrackingTerms* in_force = terms_in_force(c.session());
  if (const std::string error = contradiction(terms, in_force); !error.empty())
    return c.fail(error);
  if (terms.broadcast && terms.prefixes.empty() && !(in_force && !in_force->prefixes.empty()))
    terms.prefixes.emplace_back();  // of every key
  if (in_force)
    terms.prefixes.insert(terms.prefixes.begin(), in_force->prefixes.begin(),
                          in_force->prefixes.end());
  std::sort(terms.prefixes.begin(), terms.prefixes.end());
  c.services().tracking.start(c.session(), std::move(terms));
  c.reply().ok();
}

// CLIENT CACHING YES | NO
void client_caching(Context& c) {
  TrackingTerms* terms = c.session().extras ? c.session().extras->tracking.get() : nullptr;
  if (!terms || !(terms->opt_in || terms->opt_out))
    return c.fail(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  ArgReader args(c, 2);
  if (args.take("YES")) {
    if (!terms->opt_in)
      return c.fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  } else if (args.take("NO")) {
    if (!terms->opt_out)
      return c.fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  } else {
    return c.fail(errors::kSyntax);
  }
  terms->caching = true;
  c.reply().ok();
}

// CLIENT GETREDIR
void client_getredir(Context& c) {
  const TrackingTerms* terms = terms_in_force(c.session());
  c.reply().integer(terms ? int64_t(terms->redirect) : -1);
}

// CLIENT TRACKINGINFO
void client_trackinginfo(Context& c) {
  static const TrackingTerms kNone;
  const TrackingTerms* in_force = terms_in_force(c.session());
  const TrackingTerms& terms = in_force ? *in_force : kNone;
  proto::ReplyWriter& reply = c.reply();
  reply.map(3);
  reply.bulk("flags");
  const auto flags = reply.defer_set();
  size_t count = 0;
  const auto add = [&](bool is_set, std::string_view name) {
    if (!is_set) return;
    reply.bulk(name);
    ++count;
  };
  add(!in_force, "off");
  add(in_force != nullptr, "on");
  add(terms.broadcast, "bcast");
  add(terms.opt_in, "optin");
  add(terms.opt_in && terms.caching, "caching-yes");
  add(terms.opt_out, "optout");
  add(terms.opt_out && terms.caching, "caching-no");
  add(terms.no_loop, "noloop");
  add(terms.broken_redirect, "broken_redirect");
  reply.finish(flags, count);
  reply.bulk("redirect");
  reply.integer(in_force ? int64_t(terms.redirect) : -1);
  reply.bulk("prefixes");
  reply.array(terms.prefixes.size());
  for (const std::string& prefix : terms.prefixes) reply.bulk(prefix);
}

}  // namespace millrace
