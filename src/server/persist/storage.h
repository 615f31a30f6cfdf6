// The seam to files: everything that persistence asks of a file system goes through a Storage, so
// that a test can be the disk (tests/server/persist/sim_storage.h): full, failing at the nth call,
// losing what was not synced when the power goes.
//
// Rules that hold for every implementation:
//  - errors are values with the errno and the call that failed; EINTR is handled inside;
//  - a path is what the caller has put together ("dir/name"); relative ones start where the process
//    stands;
//  - a rename, a creation and a removal are durable only after sync_directory().
//
// Thread: any, for calls about different files. Of one File, sync() and start_writeback() may be
// called by one other thread while the owner writes; all else is the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ae/base/bytes.h"
#include "ae/base/result.h"

namespace millrace {

// An open file. Its end closes it; whoever cares whether the bytes are there calls sync() before.
class File {
 public:
  virtual ~File() = default;

  // Up to so many bytes from the current place; 0: the end.
  virtual ae::Result<size_t> read(ae::MutableBytes into) = 0;
  // All of them, or an error, and then any part of them may be in the file: size() tells.
  virtual ae::Status write(ae::Bytes bytes) = 0;
  // Content and size are on the disk when it returns.
  virtual ae::Status sync() = 0;
  // Asks the kernel to begin writing what is not yet on the disk, without waiting for it and
  // without a promise: a later sync() finds less to do.
  virtual ae::Status start_writeback() = 0;
  virtual ae::Status truncate(uint64_t size) = 0;
  virtual ae::Result<uint64_t> size() = 0;
};

class Storage {
 public:
  virtual ~Storage() = default;

  // For reading, from the first byte.
  virtual ae::Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  // For writing; what was there is gone. Mode 0644 less the umask.
  virtual ae::Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  // For writing behind what is there; created if there is none.
  virtual ae::Result<std::unique_ptr<File>> append(const std::string& path) = 0;

  // Replaces what has the new name.
  virtual ae::Status rename(const std::string& from, const std::string& to) = 0;
  virtual ae::Status remove(const std::string& path) = 0;
  // Makes the names in a directory durable.
  virtual ae::Status sync_directory(const std::string& directory) = 0;
  // No error if there is one.
  virtual ae::Status make_directory(const std::string& directory) = 0;
  // The names in a directory, in no order, without "." and "..".
  virtual ae::Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // ENOENT: there is no such file.
  virtual ae::Result<uint64_t> size(const std::string& path) = 0;
};

// What is before the last '/', "." if there is none: what sync_directory() wants after a rename.
std::string directory_of(const std::string& path);

// The kernel's. One instance for the process.
Storage& posix_storage();

}  // namespace millrace
