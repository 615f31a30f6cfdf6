// Replaces a file so that a reader, or a crash at any moment, sees the old content or the new one
// and never a part: the content goes to a new file beside it, is synced, and renamed over the old
// name.
#pragma once

#include <string>
#include <string_view>

#include "ae/base/result.h"

namespace millrace {

// Keeps the mode of the file that is replaced, and a symbolic link stays one: what it points to is
// replaced. A file that does not exist is created with mode 0644 less the umask.
ae::Status replace_file(const std::string& path, std::string_view bytes);

}  // namespace millrace
