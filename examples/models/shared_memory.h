// A store that processes share: a table of fixed records in a page that all of them inherit.
//
//   auto& shared = models::share<models::SharedMemoryStore>();   // before fork()
//
// What one process writes on its heap no other sees; a prefork server that keeps anything has to
// keep it here, without pointers (each process may map it elsewhere; these are forked, so they do
// not) and without an allocator. Hence a fixed number of places of fixed size, the place chosen by
// the key's hash: a later key throws an earlier one with the same place out, as caches do.
//
// The lock lies in the page too. It is *robust*: who takes it after its holder was killed is told
// so (EOWNERDEAD), instead of waiting for ever.
#pragma once

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <string>

#include "ae/base/assert.h"
#include "ae/base/bytes.h"

namespace models {

// One T in memory that this process and all it forks from now on have in common; never given back.
template <typename T>
T& share() {
  void* const memory =
      ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  AE_ASSERT(memory != MAP_FAILED);
  return *::new (memory) T;
}

class ProcessMutex {
 public:
  ProcessMutex() {
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    AE_ASSERT(::pthread_mutex_init(&mutex_, &attributes) == 0);
    ::pthread_mutexattr_destroy(&attributes);
  }
  ProcessMutex(const ProcessMutex&) = delete;
  ProcessMutex& operator=(const ProcessMutex&) = delete;

  void lock() { AE_ASSERT(taken(::pthread_mutex_lock(&mutex_))); }
  bool try_lock() { return taken(::pthread_mutex_trylock(&mutex_)); }
  void unlock() { ::pthread_mutex_unlock(&mutex_); }

 private:
  // What it guards is a record of bytes or nothing: there is no half-done state to repair.
  bool taken(int result) {
    if (result == EOWNERDEAD) result = ::pthread_mutex_consistent(&mutex_);
    return result == 0;
  }

  pthread_mutex_t mutex_;
};

class SharedMemoryStore {
 public:
  // False where key or value is too long for a record.
  bool set(ae::Bytes key, ae::Bytes value) {
    if (key.size() > sizeof(Record::key) || value.size() > sizeof(Record::value)) return false;
    const std::lock_guard lock(mutex_);
    Record& record = record_of(key);
    record.used = true;
    record.key_size = uint16_t(key.copy(record.key, key.size()));
    record.value_size = uint16_t(value.copy(record.value, value.size()));
    return true;
  }
  std::optional<std::string> get(ae::Bytes key) {
    const std::lock_guard lock(mutex_);
    const Record& record = record_of(key);
    if (!record.used || ae::Bytes(record.key, record.key_size) != key) return std::nullopt;
    return std::string(record.value, record.value_size);
  }

 private:
  struct Record {
    bool used;
    uint16_t key_size, value_size;
    char key[64], value[1024];
  };
  static constexpr size_t kRecords = 4096;  // 4.5 MB, of which untouched pages do not exist

  Record& record_of(ae::Bytes key) { return records_[std::hash<ae::Bytes>()(key) % kRecords]; }

  ProcessMutex mutex_;
  Record records_[kRecords];  // fresh pages are zero: all unused
};

}  // namespace models
