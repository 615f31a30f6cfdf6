#include "server/repl/received_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

namespace millrace {

ae::Result<std::unique_ptr<ReceivedFile>> ReceivedFile::create(Storage& storage,
                                                               const std::string& directory) {
  std::string path = fmt::format("{}/temp-{}.{}.rdb", directory, std::time(nullptr), getpid());
  auto file = storage.create(path);
  if (!file) return ae::fail(file.error());
  return std::unique_ptr<ReceivedFile>(
      new ReceivedFile(storage, std::move(path), std::move(*file)));
}

ReceivedFile::~ReceivedFile() {
  file_.reset();
  if (!kept_) static_cast<void>(storage_.remove(path_));
}

ae::Status ReceivedFile::write(ae::Bytes bytes) {
  if (auto written = file_->write(bytes); !written) return written;
  not_begun_ += bytes.size();
  if (not_begun_ < kWritebackBytes) return {};
  not_begun_ = 0;
  return file_->start_writeback();
}

ae::Status ReceivedFile::keep_as(const std::string& path) {
  if (auto synced = file_->sync(); !synced) return synced;
  if (auto renamed = storage_.rename(path_, path); !renamed) return renamed;
  kept_ = true;
  path_ = path;
  return storage_.sync_directory(directory_of(path));
}

}  // namespace millrace
