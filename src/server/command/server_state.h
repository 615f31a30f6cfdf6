// What the server can do at present, as its clients meet it: what the gates answer from
// (core/gates.h) and what INFO says. Each state is set by the part that brings it about (loading a
// snapshot, the link to a master, a failing disk, a script that does not end); nobody else writes.
//
// A plain record with one hook, because the gates keep a digest of it. Thread: the main loop's.
#pragma once

#include <cstdint>
#include <utility>

#include "ae/base/callback.h"

namespace millrace {

enum class Loading : uint8_t {
  kNo,
  kYes,         // most commands get -LOADING
  kBesideData,  // a master's snapshot, while the old data is served (swapdb)
};

// What cannot be written, so that nothing more may be changed: -MISCONF.
enum class DiskTrouble : uint8_t { kNone, kSnapshot, kAppendOnlyFile };

enum class BusyScript : uint8_t { kNone, kScript, kFunction };

class ServerState {
 public:
  struct Facts {
    Loading loading = Loading::kNo;
    DiskTrouble disk = DiskTrouble::kNone;
    int disk_errno = 0;             // kAppendOnlyFile
    bool follows_master = false;    // it is a replica: deletes nothing by itself
    bool read_only = false;         // and takes no changes but its master's
    bool stale = false;             // and its link is down, and it may not serve what it has
    bool too_few_replicas = false;  // min-replicas-to-write
    BusyScript busy_script = BusyScript::kNone;

    bool operator==(const Facts&) const = default;
  };

  const Facts& facts() const { return facts_; }
  bool loading() const { return facts_.loading != Loading::kNo; }
  bool script_is_busy() const { return facts_.busy_script != BusyScript::kNone; }
  bool follows_master() const { return facts_.follows_master; }

  //   state.change([](ServerState::Facts& facts) { facts.loading = Loading::kYes; });
  template <typename Change>
  void change(Change&& change) {
    const Facts before = facts_;
    change(facts_);
    if (facts_ != before && on_change_) on_change_();
  }
  void on_change(ae::Callback<void()> hook) { on_change_ = std::move(hook); }

 private:
  Facts facts_;
  ae::Callback<void()> on_change_;
};

}  // namespace millrace
