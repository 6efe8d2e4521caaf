// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace sallyport {

// A unique_ptr deleter for a C library's free function: Handle<sqlite3, sqlite3_close_v2>.
template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Freer<Free>>;

}  // namespace sallyport
