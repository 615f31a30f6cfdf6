#include "server/commands/geo_query.h"

#include <string>

#include "server/command/arg_reader.h"
#include "server/commands/geo_arguments.h"

namespace millrace {
namespace {

using ds::GeoPoint;
using ds::GeoShape;
using Centre = GeoForm::Centre;
using Order = GeoQuery::Order;
using Store = GeoForm::Store;

class Reader {
 public:
  Reader(Context& c, const GeoForm& form, const ds::SortedSet* set)
      : context_(c), form_(form), set_(set), args_(c, form.source() + 1) {}

  std::optional<GeoQuery> read() {
    read_centre_in_front();
    while (args_.more())
      if (!take_detail() && !take_limit() && !take_destination() && !take_area())
        args_.syntax_error();
    check();
    if (!args_.finish()) return std::nullopt;
    make_shape();
    return query_;
  }

 private:
  enum class From : uint8_t { kNowhere, kMember, kPoint };
  enum class By : uint8_t { kNothing, kRadius, kBox };

  // --- GEORADIUS: centre and radius are the first arguments

  void read_centre_in_front() {
    if (form_.store == Store::kAlways) query_.store_at = 1;
    if (form_.centre == Centre::kCoordinates) {
      point_ = read_point(args_);
      read_radius();
    } else if (form_.centre == Centre::kMember) {
      // Without a set the options are still looked at, for they say what to answer.
      if (!set_) return args_.skip(3);
      read_member();
      read_radius();
    }
  }

  void read_member() {
    const std::string_view member = args_.word();
    if (!set_ || !args_.ok()) return;
    const auto place = place_of(*set_, member);
    if (place) point_ = *place;
    if (!place) args_.error("ERR could not decode requested zset member");
  }

  void read_radius() {
    width_ = args_.real("ERR need numeric radius");
    if (width_ < 0) args_.error("ERR radius cannot be negative");
    by_ = By::kRadius;
    if (args_.ok()) query_.unit_m = read_unit(args_);
  }

  void read_box() {
    width_ = args_.real("ERR need numeric width");
    height_ = args_.real("ERR need numeric height");
    if (width_ < 0 || height_ < 0) args_.error("ERR height or width cannot be negative");
    by_ = By::kBox;
    if (args_.ok()) query_.unit_m = read_unit(args_);
  }

  // --- options; false: the next word is none of these

  bool take_detail() {
    if (args_.take("WITHDIST")) return query_.with_distance = true;
    if (args_.take("WITHHASH")) return query_.with_hash = true;
    return args_.take("WITHCOORD") && (query_.with_point = true);
  }

  bool take_limit() {
    if (args_.take("ANY")) return query_.first_ones = true;
    if (args_.take("ASC")) return query_.order = Order::kNearestFirst, true;
    if (args_.take("DESC")) return query_.order = Order::kFarthestFirst, true;
    if (!args_.take("COUNT", 1)) return false;
    const int64_t count = args_.integer();
    if (count <= 0) args_.error("ERR COUNT must be > 0");
    query_.count = static_cast<uint64_t>(count);
    return true;
  }

  bool take_destination() {
    if (form_.store == Store::kNever) return false;
    const size_t keys = form_.store == Store::kOption ? 1 : 0;
    const bool by_distance = args_.take("STOREDIST", keys);
    if (!by_distance && (keys == 0 || !args_.take("STORE", keys))) return false;
    query_.store_distance = by_distance;
    if (keys == 0) return true;
    query_.store_at = args_.position();
    args_.skip();
    return true;
  }

  bool take_area() {
    if (!form_.is_search()) return false;
    if (from_ != From::kPoint && args_.take("FROMMEMBER", 1)) {
      from_ = From::kMember;
      read_member();
    } else if (from_ != From::kMember && args_.take("FROMLONLAT", 2)) {
      from_ = From::kPoint;
      point_ = read_point(args_);
    } else if (by_ != By::kBox && args_.take("BYRADIUS", 2)) {
      read_radius();
    } else if (by_ != By::kRadius && args_.take("BYBOX", 3)) {
      read_box();
    } else {
      return false;
    }
    return true;
  }

  // --- what does not go together, and what is missing

  void check() {
    if (query_.store_at != 0 && query_.details() != 0)
      args_.error(std::string("ERR ") +
                  (form_.is_search() ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS") +
                  " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
    const std::string command(context_.arg(0));
    if (form_.is_search() && from_ == From::kNowhere)
      args_.error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + command);
    if (form_.is_search() && by_ == By::kNothing)
      args_.error("ERR exactly one of BYRADIUS and BYBOX can be specified for " + command);
    if (query_.first_ones && query_.count == 0)
      args_.error("ERR the ANY argument requires COUNT argument");
  }

  void make_shape() {
    if (!set_) return;
    query_.shape = by_ == By::kBox ? GeoShape::box(point_, width_, height_, query_.unit_m)
                                   : GeoShape::circle(point_, width_, query_.unit_m);
    // The nearest ones are meant, unless any will do.
    if (query_.count != 0 && query_.order == Order::kAny && !query_.first_ones)
      query_.order = Order::kNearestFirst;
  }

  Context& context_;
  const GeoForm& form_;
  const ds::SortedSet* set_;
  ArgReader args_;
  GeoQuery query_;
  From from_ = From::kNowhere;
  By by_ = By::kNothing;
  GeoPoint point_;
  double width_ = 0;  // of a circle, its radius
  double height_ = 0;
};

}  // namespace

std::optional<GeoQuery> read_geo_query(Context& c, const GeoForm& form, const ds::SortedSet* set) {
  return Reader(c, form, set).read();
}

}  // namespace millrace
