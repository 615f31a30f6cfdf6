// CONFIG REWRITE: the file, changed as little as makes it say what is in force.
//
// Comments, order, includes and every line that still says the truth stay as they are, to the byte.
// A directive whose lines do not is written anew where it first stood. What the file does not
// mention, or an include overrides, is added at the end under a header. Reading the result gives
// the configuration back, exactly: that is how the end is found (see rewrite.cc).
#pragma once

#include <string>
#include <string_view>

#include "ae/base/result.h"
#include "server/config/config.h"

namespace millrace {

// `defaults` is what a directive is when no line mentions it; its `dir` is where relative paths
// start.
std::string rewritten(std::string_view old_text, const Config& config, const Config& defaults);

// The same on a file, replaced atomically. A file that is gone is made anew.
ae::Status rewrite_file(const std::string& path, const Config& config, const Config& defaults);

}  // namespace millrace
