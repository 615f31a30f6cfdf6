#include "server/observe/mill_picture.h"

#include <array>
#include <cmath>
#include <numbers>

#include "ae/base/prng.h"
#include "server/version.h"

namespace millrace {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 16;
constexpr int kGround = 12;  // the first row of water

// Characters are about twice as high as wide.
constexpr double kAspect = 2.0;
constexpr int kWheelX = 38;
constexpr int kWheelY = 8;
constexpr double kWheelRadius = 4.5;
constexpr int kPaddles = 8;

class Canvas {
 public:
  Canvas() {
    for (auto& row : rows_) row.fill(' ');
  }
  void put(int x, int y, char c) {
    if (x >= 0 && x < kWidth && y >= 0 && y < kHeight) rows_[size_t(y)][size_t(x)] = c;
  }
  void write(int x, int y, const char* text) {
    for (; *text != 0; ++text) put(x++, y, *text);
  }
  std::string text() const {
    std::string text;
    for (const auto& row : rows_) {
      std::string line(row.begin(), row.end());
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::array<std::array<char, kWidth>, kHeight> rows_;
};

void draw_sky(Canvas& canvas, ae::Prng& prng) {
  constexpr int kStars = 24;
  for (int i = 0; i < kStars; ++i)
    canvas.put(int(prng.below(kWidth)), int(prng.below(5)), ".'*+"[prng.below(4)]);
}

void draw_house(Canvas& canvas) {
  constexpr const char* kHouse[] = {
      R"(         _________)",    R"(        /_/_/_/_/_\)",       R"(       /_/_/_/_/_/_\)",
      R"(      /_/_/_/_/_/_/_\)", R"(       |    __    []|)",     R"(       | []|  |     |)",
      R"(       |   | .|   []|)", R"(_______|___|__|_____|____)",
  };
  int y = kGround - int(std::size(kHouse));
  for (const char* line : kHouse) canvas.write(2, y++, line);
}

void draw_wheel(Canvas& canvas, double turned) {
  for (double angle = 0; angle < 2 * std::numbers::pi; angle += 0.05)
    canvas.put(int(std::lround(kWheelX + kAspect * kWheelRadius * std::cos(angle))),
               int(std::lround(kWheelY + kWheelRadius * std::sin(angle))), 'o');
  for (int paddle = 0; paddle < kPaddles; ++paddle) {
    const double angle = turned + 2 * std::numbers::pi * paddle / kPaddles;
    for (double r = 1; r <= kWheelRadius + 0.8; r += 0.3)
      canvas.put(int(std::lround(kWheelX + kAspect * r * std::cos(angle))),
                 int(std::lround(kWheelY + r * std::sin(angle))), r > kWheelRadius ? '#' : ':');
  }
  canvas.write(kWheelX - 1, kWheelY, "(@)");
}

void draw_race(Canvas& canvas, ae::Prng& prng) {
  for (int y = kGround; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) canvas.put(x, y, "~~~~-~ "[prng.below(7)]);
}

}  // namespace

std::string mill_picture(ae::Prng& prng) {
  Canvas canvas;
  draw_sky(canvas, prng);
  draw_house(canvas);
  draw_race(canvas, prng);
  draw_wheel(canvas, prng.fraction() * 2 * std::numbers::pi / kPaddles);
  return canvas.text() + "\nMillrace ver. " + kVersion + " (Redis ver. " + kRedisVersion + ")\n";
}

}  // namespace millrace
