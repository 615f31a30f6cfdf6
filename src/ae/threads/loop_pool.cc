#include "ae/threads/loop_pool.h"

#include <algorithm>
#include <utility>

#include "ae/base/assert.h"

namespace ae {

Result<std::unique_ptr<LoopPool>> LoopPool::start(size_t threads,
                                                  Callback<LoopThreadOptions(size_t)> options) {
  AE_ASSERT(threads > 0 && threads <= kMaxThreads);
  std::unique_ptr<LoopPool> pool(new LoopPool);
  for (size_t i = 0; i < threads; ++i) {
    Result<std::unique_ptr<LoopThread>> thread = LoopThread::start(options(i));
    if (!thread) return fail(thread.error());
    pool->threads_.push_back(std::move(*thread));
  }
  return pool;
}

LoopThread& LoopPool::least_loaded() {
  return **std::min_element(threads_.begin(), threads_.end(),
                            [](const auto& a, const auto& b) { return a->load() < b->load(); });
}

void LoopPool::stop() {
  for (const auto& thread : threads_) thread->stop();
  for (const auto& thread : threads_) thread->join();
}

}  // namespace ae
