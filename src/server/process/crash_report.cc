#include "server/process/crash_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "server/observe/log.h"
#include "server/version.h"

namespace millrace {
namespace {

constexpr std::array<int, 5> kFatalSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// Deeper than any stack of ours; a runaway recursion shows its pattern in fewer.
constexpr int kMaxFrames = 100;

// backtrace(3) unwinds with tables, which takes some kilobytes; the kernel's minimum is not enough.
constexpr size_t kHandlerStackBytes = 64 * 1024;

// Text put together without allocation; what does not fit is cut.
class SafeText {
 public:
  SafeText& add(std::string_view text) {
    for (const char c : text) {
      if (size_ < sizeof bytes_) bytes_[size_++] = c;
    }
    return *this;
  }
  SafeText& add(uint64_t number, int base) {
    const auto [end, error] = std::to_chars(bytes_ + size_, bytes_ + sizeof bytes_, number, base);
    if (error == std::errc()) size_ = static_cast<size_t>(end - bytes_);
    return *this;
  }
  void write_to(int fd) const {
    // Nothing can be done about a failure, and nothing is left to do after it.
    [[maybe_unused]] const ssize_t written = write(fd, bytes_, size_);
  }

 private:
  char bytes_[512];
  size_t size_ = 0;
};

void report(int fd, int signal, const siginfo_t& info) {
  const char* const name = sigdescr_np(signal);
  SafeText head;
  head.add("\n\n=== MILLRACE BUG REPORT START ===\nMillrace ").add(kVersion);
  head.add(" crashed by signal ").add(static_cast<uint64_t>(signal), 10);
  head.add(" (").add(name ? name : "?").add("), code ");
  if (info.si_code < 0) head.add("-");
  head.add(static_cast<uint64_t>(info.si_code < 0 ? -int64_t{info.si_code} : info.si_code), 10);
  head.add(", address 0x").add(reinterpret_cast<uintptr_t>(info.si_addr), 16);
  head.add("\n--- stack\n").write_to(fd);

  void* frames[kMaxFrames];
  backtrace_symbols_fd(frames, backtrace(frames, kMaxFrames), fd);
  SafeText().add("=== MILLRACE BUG REPORT END ===\n").write_to(fd);
}

// SA_RESETHAND has put the default back: returning runs the faulting instruction again, or raising
// the signal again kills with it.
void on_fatal_signal(int signal, siginfo_t* info, void*) {
  report(log::descriptor(), signal, *info);
  raise(signal);
}

}  // namespace

void install_crash_report() {
  void* frame = nullptr;
  backtrace(&frame, 1);     // loads libgcc now, while loading is allowed
  (void)log::descriptor();  // makes the log's state now, while allocating is allowed
  static char stack_bytes[kHandlerStackBytes];
  stack_t stack{};
  stack.ss_sp = stack_bytes;
  stack.ss_size = sizeof stack_bytes;
  sigaltstack(&stack, nullptr);

  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : kFatalSignals) sigaction(signal, &action, nullptr);
}

void remove_crash_report() {
  for (const int fatal : kFatalSignals) signal(fatal, SIG_DFL);
}

}  // namespace millrace
