#include "server/persist/aof_startup.h"

#include <unistd.h>

#include <cstring>

#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/persist/aof_base.h"

namespace millrace {

AofStartup::AofStartup(Services& services, AofFiles files, ae::Clock& clock)
    : services_(services), files_(std::move(files)), clock_(clock), began_(clock.now()) {}

AofStartup::State AofStartup::step(const ae::TimeSlice& slice) {
  if (!catalog_ && !find_files()) return State::kFailed;
  if (!loader_)
    loader_ =
        std::make_unique<AofLoader>(services_, catalog_->files(), catalog_->manifest(), clock_);
  switch (loader_->step(slice)) {
    case AofLoader::State::kMore:
      return State::kMore;
    case AofLoader::State::kFailed:
      return State::kFailed;
    case AofLoader::State::kDone:
      return finish();
  }
  return State::kFailed;
}

bool AofStartup::find_files() {
  auto manifest = files_.read_manifest();
  if (!manifest) {
    for (const std::string& line : manifest.error()) log::warning("{}", line);
    return false;
  }
  if (files_.has_single_file(*manifest) && !take_in_single_file(*manifest)) return false;
  const auto bytes = files_.total_bytes(*manifest);
  if (!bytes) {
    log::warning("{}", bytes.error());
    return false;
  }
  total_bytes_ = *bytes;
  catalog_.emplace(files_, std::move(*manifest));
  return true;
}

bool AofStartup::take_in_single_file(AofManifest& manifest) {
  const AofFiles::Place& place = files_.place();
  if (const ae::Status moved = files_.take_in_single_file(manifest); !moved) {
    log::warning("Error trying to move the old AOF file {} into dir {}: {}", place.name,
                 place.subdirectory, std::strerror(moved.error().code));
    return false;
  }
  log::notice(
      "Successfully migrated an old-style AOF configuration ({}) into the AOF directory ({}).",
      place.name, place.subdirectory);
  return true;
}

AofStartup::State AofStartup::finish() {
  const double seconds = std::chrono::duration<double>(clock_.now() - began_).count();
  if (total_bytes_ > 0) log::notice("DB loaded from append only file: {:.3f} seconds", seconds);
  if (const ae::Status made = files_.make_directory(); !made) {
    log::warning("Can't open or create append-only dir {}: {}", files_.place().subdirectory,
                 std::strerror(made.error().code));
    return State::kFailed;
  }
  const bool ready = (!catalog_->manifest().empty() || create_base()) && open_increment();
  return ready ? State::kDone : State::kFailed;
}

bool AofStartup::create_base() {
  const AofBase kind =
      services_.config.aof_use_rdb_preamble ? AofBase::kSnapshot : AofBase::kCommands;
  const std::string name = files_.next_base(catalog_->manifest(), kind).name;
  log::notice("Creating AOF base file {} on server start", name);
  const std::string temporary = files_.temporary_base(getpid());
  ae::Status made = write_aof_base(files_.storage(), temporary, kind, services_, [](uint64_t) {});
  if (made) made = catalog_->adopt_base(temporary, kind, AofCatalog::Increment::kLast);
  if (!made)
    log::warning("The AOF base file {} could not be written: {}", name, made.error().message());
  return made.has_value();
}

bool AofStartup::open_increment() {
  const bool there = !catalog_->manifest().increments.empty();
  auto file = catalog_->open_increment();
  const ae::Result<uint64_t> bytes = file ? (*file)->size() : ae::fail(file.error());
  if (!bytes) {
    log::warning("Can't open the append-only file: {}", std::strerror(bytes.error().code));
    return false;
  }
  log::notice("{} AOF incr file {} on server start", there ? "Opening" : "Creating",
              catalog_->manifest().increments.back().name);
  increment_ = std::move(*file);
  increment_bytes_ = *bytes;
  return true;
}

}  // namespace millrace
