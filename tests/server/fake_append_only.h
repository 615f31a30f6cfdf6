// An append-only file that is as far as a test says. Off unless told otherwise.
#pragma once

#include "server/command/append_only.h"

namespace millrace {

class FakeAppendOnly final : public AppendOnly {
 public:
  AppendOnlyStatus status() const override { return {}; }
  size_t buffered() const override { return 0; }
  Rewrite rewrite(When) override { return Rewrite::kFailed; }
  bool load_again() override { return false; }
  void suspend() override {}
  void resume() override {}
  bool enabled() const override { return is_on; }
  uint64_t appended() const override { return appended_bytes; }
  uint64_t synced() const override { return synced_bytes; }

  bool is_on = false;
  uint64_t appended_bytes = 0, synced_bytes = 0;
};

}  // namespace millrace
