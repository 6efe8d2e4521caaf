// SPDX-License-Identifier: Apache-2.0
//
// What index.db looks like, version after version. A step that was released is never edited: the
// files of tests/data/index have seen it.
#pragma once

#include <cstdint>
#include <span>

namespace sallyport::stored {

inline constexpr int64_t kIndexApplicationId = 0x53504958;  // "SPIX", as file(1) shows it

// For migrate(): step i makes version i + 1.
std::span<const char* const> index_migrations();

}  // namespace sallyport::stored
