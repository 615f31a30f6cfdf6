// millrace-server --verify-against HOST PORT: whether a running server has the same keys and values
// as another one, for those who move from one to the other (docs/replication.md).
//
// Exit status: 0 they are equal, 1 they are not, 2 it could not be found out.
#pragma once

namespace verify {

// With the arguments of main().
int run(int argc, char** argv);

}  // namespace verify
