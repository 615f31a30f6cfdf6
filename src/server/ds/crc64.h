// CRC-64 with Jones' polynomial, reflected, begun with 0: what closes an RDB file and a DUMP
// payload. crc64("123456789") = e9c6d914c4b8d9ca.
//
// Eight bytes a step through eight tables ("slicing by eight", M. Kounavis and F. Berry, Intel,
// 2005): about 1.5 GB/s, four times what a table of single bytes does. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::ds {

// Of bytes that follow those that gave `crc`.
uint64_t crc64(uint64_t crc, std::string_view bytes);

inline uint64_t crc64(std::string_view bytes) {
  return crc64(0, bytes);
}

}  // namespace millrace::ds
