#include "ae/core/poller.h"

#include <cerrno>

#include "ae/core/pollers.h"

namespace ae {

std::optional<Backend> parse_backend(std::string_view name) {
  if (name == "epoll") return Backend::kEpoll;
  if (name == "poll") return Backend::kPoll;
  if (name == "select") return Backend::kSelect;
  if (name == "io_uring") return Backend::kIoUring;
  return std::nullopt;
}

Result<std::unique_ptr<Poller>> create_poller(Backend backend) {
  switch (backend) {
    case Backend::kEpoll:
      return create_epoll_poller();
    case Backend::kPoll:
      return create_poll_poller();
    case Backend::kSelect:
      return create_select_poller();
    case Backend::kIoUring:
      return create_io_uring_poller();
  }
  return fail(EINVAL, "create poller");
}

}  // namespace ae
