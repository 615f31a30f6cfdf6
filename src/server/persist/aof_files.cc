#include "server/persist/aof_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace millrace {
namespace {

// A line per file, a few of them; increments pile up only while rewrites fail. A manifest of more
// than this is none.
constexpr size_t kMaxManifestBytes = 16 * 1024 * 1024;

std::vector<std::string> lines_about(const ManifestProblem& problem) {
  std::vector<std::string> lines = {"*** FATAL AOF MANIFEST FILE ERROR ***"};
  if (problem.line > 0) {
    lines.push_back("Reading the manifest file, at line " + std::to_string(problem.line));
    lines.push_back(">>> '" + problem.text + "'");
  }
  lines.emplace_back(problem.sentence);
  return lines;
}

}  // namespace

std::string AofFiles::path(std::string_view name) const {
  return subdirectory().append("/").append(name);
}

AofFile AofFiles::next_base(const AofManifest& manifest, AofBase kind) const {
  const int64_t sequence = manifest.base_sequence + 1;
  const char* suffix = kind == AofBase::kSnapshot ? ".base.rdb" : ".base.aof";
  return {place_.name + "." + std::to_string(sequence) + suffix, sequence};
}

AofFile AofFiles::next_increment(const AofManifest& manifest) const {
  const int64_t sequence = manifest.increment_sequence + 1;
  return {place_.name + "." + std::to_string(sequence) + ".incr.aof", sequence};
}

ae::Status AofFiles::make_directory() const {
  if (ae::Status made = storage_.make_directory(subdirectory()); !made) return made;
  return storage_.sync_directory(place_.directory);
}

std::string AofFiles::temporary_base(int pid) const {
  return place_.directory + "/temp-rewriteaof-bg-" + std::to_string(pid) + ".aof";
}

tl::expected<AofManifest, std::vector<std::string>> AofFiles::read_manifest() const {
  const std::string where = path(manifest_name());
  const ae::Result<std::string> text = read_file(storage_, where, kMaxManifestBytes);
  if (!text) {
    const int code = text.error().code;
    if (code == ENOENT || code == ENOTDIR)
      return tl::expected<AofManifest, std::vector<std::string>>(tl::in_place);
    return tl::unexpected(
        std::vector<std::string>{"Fatal error: can't open the AOF manifest file " +
                                 manifest_name() + " for reading: " + std::strerror(code)});
  }
  auto manifest = AofManifest::parse(*text);
  if (!manifest) return tl::unexpected(lines_about(manifest.error()));
  return std::move(*manifest);
}

ae::Status AofFiles::store(const AofManifest& manifest) const {
  const std::string fresh = path("temp-" + manifest_name());
  if (ae::Status written = write_file(storage_, fresh, manifest.text()); !written) return written;
  if (ae::Status named = storage_.rename(fresh, path(manifest_name())); !named) return named;
  return storage_.sync_directory(subdirectory());
}

// Also when the file is in the manifest already and not yet in its directory: a crash came between
// the two steps of taking it in.
bool AofFiles::has_single_file(const AofManifest& manifest) const {
  if (!exists(place_.directory + "/" + place_.name)) return false;
  if (manifest.empty()) return true;
  return manifest.base && manifest.increments.empty() && manifest.base->name == place_.name &&
         !exists(path(place_.name));
}

ae::Status AofFiles::take_in_single_file(AofManifest& manifest) const {
  if (ae::Status made = make_directory(); !made) return made;
  if (!manifest.base) {
    manifest.base = AofFile{place_.name, 1};
    manifest.base_sequence = 1;
    if (ae::Status stored = store(manifest); !stored) return stored;
  }
  const std::string from = place_.directory + "/" + place_.name;
  if (ae::Status moved = storage_.rename(from, path(place_.name)); !moved) return moved;
  if (ae::Status synced = storage_.sync_directory(subdirectory()); !synced) return synced;
  return storage_.sync_directory(place_.directory);
}

tl::expected<uint64_t, std::string> AofFiles::total_bytes(const AofManifest& manifest) const {
  std::vector<AofFile> files = manifest.increments;
  if (manifest.base) files.insert(files.begin(), *manifest.base);
  uint64_t sum = 0;
  for (const AofFile& file : files) {
    const ae::Result<uint64_t> bytes = storage_.size(path(file));
    if (!bytes)
      return tl::unexpected("Unable to obtain the AOF file " + file.name +
                            " length. stat: " + std::strerror(bytes.error().code));
    sum += *bytes;
  }
  return sum;
}

ae::Result<std::string> read_file(Storage& storage, const std::string& path, size_t limit) {
  auto file = storage.open(path);
  if (!file) return ae::fail(file.error());
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    const ae::Result<size_t> got = (*file)->read(piece);
    if (!got) return ae::fail(got.error());
    if (*got == 0) return text;
    if (text.size() + *got > limit) return ae::fail(EFBIG, "read");
    text.append(piece.data(), *got);
  }
}

ae::Status write_file(Storage& storage, const std::string& path, std::string_view bytes) {
  auto file = storage.create(path);
  if (!file) return ae::fail(file.error());
  if (ae::Status written = (*file)->write(bytes); !written) return written;
  return (*file)->sync();
}

}  // namespace millrace
