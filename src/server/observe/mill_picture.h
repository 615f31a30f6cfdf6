// LOLWUT's picture: a water mill on its race, another sky and another wheel position each time.
#pragma once

#include <string>

namespace ae {
class Prng;
}

namespace millrace {

std::string mill_picture(ae::Prng& prng);

}  // namespace millrace
