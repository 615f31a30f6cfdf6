#include "server/acl/password.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ae/base/assert.h"

namespace millrace::acl {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string hex_of(const uint8_t* bytes, size_t digits) {
  std::string text;
  text.reserve(digits);
  for (size_t i = 0; i < digits; ++i)
    text += kHex[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15];
  return text;
}

}  // namespace

std::string hash_of_password(std::string_view password) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(password.data()), password.size(), digest);
  static_assert(sizeof digest * 2 == kHashDigits);
  return hex_of(digest, kHashDigits);
}

bool is_password_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of(kHex) == text.npos;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_hex(size_t digits) {
  std::vector<uint8_t> bytes(digits / 2 + 1);
  AE_ASSERT(RAND_bytes(bytes.data(), int(bytes.size())) == 1);
  return hex_of(bytes.data(), digits);
}

}  // namespace millrace::acl
