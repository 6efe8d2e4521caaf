// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// 128 random bits made by us (R14); shown as 32 lower-case hex digits, the only form that a path
// may contain.
struct Id {
  std::array<uint8_t, 16> bytes{};

  static Id random();
  static std::optional<Id> from_hex(std::string_view hex);
  std::string hex() const;
  bool is_zero() const { return *this == Id{}; }
  auto operator<=>(const Id&) const = default;
};

}  // namespace sallyport
