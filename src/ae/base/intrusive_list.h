// A doubly linked list whose links lie in the members themselves: linking and unlinking allocate
// nothing, and an object can leave a list it is in without the list being searched.
//
//   struct Client { ae::ListHook waiting; };
//   ae::IntrusiveList<Client, &Client::waiting> waiters;
//   waiters.push_back(client);
//   client.waiting.unlink();          // or waiters.remove(client)
//
// The list owns nothing. An object must leave before it dies (the hook's destructor asserts it),
// and must not move while it is linked. For records that live in a SlotMap prefer links by slot.
//
// Thread: one. Costs: O(1) for all but size(), which is not offered.
#pragma once

#include <cstddef>

#include "ae/base/assert.h"

namespace ae {

class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { AE_ASSERT(!linked()); }

  bool linked() const { return next_ != this; }
  // Leaves whichever list it is in; nothing if it is in none.
  void unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = this;
  }

 private:
  template <typename T, ListHook T::*hook>
  friend class IntrusiveList;

  // Links itself between `before` and what follows it.
  void link_after(ListHook* before) {
    AE_ASSERT(!linked());
    next_ = before->next_;
    previous_ = before;
    next_->previous_ = this;
    before->next_ = this;
  }

  ListHook* next_ = this;  // a ring of one: not linked
  ListHook* previous_ = this;
};

template <typename T, ListHook T::*hook>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  ~IntrusiveList() { clear(); }

  bool empty() const { return !ends_.linked(); }
  void push_back(T& item) { (item.*hook).link_after(ends_.previous_); }
  void push_front(T& item) { (item.*hook).link_after(&ends_); }
  void remove(T& item) { (item.*hook).unlink(); }

  // Null where there is none.
  T* front() { return item_or_null(ends_.next_); }
  T* back() { return item_or_null(ends_.previous_); }
  T* next(T& item) { return item_or_null((item.*hook).next_); }

  T* pop_front() {
    T* item = front();
    if (item != nullptr) remove(*item);
    return item;
  }
  // Unlinks all; O(n).
  void clear() {
    while (!empty()) ends_.next_->unlink();
  }

 private:
  T* item_or_null(ListHook* link) { return link == &ends_ ? nullptr : item_of(link); }
  // From a member back to the object that contains it. Measured on a buffer that is never read.
  static T* item_of(ListHook* link) {
    alignas(T) static std::byte ruler[sizeof(T)];
    T* object = reinterpret_cast<T*>(ruler);
    const std::ptrdiff_t offset =
        reinterpret_cast<std::byte*>(&(object->*hook)) - reinterpret_cast<std::byte*>(object);
    return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(link) - offset);
  }

  ListHook ends_;  // next_ is the front, previous_ the back
};

}  // namespace ae
