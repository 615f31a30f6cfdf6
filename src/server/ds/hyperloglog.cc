#include "server/ds/hyperloglog.h"

#include <bit>
#include <cstring>

#include "ae/base/assert.h"
#include "server/ds/murmur_hash.h"

namespace millrace::ds {
namespace {

constexpr uint64_t kHashSeed = 0xadc83b19;

}  // namespace

// --- reading

bool HyperLogLogView::fits(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return false;
  const auto encoding = static_cast<uint8_t>(bytes[kEncodingAt]);
  if (encoding > static_cast<uint8_t>(Encoding::kSparse)) return false;
  return encoding != static_cast<uint8_t>(Encoding::kDense) || bytes.size() == kDenseTotalBytes;
}

std::optional<uint64_t> HyperLogLogView::cached_count() const {
  uint64_t count;
  std::memcpy(&count, bytes_.data() + kCountAt, sizeof count);
  return count & kOutOfDate ? std::nullopt : std::optional(count);
}

std::optional<uint64_t> HyperLogLogView::count() const {
  if (!is_sparse()) return estimate_count(dense_histogram(dense()));
  const auto histogram = sparse().histogram();
  return histogram ? std::optional(estimate_count(*histogram)) : std::nullopt;
}

bool HyperLogLogView::merge_into(RegisterArray& registers) const {
  if (is_sparse()) return sparse().merge_into(registers);
  registers.merge_dense(dense());
  return true;
}

// --- changing

void HyperLogLog::write_empty(ae::MutableBytes bytes) {
  AE_DCHECK(bytes.size() == kEmptyBytes);
  std::memset(bytes.data(), 0, kHeaderBytes);
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  bytes[kEncodingAt] = static_cast<char>(Encoding::kSparse);
  std::memcpy(bytes.data() + kHeaderBytes, SparseRegisters::kZeros.data(),
              SparseRegisters::kZeros.size());
}

HyperLogLog::Change HyperLogLog::add(std::string_view element) {
  const uint64_t hash = murmur_hash(element, kHashSeed);
  // A 1 behind the last bit, so that the search for the first one ends there.
  const uint64_t ranked = hash >> kRegisterIndexBits | uint64_t{1} << (kHighestRank - 1);
  return raise(hash % kRegisters, static_cast<uint8_t>(std::countr_zero(ranked) + 1));
}

HyperLogLog::Change HyperLogLog::raise(size_t index, uint8_t value) {
  const Change change = is_sparse() ? raise_sparse(index, value) : raise_dense(index, value);
  if (change == Change::kMade) forget_count();
  return change;
}

HyperLogLog::Change HyperLogLog::raise_dense(size_t index, uint8_t value) {
  if (dense_register(registers(), index) >= value) return Change::kNone;
  set_dense_register(registers(), index, value);
  return Change::kMade;
}

HyperLogLog::Change HyperLogLog::raise_sparse(size_t index, uint8_t value) {
  using Kind = SparseRegisters::Change::Kind;
  if (value <= SparseRegisters::kHighestValue) {
    const SparseRegisters::Change change = sparse().raise(index, value);
    if (change.kind == Kind::kNone) return Change::kNone;
    if (change.kind == Kind::kCorrupt) return Change::kCorrupt;
    const bool longer = change.growth() > 0;
    if (!longer || bytes_.size() + size_t(change.growth()) <= most_sparse_bytes_) {
      replace(change);
      return Change::kMade;
    }
  }
  return make_dense() ? raise_dense(index, value) : Change::kCorrupt;
}

void HyperLogLog::replace(const SparseRegisters::Change& change) {
  const size_t old_size = registers_size();
  const size_t new_size = old_size + size_t(change.growth());
  if (new_size > old_size) resize(kHeaderBytes + new_size);
  char* const at = registers() + change.at;
  const size_t behind = old_size - change.at - change.old_bytes;
  std::memmove(at + change.new_bytes, at + change.old_bytes, behind);
  std::memcpy(at, change.runs, change.new_bytes);
  const size_t joined = SparseRegisters::join(registers(), new_size, change.previous);
  if (new_size - joined < registers_size()) resize(kHeaderBytes + new_size - joined);
}

bool HyperLogLog::make_dense() {
  if (!is_sparse()) return true;
  RegisterArray array;
  if (!sparse().merge_into(array)) return false;
  resize(kDenseTotalBytes);
  mutable_bytes_[kEncodingAt] = static_cast<char>(Encoding::kDense);
  array.pack(registers());
  return true;
}

void HyperLogLog::take_all(const RegisterArray& array) {
  // One by one while it is sparse; the bytes depend on the order, and it may get dense on the way.
  // Each raise walks the runs from the first: only for registers that are not as high already.
  RegisterArray own;
  if (is_sparse()) sparse().merge_into(own);
  for (size_t index = 0; index < kRegisters && is_sparse(); ++index)
    if (array[index] > own[index]) raise(index, array[index]);
  if (!is_sparse()) array.pack(registers());
  forget_count();
}

void HyperLogLog::cache_count(uint64_t count) {
  std::memcpy(mutable_bytes_.data() + kCountAt, &count, sizeof count);
}

void HyperLogLog::forget_count() {
  mutable_bytes_[kCountAt + 7] = static_cast<char>(mutable_bytes_[kCountAt + 7] | 0x80);
}

}  // namespace millrace::ds
