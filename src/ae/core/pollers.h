// The pollers by name. Everybody but create_poller (poller.h) asks that one.
#pragma once

#include <memory>

#include "ae/base/result.h"
#include "ae/core/poller.h"

namespace ae {

Result<std::unique_ptr<Poller>> create_epoll_poller();
Result<std::unique_ptr<Poller>> create_poll_poller();
Result<std::unique_ptr<Poller>> create_select_poller();
Result<std::unique_ptr<Poller>> create_io_uring_poller();

}  // namespace ae
