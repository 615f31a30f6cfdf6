// The files of an append-only file and the manifest that says so, changed together: each step
// leaves a manifest on the disk whose files are there, so a crash between two steps costs at most a
// file that nobody knows.
//
//   AofCatalog catalog(files, manifest);
//   auto file = catalog.open_increment();         // at the start: the last one, or a first one
//   auto next = catalog.add_increment();          // a rewrite begins
//   catalog.adopt_base(temporary, kind);          // ... and has ended: what it holds is history
//   catalog.take_history(...)                     // which is no longer needed
//
// Thread: any, one at a time. Errors: what the storage says; the catalog is then as it was.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/persist/aof_files.h"

namespace millrace {

class AofCatalog {
 public:
  AofCatalog(AofFiles files, AofManifest manifest)
      : files_(std::move(files)), manifest_(std::move(manifest)) {}

  const AofFiles& files() const { return files_; }
  const AofManifest& manifest() const { return manifest_; }

  // To append to the last increment; to a first one if there is none.
  ae::Result<std::unique_ptr<File>> open_increment();
  // A new one, empty, which is the last from now on.
  ae::Result<std::unique_ptr<File>> add_increment();
  // One that does not count before adopt_base().
  ae::Result<std::unique_ptr<File>> create_temporary_increment();

  // Which increment goes on behind the new base; kNone: the file is off.
  enum class Increment : uint8_t { kNone, kLast, kTemporary };
  // The file at `temporary` holds all that was before `follows`: it becomes the base, and what it
  // replaces becomes history.
  ae::Status adopt_base(const std::string& temporary, AofBase kind, Increment follows);

  // Forgets the history, and returns the paths of the files that are to be removed.
  std::vector<std::string> take_history();

  // Bytes of the files that are known, but for the last increment.
  uint64_t older_bytes() const;
  uint64_t base_bytes() const;

 private:
  ae::Status store(AofManifest next);

  AofFiles files_;
  AofManifest manifest_;
};

}  // namespace millrace
