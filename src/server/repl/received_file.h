// A master's snapshot, as it arrives, in a file of its own; the data it will replace is served
// meanwhile. Whole, the file takes the place of `dbfilename`, as in Redis: it is what a restart
// would load.
//
// The kernel is asked to write as the bytes come, so that the sync at the end finds little to do.
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string>

#include "server/persist/storage.h"

namespace millrace {

class ReceivedFile {
 public:
  // So much is written before the kernel is told to begin with the disk. Redis' number.
  static constexpr size_t kWritebackBytes = 8 << 20;

  // A file in `directory` that nobody else has.
  static ae::Result<std::unique_ptr<ReceivedFile>> create(Storage& storage,
                                                          const std::string& directory);
  // What was not kept is removed.
  ~ReceivedFile();
  ReceivedFile(const ReceivedFile&) = delete;
  ReceivedFile& operator=(const ReceivedFile&) = delete;

  ae::Status write(ae::Bytes bytes);
  // On the disk, under this name from now on.
  ae::Status keep_as(const std::string& path);

  const std::string& path() const { return path_; }

 private:
  ReceivedFile(Storage& storage, std::string path, std::unique_ptr<File> file)
      : storage_(storage), path_(std::move(path)), file_(std::move(file)) {}

  Storage& storage_;
  std::string path_;
  std::unique_ptr<File> file_;
  size_t not_begun_ = 0;  // bytes since start_writeback
  bool kept_ = false;
};

}  // namespace millrace
