// Numbers as text and back, as a Redis client sees them. Nothing here allocates for inputs of
// ordinary length, nothing writes a terminating NUL, and every function may be called from any
// thread.
//
//   char text[ae::kMaxInt64Chars];
//   size_t length = ae::format_int64(-42, text);          // "-42", 3
//   if (auto number = ae::parse_int64("007")) ...         // empty: leading zeros are refused
//   if (auto score = ae::parse_double("+inf")) ...        // infinity
//
// The rules are Redis 7.2's, because they can be observed: an integer that is accepted here is
// stored as an integer (OBJECT ENCODING says "int"), so text must be the one spelling that
// format_int64 would give back. A double is whatever strtod(3) takes, and is printed with the
// fewest digits that read back as the same double.
//
// Where the ideas come from: two digits per division is the "digit pair table" of A. Alexandrescu,
// "Three Optimization Tips for C++" (2012). The digits of a double are those of std::to_chars (Ryu,
// U. Adams, PLDI 2018); where the point or the exponent is put follows fpconv, which Redis prints
// with. fpconv is Grisu2, which in about one double of a thousand prints one digit more than needed
// or a less close last digit; both texts read back as the same double.
#pragma once

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace ae {

// "-9223372036854775808" and "18446744073709551615" are 20 characters.
constexpr size_t kMaxInt64Chars = 20;

// Sign, 17 digits, seven zeros after them or "0.000" before them: 25. Rounded up.
constexpr size_t kMaxDoubleChars = 32;

// The greatest long double has 4933 digits before the point; 17 follow it. Redis' own limit.
constexpr size_t kMaxLongDoubleChars = 5 * 1024;

namespace decimal_detail {

constexpr std::array<char, 200> make_digit_pairs() {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
inline constexpr std::array<char, 200> kDigitPairs = make_digit_pairs();

constexpr std::array<uint64_t, 20> make_powers_of_ten() {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& slot : powers) {
    slot = power;
    power *= 10;
  }
  powers[0] = 0;  // so that the number 0 has one digit
  return powers;
}
inline constexpr std::array<uint64_t, 20> kPowersOfTen = make_powers_of_ten();

// More digits cannot be an int64; so many fit a uint64 without overflow.
constexpr size_t kMaxInt64Digits = 19;

// Longer numbers are legal and rare; they are copied to the heap to get their NUL for strtod.
constexpr size_t kStackNumberChars = 256;

// What strtod and strtold have in common. `Convert` is one of the two.
template <typename Real, typename Convert>
std::optional<Real> parse_terminated(const char* text, size_t length, Convert convert) {
  char* end = nullptr;
  const int saved_errno = errno;
  errno = 0;
  const Real value = convert(text, &end);
  const bool out_of_range = errno == ERANGE && (std::isinf(value) || value == 0);
  errno = saved_errno;
  if (out_of_range || std::isnan(value)) return std::nullopt;
  if (static_cast<size_t>(end - text) != length) return std::nullopt;
  return value;
}

template <typename Real, typename Convert>
std::optional<Real> parse_by_libc(std::string_view text, Convert convert) {
  if (text.empty() || std::isspace(static_cast<unsigned char>(text[0]))) return std::nullopt;
  if (text.size() < kStackNumberChars) {
    char terminated[kStackNumberChars];
    std::memcpy(terminated, text.data(), text.size());
    terminated[text.size()] = '\0';
    return parse_terminated<Real>(terminated, text.size(), convert);
  }
  const std::string terminated(text);
  return parse_terminated<Real>(terminated.c_str(), terminated.size(), convert);
}

// The digits of a finite double other than zero: value = 0.d1d2d3… × 10^point.
struct Digits {
  char text[kMaxDoubleChars];
  int count;
  int point;  // how many digits stand before the decimal point; may be negative or beyond count
};

// `magnitude` > 0. to_chars gives "d.ddde±xx"; this takes it apart.
inline Digits shortest_digits(double magnitude) {
  char text[kMaxDoubleChars];
  const char* end =
      std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific).ptr;
  Digits digits;
  digits.count = 0;
  const char* at = text;
  for (; *at != 'e'; ++at) {
    if (*at != '.') digits.text[digits.count++] = *at;
  }
  ++at;
  if (*at == '+') ++at;
  int exponent = 0;
  std::from_chars(at, end, exponent);
  digits.point = exponent + 1;
  return digits;
}

// "d.ddde+x": the exponent has its sign always and leading zeros never.
inline size_t put_scientific(const Digits& digits, char* out) {
  char* at = out;
  *at++ = digits.text[0];
  if (digits.count > 1) {
    *at++ = '.';
    std::memcpy(at, digits.text + 1, static_cast<size_t>(digits.count - 1));
    at += digits.count - 1;
  }
  *at++ = 'e';
  const int exponent = digits.point - 1;
  if (exponent >= 0) *at++ = '+';
  at = std::to_chars(at, at + 5, exponent).ptr;
  return static_cast<size_t>(at - out);
}

// "0.000ddd" or "ddd.ddd".
inline size_t put_with_point(const Digits& digits, char* out) {
  if (digits.point <= 0) {
    const auto zeros = static_cast<size_t>(-digits.point);
    out[0] = '0';
    out[1] = '.';
    std::memset(out + 2, '0', zeros);
    std::memcpy(out + 2 + zeros, digits.text, static_cast<size_t>(digits.count));
    return 2 + zeros + static_cast<size_t>(digits.count);
  }
  const auto whole = static_cast<size_t>(digits.point);
  std::memcpy(out, digits.text, whole);
  out[whole] = '.';
  std::memcpy(out + whole + 1, digits.text + whole, static_cast<size_t>(digits.count) - whole);
  return static_cast<size_t>(digits.count) + 1;
}

// "ddd000".
inline size_t put_integer(const Digits& digits, char* out) {
  std::memcpy(out, digits.text, static_cast<size_t>(digits.count));
  std::memset(out + digits.count, '0', static_cast<size_t>(digits.point - digits.count));
  return static_cast<size_t>(digits.point);
}

// Which of the three spellings fpconv takes. `scale` is the power of ten of the last digit.
inline size_t put_digits(const Digits& digits, char* out) {
  constexpr int kMaxAppendedZeros = 7;
  constexpr int kMaxShortDecimals = 6;
  constexpr int kMaxPlainExponent = 3;
  const int scale = digits.point - digits.count;
  if (scale >= 0 && scale <= kMaxAppendedZeros) return put_integer(digits, out);
  const bool plain = scale >= -kMaxShortDecimals || std::abs(digits.point - 1) <= kMaxPlainExponent;
  if (scale < 0 && plain) return put_with_point(digits, out);
  return put_scientific(digits, out);
}

inline size_t put_word(const char* word, size_t length, char* out) {
  std::memcpy(out, word, length);
  return length;
}

}  // namespace decimal_detail

