// A file as a stream of bytes.
#pragma once

#include <cstdint>

#include "server/persist/byte_stream.h"
#include "server/persist/storage.h"

namespace millrace {

// Whether the kernel is asked on the way to begin writing (rdb-save-incremental-fsync,
// aof-rewrite-incremental-fsync), so that the sync at the end does not stop everybody's disk for
// gigabytes.
enum class Writeback : uint8_t { kAtTheEnd, kOnTheWay };

// Unbuffered: what writes to it has a buffer of its own. The file outlives it.
class FileSink final : public ByteSink {
 public:
  static constexpr uint64_t kWritebackBytes = 4 << 20;

  FileSink(File& file, Writeback writeback) : file_(file), writeback_(writeback) {}

  ae::Status write(ae::Bytes bytes) override {
    if (ae::Status written = file_.write(bytes); !written) return written;
    pending_ += bytes.size();
    if (writeback_ == Writeback::kAtTheEnd || pending_ < kWritebackBytes) return {};
    pending_ = 0;
    return file_.start_writeback();
  }

 private:
  File& file_;
  Writeback writeback_;
  uint64_t pending_ = 0;
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(File& file) : file_(file) {}
  ae::Result<size_t> read(ae::MutableBytes into) override { return file_.read(into); }

 private:
  File& file_;
};

}  // namespace millrace
