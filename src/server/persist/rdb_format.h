// The codes of an RDB file, Redis' format for a snapshot and, one value at a time, for DUMP.
//
//     "REDIS" "0010"                         magic and version, text
//     fa key value            …              facts about the writer
//     f5 code                 …              libraries of functions
//     fe db fb keys expiring                 a database begins, with its sizes
//       [fc ms] [f8 idle | f9 frequency]     of the key that follows
//       type key value        …
//     ff crc64                               the end; a checksum of 0 is none
//
// The format has no specification but its programs. What is here was put together from their
// documentation (redis.io "Redis Persistence"; S. Kumar, "Redis RDB dump file format", 2012, for
// the old encodings; the listpack and stream documents of S. Sanfilippo) and by looking at files
// that redis-server wrote. Numbers are little endian but for lengths, which are big endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::rdb {

inline constexpr std::string_view kMagic = "REDIS";
inline constexpr size_t kVersionDigits = 4;
// What is written: Redis 7.0's version, because 7.0 reads no later one and 7.2 changed only what a
// stream's consumers carry.
inline constexpr int kWrittenVersion = 10;
inline constexpr int kNewestVersion = 11;  // Redis 7.2

// --- op codes, where a type could stand
namespace op {
inline constexpr uint8_t kFunction2 = 245;
inline constexpr uint8_t kFunctionPreRelease = 246;
inline constexpr uint8_t kModuleAux = 247;
inline constexpr uint8_t kIdle = 248;       // length: seconds since the last access
inline constexpr uint8_t kFrequency = 249;  // byte: LFU counter
inline constexpr uint8_t kAux = 250;
inline constexpr uint8_t kResizeDb = 251;
inline constexpr uint8_t kExpireMs = 252;
inline constexpr uint8_t kExpireSeconds = 253;
inline constexpr uint8_t kSelectDb = 254;
inline constexpr uint8_t kEnd = 255;
}  // namespace op

// --- types of values
namespace type {
inline constexpr uint8_t kString = 0;
inline constexpr uint8_t kList = 1;   // elements; before Redis 3.2
inline constexpr uint8_t kSet = 2;    // members
inline constexpr uint8_t kZSet = 3;   // members with scores as text
inline constexpr uint8_t kHash = 4;   // fields and values
inline constexpr uint8_t kZSet2 = 5;  // members with scores in binary
inline constexpr uint8_t kModulePreRelease = 6;
inline constexpr uint8_t kModule2 = 7;
inline constexpr uint8_t kHashZipmap = 9;
inline constexpr uint8_t kListZiplist = 10;
inline constexpr uint8_t kSetIntset = 11;
inline constexpr uint8_t kZSetZiplist = 12;
inline constexpr uint8_t kHashZiplist = 13;
inline constexpr uint8_t kListQuicklist = 14;    // nodes of ziplists
inline constexpr uint8_t kStreamListpacks = 15;  // Redis 5
inline constexpr uint8_t kHashListpack = 16;
inline constexpr uint8_t kZSetListpack = 17;
inline constexpr uint8_t kListQuicklist2 = 18;    // nodes of listpacks, or plain
inline constexpr uint8_t kStreamListpacks2 = 19;  // Redis 7.0: counts and ids beside the entries
inline constexpr uint8_t kSetListpack = 20;       // Redis 7.2
inline constexpr uint8_t kStreamListpacks3 = 21;  // Redis 7.2: consumers' time of activity
inline constexpr uint8_t kLast = 21;
}  // namespace type

// --- how a length begins: two bits, or all eight
inline constexpr uint8_t kLength6 = 0;   // 00nnnnnn
inline constexpr uint8_t kLength14 = 1;  // 01nnnnnn nnnnnnnn
inline constexpr uint8_t kEncoded = 3;   // 11nnnnnn: no length, but one of these texts:
inline constexpr uint8_t kLength32 = 0x80;
inline constexpr uint8_t kLength64 = 0x81;
inline constexpr uint8_t kTextInt8 = 0;
inline constexpr uint8_t kTextInt16 = 1;
inline constexpr uint8_t kTextInt32 = 2;
inline constexpr uint8_t kTextLzf = 3;

// --- what a node of kListQuicklist2 is
inline constexpr uint64_t kNodePlain = 1;
inline constexpr uint64_t kNodePacked = 2;

// --- a module's value is a sequence of these, each before what it announces
namespace module {
inline constexpr uint64_t kEnd = 0;
inline constexpr uint64_t kSigned = 1;
inline constexpr uint64_t kUnsigned = 2;
inline constexpr uint64_t kFloat = 3;
inline constexpr uint64_t kDouble = 4;
inline constexpr uint64_t kString = 5;
}  // namespace module

// --- limits of what is believed
// Names and inline lengths are 32 bits in the server; no client can make a longer text.
inline constexpr uint64_t kMaxTextBytes = UINT32_MAX;
// One step of LZF turns three bytes into at most 264.
inline constexpr uint64_t kMaxLzfExpansion = 264 / 3 + 1;

// --- DUMP's footer: version, checksum
inline constexpr size_t kFooterBytes = 2 + 8;

}  // namespace millrace::rdb
