// A Storage in memory that can be the disk on a bad day:
//
//   SimStorage disk;
//   disk.fail_call(7, EIO);          // the 7th call from now on fails; a write is torn in half
//   first disk.set_capacity(4096);         // ENOSPC beyond; what still fits is written
//   disk.crash(Torn::kHalf);         // the power goes: see below
//
// A crash keeps of every file what was synced, and of what was written behind it nothing, half, or
// all (a kernel may have written any part). Names are as of the last sync_directory(): a file
// created, renamed or removed since then is under its old name, or none. Content that was truncated
// or replaced without sync is what was synced before.
//
// Calls are counted, so that a sweep can fail each of them once: run once without faults, then for
// n in 1 .. calls(). Files that were open at a crash fail with EIO afterwards.
//
// Thread: the test's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "server/persist/storage.h"

namespace millrace::fakes {

enum class Torn { kNothing, kHalf, kAll };

class SimStorage final : public Storage {
 public:
  ae::Result<std::unique_ptr<File>> open(const std::string& path) override;
  ae::Result<std::unique_ptr<File>> create(const std::string& path) override;
  ae::Result<std::unique_ptr<File>> append(const std::string& path) override;
  ae::Status rename(const std::string& from, const std::string& to) override;
  ae::Status remove(const std::string& path) override;
  ae::Status sync_directory(const std::string& directory) override;
  ae::Status make_directory(const std::string& directory) override;
  ae::Result<std::vector<std::string>> list(const std::string& directory) override;
  ae::Result<uint64_t> size(const std::string& path) override;

  // --- faults
  uint64_t calls() const { return calls_; }
  void fail_call(uint64_t from_now, int error) { fail_at_ = calls_ + from_now, error_ = error; }
  // The nth call from now on and all behind it, until heal().
  void fail_from(uint64_t from_now, int error) { fails_from_ = calls_ + from_now, error_ = error; }
  void fail_all(int error) { fail_from(1, error); }
  void heal() { fail_at_ = 0, fails_from_ = UINT64_MAX; }
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  void crash(Torn torn);

  // --- what is there, faults aside
  bool has(const std::string& path) const { return names_.contains(path); }
  const std::string& content(const std::string& path) const { return names_.at(path)->content; }
  // Put there by nobody: durable from the start.
  void add_directory(const std::string& directory) { directories_.insert(directory); }
  void put(const std::string& path, std::string bytes);
  uint64_t used() const;

 private:
  friend class SimFile;
  struct Inode {
    std::string content;
    std::string synced;
    bool dead = false;  // lost in a crash
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  // 0, or the errno that this call fails with.
  int next_call();
  ae::Result<std::unique_ptr<File>> handle(std::shared_ptr<Inode> inode, bool writable);

  Names names_;
  Names durable_names_;
  std::set<std::string> directories_{"."};
  uint64_t calls_ = 0;
  uint64_t fail_at_ = 0;
  uint64_t fails_from_ = UINT64_MAX;
  int error_ = 0;
  uint64_t capacity_ = UINT64_MAX;
};

}  // namespace millrace::fakes
