#include "server/persist/aof_catalog.h"

#include <utility>

#include "server/observe/log.h"

namespace millrace {

ae::Status AofCatalog::store(AofManifest next) {
  if (ae::Status stored = files_.store(next); !stored) return stored;
  manifest_ = std::move(next);
  return {};
}

ae::Result<std::unique_ptr<File>> AofCatalog::open_increment() {
  if (manifest_.increments.empty()) return add_increment();
  return files_.storage().append(files_.path(manifest_.increments.back()));
}

// What lies there under its name is of a try that failed.
ae::Result<std::unique_ptr<File>> AofCatalog::add_increment() {
  AofManifest next = manifest_;
  const AofFile increment = files_.next_increment(manifest_);
  const std::string path = files_.path(increment);
  if (auto created = files_.storage().create(path); !created) return ae::fail(created.error());
  next.increments.push_back(increment);
  next.increment_sequence = increment.sequence;
  auto file = files_.storage().append(path);
  if (!file) return file;
  // The file stays: the manifest may be there, although its directory could not be synced.
  if (ae::Status stored = store(std::move(next)); !stored) return ae::fail(stored.error());
  return file;
}

ae::Result<std::unique_ptr<File>> AofCatalog::create_temporary_increment() {
  const std::string path = files_.path(files_.temporary_increment());
  if (auto created = files_.storage().create(path); !created) return ae::fail(created.error());
  return files_.storage().append(path);
}

ae::Status AofCatalog::adopt_base(const std::string& temporary, AofBase kind, Increment follows) {
  AofManifest next = manifest_;
  const AofFile base = files_.next_base(manifest_, kind);
  if (ae::Status named = files_.storage().rename(temporary, files_.path(base)); !named)
    return named;
  size_t first_kept = next.increments.size();
  if (follows == Increment::kLast && first_kept > 0) --first_kept;
  if (follows == Increment::kTemporary) {
    const AofFile increment = files_.next_increment(manifest_);
    if (ae::Status named = files_.storage().rename(files_.path(files_.temporary_increment()),
                                                   files_.path(increment));
        !named)
      return named;
    next.increments.push_back(increment);
    next.increment_sequence = increment.sequence;
  }
  next.replace_base(base, first_kept);
  return store(std::move(next));
}

std::vector<std::string> AofCatalog::take_history() {
  std::vector<std::string> paths;
  for (const AofFile& file : manifest_.history) paths.push_back(files_.path(file));
  AofManifest next = manifest_;
  next.history.clear();
  if (paths.empty() || !store(std::move(next))) return {};  // the next rewrite tries again
  return paths;
}

uint64_t AofCatalog::base_bytes() const {
  if (!manifest_.base) return 0;
  return files_.storage().size(files_.path(*manifest_.base)).value_or(0);
}

uint64_t AofCatalog::older_bytes() const {
  uint64_t sum = base_bytes();
  for (size_t i = 0; i + 1 < manifest_.increments.size(); ++i)
    sum += files_.storage().size(files_.path(manifest_.increments[i])).value_or(0);
  return sum;
}

}  // namespace millrace
