// What redis-server 7.0.15 stores for a few values: the raw blob out of the answer to DUMP (with
// rdbcompression off), to hold our encodings against. Each line of commands stands beside its blob.
#pragma once

#include <string_view>

namespace millrace::ds {

struct RedisBlob {
  const char* name;
  std::string_view bytes;
};

inline const RedisBlob kRedisListpacks[] = {
    {"HSET h name Ada year 1815 field \"\" -1 -128 big 9223372036854775807 low "
     "-9223372036854775808",
     std::string_view("H\x00\x00\x00\x0c\x00\x84name\x05\x83"
                      "Ada\x04\x84year\x05\xc7\x17\x02\x85"
                      "field"
                      "\x06\x80\x01\xdf\xff\x02\xdf\x80\x02\x83"
                      "big\x04\xf4\xff\xff\xff\xff\xff\xff\xff"
                      "\x7f\x09\x83low\x04\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09\xff",
                      72)},
    {"ZADD z 1 a 2.5 b -inf low +inf high 17179869184 big 1e300 huge",
     std::string_view("X\x00\x00\x00\x0c\x00\x83low\x04\x84-inf\x05\x81"
                      "a\x02\x01\x01\x81"
                      "b\x02\x83"
                      "2"
                      ".5\x04\x83"
                      "big\x04\xf4\x00\x00\x00\x00\x04\x00\x00\x00\x09\x84huge\x05\x97"
                      "1.000"
                      "0000000000001e+300\x18\x84high\x05\x83inf\x04\xff",
                      88)},
    {"RPUSH l, the integers at which the encoding changes, and four that are none",
     std::string_view(
         "\x8a\x00\x00\x00\x16\x00\x00\x01\x7f\x01\xc0\x80\x02\xdf\xff\x02\xd0\x00\x02\xcf\xff"
         "\x02\xf1\x00\x10\x03\xf1\xff\xef\x03\xf1\xff\x7f\x03\xf1\x00\x80\x03\xf2\x00\x80\x00"
         "\x04\xf2\xff\xff\x7f\x04\xf2\x00\x00\x80\x04\xf3\x00\x00\x80\x00\x05\xf3\xff\xff\xff"
         "\x7f\x05\xf3\x00\x00\x00\x80\x05\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09\x82-0\x03"
         "\x83"
         "007\x04\x82+1\x03\x93"
         "9223372036854775808\x14\x94-9223372036854775809\x15"
         "\xff",
         138)},
    {"RPUSH s, strings of 0, 1, 63, 64, 125, 126 and 130 bytes",
     std::string_view(
         "\x18\x02\x00\x00\x07\x00\x80\x01\x81x\x02\xbfyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
         "yyyyyyyyyyyyyyyyyyyyyyyy@\xe0@zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
         "zzzzzzzzzzB\xe0}wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
         "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\x7f\xe0~vvvvvvvvvvvvvvvvvv"
         "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
         "vvvvvvvvvvvvvvvvvvvvvvvv\x01\x80\xe0\x82uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
         "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
         "uu\x01\x84\xff",
         536)},
};

inline const RedisBlob kRedisIntSets[] = {
    {"SADD i2 3 1 2 -32768 32767",
     std::string_view("\x02\x00\x00\x00\x05\x00\x00\x00\x00\x80\x01\x00\x02\x00\x03\x00\xff\x7f",
                      18)},
    {"SADD i4 3 1 -1 32768",
     std::string_view(
         "\x04\x00\x00\x00\x04\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x03\x00\x00\x00\x00"
         "\x80\x00\x00",
         24)},
    {"SADD i8 5 -7 2147483648 -9223372036854775808",
     std::string_view(
         "\x08\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\xf9\xff\xff\xff\xff"
         "\xff\xff\xff\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00",
         40)},
};

}  // namespace millrace::ds
