// A reference to something callable, passed down and never kept: one pointer to the callable, one
// to the code that calls it. Where ae::Callback owns, this borrows.
//
// The collections of this folder take their visitors this way, so that the walk over an encoding is
// compiled once, in a .cc file, and not into every handler. The price is an indirect call per
// element, about a nanosecond, which the branch predictor hides in a loop.
//
//   void for_each(FunctionRef<void(std::string_view)> visit) const;
//   set.for_each([&](std::string_view member) { reply.bulk(member); });
//
// The callable must outlive the call it is passed to, which an argument does by the rules of C++.
// Idea: std::function_ref, P0792 (V. Romeo).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace millrace::ds {

template <typename Signature>
class FunctionRef;

template <typename Return, typename... Args>
class FunctionRef<Return(Args...)> {
 public:
  template <typename Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef> &&
           std::is_invocable_r_v<Return, Callable&, Args...>)
      // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): excluded by the requirement above
      FunctionRef(
          Callable&& callable)  // NOLINT(google-explicit-constructor): a lambda is a FunctionRef
      : target_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* target, Args... args) -> Return {
          return (*static_cast<std::remove_reference_t<Callable>*>(target))(
              std::forward<Args>(args)...);
        }) {}

  Return operator()(Args... args) const { return call_(target_, std::forward<Args>(args)...); }

 private:
  void* target_;
  Return (*call_)(void*, Args...);
};

}  // namespace millrace::ds
