// What the process asks of its allocator.
#pragma once

namespace millrace {

// jemalloc's background threads give unused pages back while the server sleeps; without them they
// go back at the next allocations, and an idle server stays large. False: the allocator is not
// jemalloc, or refused. After fork: the threads do not survive one.
enum class BackgroundPurging : bool { kOff, kOn };
bool set_background_purging(BackgroundPurging purging);

}  // namespace millrace
