// Passwords are kept as SHA-256 (FIPS 180-4) of their bytes, in hexadecimal: that is what ACL LIST
// shows and the ACL file holds, so the form is part of the format. The digest and the random bytes
// are OpenSSL's.
//
// A password here should be a long random one, which ACL GENPASS makes: then no salt and no slow
// hash is needed, and a login costs a microsecond.
//
// Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::acl {

inline constexpr size_t kHashDigits = 64;

// 64 lower-case hexadecimal digits.
std::string hash_of_password(std::string_view password);

// Whether the text has the form of one.
bool is_password_hash(std::string_view text);

// Takes the same time wherever the first difference is, so that nothing can be guessed digit by
// digit.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// Random digits fit for a secret. Nothing can be done without them: a failure of the system's
// generator ends the process.
std::string random_hex(size_t digits);

}  // namespace millrace::acl