// How many characters format_uint64 will write: 1 to 20.
inline size_t decimal_length(uint64_t value) {
  // 1233/4096 is just above log10(2); the estimate is off by at most one, which the table corrects.
  const auto bits = static_cast<unsigned>(64 - __builtin_clzll(value | 1));
  const unsigned estimate = (bits * 1233) >> 12;
  return estimate + (value >= decimal_detail::kPowersOfTen[estimate] ? 1 : 0);
}

// Writes at most kMaxInt64Chars characters; returns how many.
inline size_t format_uint64(uint64_t value, char* out) {
  const size_t length = decimal_length(value);
  char* at = out + length;
  while (value >= 100) {
    at -= 2;
    std::memcpy(at, &decimal_detail::kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(at - 2, &decimal_detail::kDigitPairs[2 * value], 2);
  } else {
    at[-1] = static_cast<char>('0' + value);
  }
  return length;
}

inline size_t format_int64(int64_t value, char* out) {
  if (value >= 0) return format_uint64(static_cast<uint64_t>(value), out);
  *out = '-';
  return 1 + format_uint64(uint64_t{0} - static_cast<uint64_t>(value), out + 1);
}

// The one spelling format_int64 gives, and no other: no space, no '+', no leading zero, no "-0",
// nothing beyond the range.
inline std::optional<int64_t> parse_int64(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = !text.empty() && *at == '-';
  if (negative) ++at;
  const auto digits = static_cast<size_t>(end - at);
  if (digits == 0 || digits > decimal_detail::kMaxInt64Digits) return std::nullopt;
  if (*at == '0') return text.size() == 1 ? std::optional<int64_t>(0) : std::nullopt;
  uint64_t value = 0;
  for (; at != end; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  if (value > uint64_t{INT64_MAX} + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<int64_t>(negative ? uint64_t{0} - value : value);
}

// What strtod(3) accepts in the C locale, whole: decimal or hexadecimal, "inf", "+Infinity",
// "-inf". Refused: the empty text, leading space, trailing bytes, NaN, and what overflows to
// infinity or underflows to zero.
inline std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  // Whatever is not a plain normal number is judged by strtod itself, so that there is one judge.
  if (error == std::errc() && stopped == end && std::isnormal(value)) return value;
  return decimal_detail::parse_by_libc<double>(text, &strtod);
}

// The same for INCRBYFLOAT, whose arithmetic is in long double.
inline std::optional<long double> parse_long_double(std::string_view text) {
  if (text.size() >= kMaxLongDoubleChars) return std::nullopt;
  return decimal_detail::parse_by_libc<long double>(text, &strtold);
}

// True, and `integer` set, if `value` is an integer within ±2^62 (every double beyond 2^52 is one).
inline bool double_is_int64(double value, int64_t* integer) {
  constexpr double kLimit = 4611686018427387904.0;  // 2^62
  if (!(value >= -kLimit && value <= kLimit)) return false;
  *integer = static_cast<int64_t>(value);
  return static_cast<double>(*integer) == value;
}

// "3", "0.1", "-0", "1e+20", "inf", "-inf", "nan". Writes at most kMaxDoubleChars; returns how
// many.
inline size_t format_double(double value, char* out) {
  int64_t integer = 0;
  if (value != 0 && double_is_int64(value, &integer)) return format_int64(integer, out);
  if (std::isnan(value)) return decimal_detail::put_word("nan", 3, out);
  const size_t sign = std::signbit(value) ? 1 : 0;
  if (sign != 0) *out = '-';
  out += sign;
  if (value == 0) return sign + decimal_detail::put_word("0", 1, out);
  if (std::isinf(value)) return sign + decimal_detail::put_word("inf", 3, out);
  return sign + decimal_detail::put_digits(decimal_detail::shortest_digits(std::fabs(value)), out);
}

// INCRBYFLOAT's spelling: never an exponent, 17 decimals at most, no trailing zeros, never "-0".
// `out` holds kMaxLongDoubleChars; returns how many were written.
inline size_t format_long_double_human(long double value, char* out) {
  if (std::isnan(value)) return decimal_detail::put_word("nan", 3, out);
  if (std::isinf(value)) {
    return value > 0 ? decimal_detail::put_word("inf", 3, out)
                     : decimal_detail::put_word("-inf", 4, out);
  }
  auto length = static_cast<size_t>(std::snprintf(out, kMaxLongDoubleChars, "%.17Lf", value));
  while (out[length - 1] == '0') --length;  // stops at the point at the latest
  if (out[length - 1] == '.') --length;
  if (length == 2 && out[0] == '-' && out[1] == '0') return decimal_detail::put_word("0", 1, out);
  return length;
}

}  // namespace ae
