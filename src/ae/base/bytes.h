// Views of bytes. Bytes that are read are a std::string_view, bytes that are filled a MutableBytes.
// Neither owns; who does, and until when, is said by the function that hands the view out.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace ae {

using Bytes = std::string_view;
using MutableBytes = std::span<char>;

}  // namespace ae
