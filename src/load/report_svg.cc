// The latency by percentile, as a picture: a curve per phase. Both axes are logarithmic: to the
// right each division is a tenth of the requests that the one before had left (90 %, 99 %, 99.9 %),
// upwards it is ten times the latency. A stall is a wall far to the left; a rare hiccup a step far
// to the right.
#include <algorithm>
#include <cmath>

#include "load/format.h"
#include "load/report.h"

namespace load {
namespace {

constexpr double kWidth = 860, kHeight = 520;
constexpr double kLeft = 80, kRight = 30, kTop = 50, kBottom = 60;
constexpr double kNines = 5;  // the right edge is 99.999 %
constexpr double kCurvePoints = 250;
constexpr const char* kColours[] = {"#1f6fb4", "#d1495b", "#3a8f4d", "#8a5fb0",
                                    "#c77f1a", "#2a9d9d", "#6b6b6b", "#a8327d"};

struct Curve {
  std::string label;
  const Histogram* histogram;
  const char* colour;
  const char* dash;
};

class Picture {
 public:
  explicit Picture(std::vector<Curve> curves) : curves_(std::move(curves)) { choose_decades(); }

  std::string draw(const std::string& title) const {
    std::string svg = format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
        kWidth, kHeight);
    svg += text(kLeft, 24, "start", title);
    svg += grid();
    for (const Curve& curve : curves_) svg += polyline(curve);
    return svg + legend() + "</svg>\n";
  }

 private:
  static double x_of(double nines) { return kLeft + nines / kNines * (kWidth - kLeft - kRight); }
  double y_of(double ns) const {
    const double share = (std::log10(ns) - low_) / (high_ - low_);
    return kHeight - kBottom - share * (kHeight - kTop - kBottom);
  }

  // Powers of ten of a nanosecond, around all that is to be seen.
  void choose_decades() {
    double least = 1e9, most = 1e4;
    for (const Curve& curve : curves_) {
      least = std::min(least, std::max(1.0, double(curve.histogram->percentile(0).count())));
      most = std::max(most, double(curve.histogram->max().count()));
    }
    low_ = std::floor(std::log10(least));
    high_ = std::max(low_ + 1, std::ceil(std::log10(most)));
  }

  static std::string text(double x, double y, const char* anchor, const std::string& words) {
    std::string escaped;
    for (const char c : words) {
      escaped += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
    }
    return format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor) + escaped +
           "</text>\n";
  }

  static std::string line(double x1, double y1, double x2, double y2) {
    return format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>\n",
                  x1, y1, x2, y2);
  }

  std::string grid() const {
    static constexpr const char* kPercentNames[] = {"0 %",    "90 %",    "99 %",
                                                    "99.9 %", "99.99 %", "99.999 %"};
    std::string svg;
    for (int nines = 0; nines <= int(kNines); ++nines) {
      svg += line(x_of(nines), kTop, x_of(nines), kHeight - kBottom);
      svg += text(x_of(nines), kHeight - kBottom + 18, "middle", kPercentNames[nines]);
    }
    for (double decade = low_; decade <= high_; ++decade) {
      const double y = y_of(std::pow(10, decade));
      svg += line(kLeft, y, kWidth - kRight, y);
      svg += text(kLeft - 8, y + 4, "end", format("%g ms", std::pow(10, decade - 6)));
    }
    return svg + text(kWidth / 2, kHeight - 14, "middle", "share of requests answered within");
  }

  // As far to the right as there are requests: of a thousand 99.9 % are all but the longest, which
  // is where the curve ends, be it a wall.
  std::string polyline(const Curve& curve) const {
    const double end = std::min(kNines, std::log10(double(curve.histogram->total())));
    std::string points;
    for (double i = 0; i <= kCurvePoints; ++i) {
      const double nines = end * i / kCurvePoints;
      const double percent = 100 * (1 - std::pow(10, -nines));
      const auto ns = double(curve.histogram->percentile(percent).count());
      points += format("%.1f,%.1f ", x_of(nines), y_of(std::max(1.0, ns)));
    }
    const auto longest = double(curve.histogram->max().count());
    if (end < kNines) points += format("%.1f,%.1f", x_of(end), y_of(std::max(1.0, longest)));
    return format("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" %s points=\"",
                  curve.colour, curve.dash) +
           points + "\"/>\n";
  }

  std::string legend() const {
    std::string svg;
    double y = kTop + 16;
    for (const Curve& curve : curves_) {
      svg += format(
          "<line x1=\"%g\" y1=\"%g\" x2=\"%g\" y2=\"%g\" stroke=\"%s\" stroke-width=\"2\" %s/>\n",
          kLeft + 12, y - 4, kLeft + 42, y - 4, curve.colour, curve.dash);
      svg += text(kLeft + 50, y, "start", curve.label);
      y += 18;
    }
    return svg;
  }

  std::vector<Curve> curves_;
  double low_ = 4, high_ = 9;
};

std::vector<Curve> curves_of(const Report& report) {
  std::vector<Curve> curves;
  size_t drawn = 0;
  for (const PhaseReport& phase : report.phases) {
    if (phase.result->latency.total() == 0) continue;
    const char* colour = kColours[drawn++ % std::size(kColours)];
    const std::string label =
        format("%s, %g a second", std::string(name(phase.phase.kind)).c_str(), phase.phase.rate);
    curves.push_back({label, &phase.result->latency, colour, ""});
    if (phase.result->closed.total() == 0) continue;
    curves.push_back({"closed loop beside it: what it did not see", &phase.result->closed, colour,
                      "stroke-dasharray=\"6 4\""});
  }
  return curves;
}

}  // namespace

std::string to_svg(const Report& report) {
  std::string title = head_text(report.options);
  title.pop_back();  // its newline
  return Picture(curves_of(report)).draw("Latency by percentile: " + title);
}

}  // namespace load
