// The picture at the head of the log. Shown when a person is looking (standard output is a
// terminal), or when always-show-logo says so.
#pragma once

#include "server/config/config.h"

namespace millrace {

void show_logo(const Config& config);

}  // namespace millrace
