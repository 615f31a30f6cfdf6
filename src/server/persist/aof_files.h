// Where the files of an append-only file lie and what they are called, as in Redis 7:
//
//   dir/appendonlydir/appendonly.aof.manifest           which of the others count (aof_manifest.h)
//                     appendonly.aof.2.base.rdb         or .base.aof: written as commands
//                     appendonly.aof.2.incr.aof
//   dir/temp-rewriteaof-bg-4711.aof                     a base while a child writes it
//
// The manifest is replaced as a whole: written beside, synced, renamed, the directory synced. A
// name that is in it so is a file that is there; a file that is not in it does not count.
//
// Thread: any, one at a time. Errors: what the storage says.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "ae/base/result.h"
#include "server/persist/aof_manifest.h"
#include "server/persist/storage.h"

namespace millrace {

enum class AofBase : uint8_t { kSnapshot, kCommands };  // .base.rdb, .base.aof

class AofFiles {
 public:
  struct Place {
    std::string directory;     // `dir`
    std::string subdirectory;  // `appenddirname`
    std::string name;          // `appendfilename`
  };
  AofFiles(Storage& storage, Place place) : storage_(storage), place_(std::move(place)) {}

  Storage& storage() const { return storage_; }
  const Place& place() const { return place_; }
  std::string subdirectory() const { return place_.directory + "/" + place_.subdirectory; }
  std::string path(std::string_view name) const;
  std::string path(const AofFile& file) const { return path(file.name); }

  // Names of what comes next. The manifest is not changed.
  AofFile next_base(const AofManifest& manifest, AofBase kind) const;
  AofFile next_increment(const AofManifest& manifest) const;
  // What is appended to until the first base is there (CONFIG SET appendonly yes).
  std::string temporary_increment() const { return "temp-" + place_.name + ".incr"; }
  std::string temporary_base(int pid) const;

  ae::Status make_directory() const;
  // An empty one if there is none. The error is what the log is to say, line by line.
  tl::expected<AofManifest, std::vector<std::string>> read_manifest() const;
  ae::Status store(const AofManifest& manifest) const;

  // A Redis up to 6 kept one file beside the snapshot. Whether there is one that is to be moved in.
  bool has_single_file(const AofManifest& manifest) const;
  // Makes it the base. The manifest comes first, so that a crash in between is found the next time.
  ae::Status take_in_single_file(AofManifest& manifest) const;

  // Bytes of all files to be loaded; the log line if one is missing.
  tl::expected<uint64_t, std::string> total_bytes(const AofManifest& manifest) const;

 private:
  bool exists(const std::string& path) const { return storage_.size(path).has_value(); }
  std::string manifest_name() const { return place_.name + ".manifest"; }

  Storage& storage_;
  Place place_;
};

// The whole of a small file. `limit`: what is longer is an error, EFBIG.
ae::Result<std::string> read_file(Storage& storage, const std::string& path, size_t limit);
// Written, synced; not yet known to its directory.
ae::Status write_file(Storage& storage, const std::string& path, std::string_view bytes);

}  // namespace millrace
