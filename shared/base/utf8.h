// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sallyport {

// One step of a strict UTF-8 walk (Unicode 15, table 3-7: no overlong forms, no surrogates).
struct Utf8Step {
  enum class Kind { character, invalid, incomplete } kind;
  size_t length;       // bytes to take; for `incomplete` all that is left
  char32_t character;  // where kind is `character`
};
Utf8Step utf8_step(std::string_view text);  // text is not empty

// How many bytes at the beginning are below 0x80. Eight at a time: most of what is recorded is that.
size_t ascii_prefix(std::string_view text);

bool is_valid_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t character);

}  // namespace sallyport
