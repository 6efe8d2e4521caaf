// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport {

// One lambda for each type, for std::visit.
template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // clang 14 needs to be told

}  // namespace sallyport
