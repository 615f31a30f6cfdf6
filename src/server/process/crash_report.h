// The last words of a server that crashes: the signal, the address, the version and the stack, into
// the log; then the signal takes its course (core dump, exit status).
//
//   === MILLRACE BUG REPORT START ===
//   Millrace 0.1.0 crashed by signal 11 (Segmentation fault), code 1, address 0x0
//   --- stack
//   ./millrace-server(+0x4f2d1)[0x55d0c8a4f2d1]
//   === MILLRACE BUG REPORT END ===
//
// The lines of the stack are for addr2line(1): `addr2line -Cfie millrace-server +0x4f2d1`.
//
// The handler runs on a stack of its own, because the other may be what overflowed, and calls what
// signal-safety(7) allows and backtrace(3), whose library is loaded beforehand. A second crash
// while reporting ends the process at once.
#pragma once

namespace millrace {

// For SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT (a failed assertion). May be called again.
void install_crash_report();

// Back to the kernel's own behaviour (crash-log-enabled no).
void remove_crash_report();

}  // namespace millrace
