#include "tests/server/persist/sim_storage.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millrace::fakes {

class SimFile final : public File {
 public:
  SimFile(SimStorage& storage, std::shared_ptr<SimStorage::Inode> inode, bool writable)
      : storage_(storage), inode_(std::move(inode)), writable_(writable) {}

  ae::Result<size_t> read(ae::MutableBytes into) override {
    if (const int error = next_call()) return ae::fail(error, "read");
    const std::string& content = inode_->content;
    const size_t count = std::min(into.size(), content.size() - std::min(place_, content.size()));
    std::memcpy(into.data(), content.data() + place_, count);
    place_ += count;
    return count;
  }

  ae::Status write(ae::Bytes bytes) override {
    if (!writable_) return ae::fail(EBADF, "write");
    const int error = next_call();
    const uint64_t free = storage_.capacity_ - std::min(storage_.capacity_, storage_.used());
    const size_t fits = std::min<uint64_t>(error != 0 ? bytes.size() / 2 : bytes.size(), free);
    if (!inode_->dead) inode_->content.append(bytes.substr(0, fits));
    if (error != 0) return ae::fail(error, "write");
    if (fits < bytes.size()) return ae::fail(ENOSPC, "write");
    return {};
  }

  ae::Status sync() override {
    if (const int error = next_call()) return ae::fail(error, "fdatasync");
    inode_->synced = inode_->content;
    return {};
  }

  ae::Status start_writeback() override {
    if (const int error = next_call()) return ae::fail(error, "sync_file_range");
    return {};
  }

  ae::Status truncate(uint64_t size) override {
    if (const int error = next_call()) return ae::fail(error, "ftruncate");
    inode_->content.resize(size);
    return {};
  }

  ae::Result<uint64_t> size() override {
    if (const int error = next_call()) return ae::fail(error, "fstat");
    return inode_->content.size();
  }

 private:
  int next_call() { return inode_->dead ? EIO : storage_.next_call(); }

  SimStorage& storage_;
  std::shared_ptr<SimStorage::Inode> inode_;
  bool writable_;
  size_t place_ = 0;
};

int SimStorage::next_call() {
  ++calls_;
  return calls_ >= fails_from_ || calls_ == fail_at_ ? error_ : 0;
}

ae::Result<std::unique_ptr<File>> SimStorage::handle(std::shared_ptr<Inode> inode, bool writable) {
  return std::make_unique<SimFile>(*this, std::move(inode), writable);
}

ae::Result<std::unique_ptr<File>> SimStorage::open(const std::string& path) {
  if (const int error = next_call()) return ae::fail(error, "open");
  const auto found = names_.find(path);
  if (found == names_.end()) return ae::fail(ENOENT, "open");
  return handle(found->second, false);
}

ae::Result<std::unique_ptr<File>> SimStorage::create(const std::string& path) {
  if (const int error = next_call()) return ae::fail(error, "open");
  if (!directories_.contains(directory_of(path))) return ae::fail(ENOENT, "open");
  auto& inode = names_[path];
  if (!inode) inode = std::make_shared<Inode>();
  inode->content.clear();
  return handle(inode, true);
}

ae::Result<std::unique_ptr<File>> SimStorage::append(const std::string& path) {
  if (const int error = next_call()) return ae::fail(error, "open");
  if (!directories_.contains(directory_of(path))) return ae::fail(ENOENT, "open");
  auto& inode = names_[path];
  if (!inode) inode = std::make_shared<Inode>();
  return handle(inode, true);
}

ae::Status SimStorage::rename(const std::string& from, const std::string& to) {
  if (const int error = next_call()) return ae::fail(error, "rename");
  const auto found = names_.find(from);
  if (found == names_.end()) return ae::fail(ENOENT, "rename");
  names_[to] = found->second;
  names_.erase(from);
  return {};
}

ae::Status SimStorage::remove(const std::string& path) {
  if (const int error = next_call()) return ae::fail(error, "unlink");
  if (names_.erase(path) == 0) return ae::fail(ENOENT, "unlink");
  return {};
}

ae::Status SimStorage::sync_directory(const std::string& directory) {
  if (const int error = next_call()) return ae::fail(error, "fdatasync");
  if (!directories_.contains(directory)) return ae::fail(ENOENT, "open");
  std::erase_if(durable_names_,
                [&](const auto& name) { return directory_of(name.first) == directory; });
  for (const auto& [path, inode] : names_) {
    if (directory_of(path) == directory) durable_names_[path] = inode;
  }
  return {};
}

ae::Status SimStorage::make_directory(const std::string& directory) {
  if (const int error = next_call()) return ae::fail(error, "mkdir");
  directories_.insert(directory);
  return {};
}

ae::Result<std::vector<std::string>> SimStorage::list(const std::string& directory) {
  if (const int error = next_call()) return ae::fail(error, "opendir");
  if (!directories_.contains(directory)) return ae::fail(ENOENT, "opendir");
  std::vector<std::string> names;
  for (const auto& [path, inode] : names_) {
    if (directory_of(path) == directory) names.push_back(path.substr(path.rfind('/') + 1));
  }
  return names;
}

ae::Result<uint64_t> SimStorage::size(const std::string& path) {
  if (const int error = next_call()) return ae::fail(error, "stat");
  const auto found = names_.find(path);
  if (found == names_.end()) return ae::fail(ENOENT, "stat");
  return found->second->content.size();
}

void SimStorage::put(const std::string& path, std::string bytes) {
  auto inode = std::make_shared<Inode>();
  inode->synced = bytes;
  inode->content = std::move(bytes);
  directories_.insert(directory_of(path));
  names_[path] = inode;
  durable_names_[path] = std::move(inode);
}

uint64_t SimStorage::used() const {
  uint64_t bytes = 0;
  for (const auto& [path, inode] : names_) bytes += inode->content.size();
  return bytes;
}

void SimStorage::crash(Torn torn) {
  Names survivors;
  for (const auto& [path, inode] : durable_names_) {
    std::string kept = inode->synced;
    // Only what was appended can be there in part: what was written over is another story, and
    // nobody here does it.
    if (torn != Torn::kNothing && inode->content.starts_with(kept)) {
      const size_t tail = inode->content.size() - kept.size();
      kept = inode->content.substr(0, kept.size() + (torn == Torn::kAll ? tail : tail / 2));
    }
    auto revived = std::make_shared<Inode>();
    revived->content = kept;
    revived->synced = std::move(kept);
    survivors[path] = std::move(revived);
  }
  for (const auto& [path, inode] : names_) inode->dead = true;
  for (const auto& [path, inode] : durable_names_) inode->dead = true;
  names_ = survivors;
  durable_names_ = std::move(survivors);
}

}  // namespace millrace::fakes
