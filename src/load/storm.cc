// A reconnect storm: a share of the connections drops at once and all of it comes back as fast as
// the handshakes allow, while whoever is in is asked at the rate.
#include "load/scenario.h"

namespace load {
namespace {

class Storm final : public Scenario {
 public:
  explicit Storm(const Stage& stage) : stage_(stage) {}

  void start() override {
    const double share = stage_.options.storm_percent / 100;
    const auto leavers = uint32_t(double(stage_.crowd.size()) * share + 0.5);
    for (uint32_t client = 0; client < leavers; ++client) stage_.crowd.drop(client);
    stage_.crowd.connect_missing();
    background_ = make_background(stage_);
  }

  // The background may end before the last is in; the storm does not.
  bool issued() override {
    if (!all_in_ && stage_.crowd.settled()) {
      all_in_ = true;
      stage_.result.reconnect = stage_.loop.clock().now() - stage_.start;
    }
    return all_in_ && background_->over();
  }

 private:
  Stage stage_;
  std::unique_ptr<Traffic> background_;
  bool all_in_ = false;
};

}  // namespace

std::unique_ptr<Scenario> make_storm(const Stage& stage) {
  return std::make_unique<Storm>(stage);
}

}  // namespace load
