#include "ae/net/resolver.h"

#include <netdb.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace ae {
namespace {

using Answer = Result<std::vector<Address>>;

// A full mailbox is tried again this often; the loop is alive, only busy.
constexpr Nanoseconds kPostRetry = Milliseconds(1);

int errno_of(int resolver_error) {
  switch (resolver_error) {
    case EAI_AGAIN:
      return EAGAIN;
    case EAI_MEMORY:
      return ENOMEM;
    case EAI_SYSTEM:
      return errno;
    default:
      return EHOSTUNREACH;
  }
}

Answer look_up(const std::string& host, uint16_t port) {
  if (const Result<Address> literal = Address::parse(host, port)) return std::vector{*literal};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return fail(errno_of(error), "getaddrinfo");
  }
  std::vector<Address> found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const Result<Address> address = Address::from_sockaddr(entry->ai_addr, entry->ai_addrlen);
    if (address) found.push_back(address->with_port(port));
  }
  ::freeaddrinfo(list);
  if (found.empty()) return fail(EHOSTUNREACH, "getaddrinfo");
  return found;
}

}  // namespace

struct Resolver::Shared {
  struct Question {
    uint64_t number;
    std::string host;
    uint16_t port;
  };

  explicit Shared(EventLoop& on) : loop(on) {}

  // --- the resolver's thread
  void serve(const std::shared_ptr<Shared>& self) {
    while (std::optional<Question> question = wait_for_question()) {
      Answer answer = look_up(question->host, question->port);
      deliver(self, question->number, std::move(answer));
    }
  }

  std::optional<Question> wait_for_question() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !questions.empty(); });
    if (stopping) return std::nullopt;
    Question question = std::move(questions.front());
    questions.pop_front();
    return question;
  }

  void deliver(const std::shared_ptr<Shared>& self, uint64_t number, Answer answer) {
    const auto boxed = std::make_shared<Answer>(std::move(answer));
    std::unique_lock lock(mutex);
    while (!stopping && !loop.post([self, number, boxed] { self->answered(number, *boxed); })) {
      changed.wait_for(lock, kPostRetry);
    }
  }

  // --- the loop's thread
  void answered(uint64_t number, Answer& answer) {
    const auto asked = waiting.find(number);
    if (asked == waiting.end()) return;  // cancelled, or the resolver is gone
    Done done = std::move(asked->second);
    waiting.erase(asked);
    done(std::move(answer));
  }

  EventLoop& loop;
  std::map<uint64_t, Done> waiting;  // the loop's alone
  uint64_t next_number = 1;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Question> questions;
  bool stopping = false;
  std::thread thread;
};

Resolver::Resolver(EventLoop& loop) : shared_(std::make_shared<Shared>(loop)) {
  shared_->thread = std::thread([self = shared_] { self->serve(self); });
}

Resolver::~Resolver() {
  shared_->waiting.clear();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->changed.notify_one();
  shared_->thread.join();
}

Result<uint64_t> Resolver::resolve(std::string host, uint16_t port, Done done) {
  const uint64_t number = shared_->next_number++;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->questions.size() >= kMaxWaiting) return fail(ENOBUFS, "resolve");
    shared_->questions.push_back({number, std::move(host), port});
  }
  shared_->waiting.emplace(number, std::move(done));
  shared_->changed.notify_one();
  return number;
}

bool Resolver::cancel(uint64_t question) {
  const std::lock_guard lock(shared_->mutex);
  std::erase_if(shared_->questions,
                [question](const Shared::Question& q) { return q.number == question; });
  return shared_->waiting.erase(question) > 0;
}

}  // namespace ae
