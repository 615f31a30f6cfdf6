#include "server/persist/aof_file_loader.h"

#include <utility>

#include "server/observe/log.h"
#include "server/persist/loader_settings.h"

namespace millrace {
namespace {

// What a snapshot begins with, and no command can.
constexpr std::string_view kSnapshotMagic = "REDIS";

// Keys whose time has passed stay: the commands behind may speak of them, and say when they go.
SnapshotLoader::Settings base_settings(Services& services) {
  SnapshotLoader::Settings settings = loader_settings(services);
  settings.expired = SnapshotLoader::Expired::kKeep;
  return settings;
}

// The file as a source for the snapshot's reader, with what was read already in front.
class PrefixedSource final : public ByteSource {
 public:
  PrefixedSource(File& file, std::string first, uint64_t& read_bytes)
      : file_(file), first_(std::move(first)), read_bytes_(read_bytes) {}

  ae::Result<size_t> read(ae::MutableBytes into) override {
    if (given_ < first_.size()) {
      const size_t count = first_.copy(into.data(), into.size(), given_);
      given_ += count;
      return count;
    }
    ae::Result<size_t> got = file_.read(into);
    if (got) read_bytes_ += *got;
    return got;
  }

 private:
  File& file_;
  std::string first_;
  size_t given_ = 0;
  uint64_t& read_bytes_;
};

}  // namespace

struct AofFileLoader::Snapshot {
  Snapshot(PrefixedSource from, Databases& databases, SnapshotLoader::Settings settings)
      : source(std::move(from)), loader(source, databases, std::move(settings)) {}

  PrefixedSource source;
  SnapshotLoader loader;
};

AofFileLoader::AofFileLoader(Services& services, Storage& storage, std::string path)
    : services_(services),
      storage_(storage),
      path_(std::move(path)),
      replayer_(services),
      delay_(services.config.key_load_delay_us),
      piece_(kPieceBytes) {}

AofFileLoader::~AofFileLoader() = default;

AofFileLoader::State AofFileLoader::step(const ae::TimeSlice& slice) {
  State state = file_ ? State::kMore : open();
  for (size_t i = 0; i < kPiecesPerStep && state == State::kMore; ++i) {
    state = snapshot_ ? step_snapshot() : read_piece();
    if (slice.over()) break;
  }
  return state;
}

AofFileLoader::State AofFileLoader::open() {
  auto opened = storage_.open(path_);
  if (!opened) return fail_to_read(opened.error());
  file_ = std::move(*opened);
  const ae::Result<size_t> got = file_->read(piece_);
  if (!got) return fail_to_read(got.error());
  read_bytes_ = *got;
  const std::string_view first(piece_.data(), *got);
  if (!first.starts_with(kSnapshotMagic)) {
    parser_.add(first);
    return run_commands();
  }
  log::notice("Reading RDB base file on AOF loading...");
  snapshot_ = std::make_unique<Snapshot>(PrefixedSource(*file_, std::string(first), read_bytes_),
                                         services_.databases, base_settings(services_));
  return State::kMore;
}

AofFileLoader::State AofFileLoader::step_snapshot() {
  const auto progress = snapshot_->loader.step(kPieceBytes);
  if (!progress) return problem_ = snapshot_->loader.problem(), State::kFailed;
  if (*progress == SnapshotLoader::Progress::kMore) return State::kMore;
  const std::unique_ptr<Snapshot> done = std::move(snapshot_);
  valid_bytes_ = done->loader.offset();
  parser_ = AofParser(valid_bytes_);
  parser_.add(done->loader.unread());
  return run_commands();
}

AofFileLoader::State AofFileLoader::read_piece() {
  const ae::Result<size_t> got = file_->read(piece_);
  if (!got) return fail_to_read(got.error());
  if (*got == 0) return end_of_file();
  read_bytes_ += *got;
  parser_.add({piece_.data(), *got});
  return run_commands();
}

AofFileLoader::State AofFileLoader::run_commands() {
  for (;;) {
    const AofParser::Kind kind = parser_.next();
    if (kind == AofParser::Kind::kIncomplete) return State::kMore;
    if (kind == AofParser::Kind::kError) return problem_ = parser_.error(), State::kFailed;
    if (kind == AofParser::Kind::kCommand) {
      if (auto refused = replayer_.run(parser_.args())) {
        refused_command_ = std::move(*refused);
        return State::kFailed;
      }
      delay_.after_key();
    }
    if (!replayer_.in_transaction()) valid_bytes_ = parser_.offset();
  }
}

AofFileLoader::State AofFileLoader::end_of_file() {
  if (!parser_.in_item() && !replayer_.in_transaction()) return State::kDone;
  problem_ = parser_.in_item() ? parser_.missing() : parser_.missing("EXEC");
  return State::kTruncated;
}

AofFileLoader::State AofFileLoader::fail_to_read(ae::Error error) {
  read_error_ = error.code;
  problem_ = error.message();
  return State::kFailed;
}

}  // namespace millrace
