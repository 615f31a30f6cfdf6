// A function object that is owned by one holder: std::function without the copy, the RTTI and, for
// captures of up to four pointers, without the allocation.
//
//   ae::Callback<void(int)> on_exit = [this, pid](int status) { reaped(pid, status); };
//   if (on_exit) on_exit(0);
//
// Move-only, so a capture may own things (a unique_ptr, a descriptor guard). A callable of up to
// kInlineBytes that moves without throwing lies inside the Callback; a larger one is put on the
// heap once, when the Callback is made. Calling an empty one is a programming error.
//
// Thread: that of its owner. A Callback may be moved to another thread if what it captured may.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "ae/base/assert.h"

namespace ae {

template <typename Signature>
class Callback;

template <typename Return, typename... Args>
class Callback<Return(Args...)> {
 public:
  // Four pointers: `this`, an id and a little more, which covers every callback of this house. With
  // the table of operations a Callback is then 40 bytes.
  static constexpr size_t kInlineBytes = 4 * sizeof(void*);

  Callback() = default;
  Callback(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): reads as "no callback"

  template <typename Function, typename Callable = std::decay_t<Function>>
  requires(!std::is_same_v<Callable, Callback> && std::is_invocable_r_v<Return, Callable&, Args...>)
      // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): excluded by the requirement above
      Callback(Function&& function)  // NOLINT(google-explicit-constructor): a lambda is a Callback
      : operations_(&kOperationsOf<Callable>) {
    if constexpr (fits_inline<Callable>()) {
      ::new (static_cast<void*>(storage_)) Callable(std::forward<Function>(function));
    } else {
      ::new (static_cast<void*>(storage_))
          Callable*(new Callable(std::forward<Function>(function)));
    }
  }

  Callback(Callback&& other) noexcept { take(other); }
  Callback& operator=(Callback&& other) noexcept {
    if (this == &other) return *this;
    reset();
    take(other);
    return *this;
  }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  ~Callback() { reset(); }

  explicit operator bool() const { return operations_ != nullptr; }

  Return operator()(Args... args) {
    AE_ASSERT(operations_ != nullptr);
    return operations_->invoke(storage_, std::forward<Args>(args)...);
  }

  // Destroys what it holds; empty afterwards.
  void reset() {
    if (operations_ == nullptr) return;
    operations_->destroy(storage_);
    operations_ = nullptr;
  }

 private:
  // What a compiler would put into a vtable, one constant object per callable type.
  struct Operations {
    Return (*invoke)(void* storage, Args&&... args);
    void (*relocate)(void* to, void* from);  // moves, and ends the life of what it moved from
    void (*destroy)(void* storage);
  };

  template <typename Callable>
  static constexpr bool fits_inline() {
    // NOLINTNEXTLINE(misc-redundant-expression): in all its instances, not in the template
    return sizeof(Callable) <= kInlineBytes && alignof(Callable) <= alignof(void*) &&
           std::is_nothrow_move_constructible_v<Callable>;
  }

  template <typename Callable>
  static Callable& stored(void* storage) {
    if constexpr (fits_inline<Callable>()) {
      return *std::launder(static_cast<Callable*>(storage));
    } else {
      return **std::launder(static_cast<Callable**>(storage));
    }
  }

  template <typename Callable>
  static Return invoke_stored(void* storage, Args&&... args) {
    if constexpr (std::is_void_v<Return>) {
      static_cast<void>(stored<Callable>(storage)(std::forward<Args>(args)...));
    } else {
      return stored<Callable>(storage)(std::forward<Args>(args)...);
    }
  }

  template <typename Callable>
  static void relocate_stored(void* to, void* from) {
    if constexpr (fits_inline<Callable>()) {
      Callable& callable = stored<Callable>(from);
      ::new (to) Callable(std::move(callable));
      callable.~Callable();  // NOLINT(bugprone-use-after-move): what is moved from also ends
    } else {
      ::new (to) Callable*(&stored<Callable>(from));
    }
  }

  template <typename Callable>
  static void destroy_stored(void* storage) {
    if constexpr (fits_inline<Callable>()) {
      stored<Callable>(storage).~Callable();
    } else {
      delete &stored<Callable>(storage);
    }
  }

  template <typename Callable>
  static constexpr Operations kOperationsOf{&invoke_stored<Callable>, &relocate_stored<Callable>,
                                            &destroy_stored<Callable>};

  void take(Callback& other) {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->relocate(storage_, other.storage_);
  }

  const Operations* operations_ = nullptr;
  alignas(void*) std::byte storage_[kInlineBytes];
};

}  // namespace ae
