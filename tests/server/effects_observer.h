// A function that is told of every change of a key, for as long as it lives.
#pragma once

#include <functional>
#include <utility>

#include "server/command/effects.h"

namespace millrace {

class EffectsObserver final : private ChangeObserver {
 public:
  EffectsObserver(Effects& effects, std::function<void(const KeyChange&)> function)
      : effects_(effects), function_(std::move(function)) {
    effects_.attach(*this);
  }
  ~EffectsObserver() { effects_.detach(*this); }
  EffectsObserver(const EffectsObserver&) = delete;
  EffectsObserver& operator=(const EffectsObserver&) = delete;

 private:
  void on_change(const KeyChange& change) override {
    if (change.is_change()) function_(change);
  }
  void on_emptied(int) override {}
  void on_swapped(uint8_t, uint8_t) override {}

  Effects& effects_;
  std::function<void(const KeyChange&)> function_;
};

}  // namespace millrace
