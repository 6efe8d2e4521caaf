// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport::monitor {

// One key as a terminal sends it.
enum class KeyKind : unsigned char {
  text,       // a byte whose echo is itself
  control,    // moves, erases, completes: shown in many ways, or not at all
  enter,      // ends a line
  interrupt,  // Ctrl-C, -D, -Z, -\: ends it too
  hidden      // text in a form that nothing echoes (a terminal that encodes every key)
};
struct TypedKey {
  KeyKind kind;
  size_t size;  // in bytes
};

// The first key of `bytes`, which are not empty and begin with a key. A sequence that is cut off or
// not known is not taken for a control key: what follows the escape must be echoed like all text.
TypedKey first_key(std::string_view bytes);

}  // namespace sallyport::monitor
