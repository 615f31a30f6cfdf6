#include "ae/core/signals.h"

#include <sys/signalfd.h>

#include <array>
#include <utility>

#include "ae/base/assert.h"

namespace ae {
namespace {

// Records read per event; the descriptor stays readable while there are more.
constexpr size_t kRecordsPerRead = 8;

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) AE_ASSERT(sigaddset(&set, signal) == 0);
  return set;
}

}  // namespace

SignalSet::SignalSet(EventLoop& loop, std::initializer_list<int> signals,
                     Callback<void(int)> callback)
    : loop_(loop), callback_(std::move(callback)) {
  const sigset_t set = set_of(signals);
  AE_ASSERT(::pthread_sigmask(SIG_BLOCK, &set, &mask_before_) == 0);
  fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  AE_ASSERT(fd_ != -1);
  const Result<FileId> id = loop_.watch(fd_, Events::kReadable, this, 0);
  AE_ASSERT(id.has_value());
  id_ = *id;
}

SignalSet::~SignalSet() {
  loop_.unwatch(id_);
  loop_.os().close(fd_);
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void SignalSet::on_file_event(FileId, uint32_t, Events) {
  std::array<signalfd_siginfo, kRecordsPerRead> records;
  const MutableBytes into(reinterpret_cast<char*>(records.data()), sizeof(records));
  const IoResult got = loop_.os().read(fd_, into);  // whole records or nothing
  for (size_t i = 0; i < got.bytes / sizeof(signalfd_siginfo); ++i) {
    callback_(static_cast<int>(records[i].ssi_signo));
  }
}

}  // namespace ae
