#include "ae/core/poller.h"

#include <poll.h>

#include <cerrno>
#include <vector>

#include "ae/core/pollers.h"

namespace ae {

std::optional<Backend> parse_backend(std::string_view name) {
  if (name == "epoll") return Backend::kEpoll;
  if (name == "poll") return Backend::kPoll;
  if (name == "select") return Backend::kSelect;
  if (name == "io_uring") return Backend::kIoUring;
  return std::nullopt;
}

// poll(2), whatever the backend: there is nothing to register, and nothing to keep.
void Poller::look(std::span<Look> files) {
  std::vector<pollfd> asked;
  asked.reserve(files.size());
  for (const Look& file : files) {
    int events = 0;
    if (any(file.interest & Events::kReadable)) events |= POLLIN;
    if (any(file.interest & Events::kWritable)) events |= POLLOUT;
    asked.push_back({file.fd, static_cast<short>(events), 0});
  }
  if (::poll(asked.data(), asked.size(), 0) <= 0) return;  // none, or a signal: the next tick asks
  for (size_t i = 0; i < files.size(); ++i) {
    const int got = asked[i].revents;
    if ((got & POLLIN) != 0) files[i].ready = files[i].ready | Events::kReadable;
    if ((got & POLLOUT) != 0) files[i].ready = files[i].ready | Events::kWritable;
    if ((got & (POLLERR | POLLHUP)) != 0) files[i].ready = Events::kReadWrite;
  }
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
