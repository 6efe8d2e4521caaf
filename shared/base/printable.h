// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport {

// R11: the one function that text from outside passes before any terminal, log or dialog. C0, C1,
// DEL, bidirectional, zero-width, tag and invalid bytes come out as escapes (\x1b, \u{202e});
// longer than max_characters is cut and ends in "...". The result is valid UTF-8 on one line.
std::string printable(std::string_view text, size_t max_characters = 256);

// Those characters of it: controls, and what changes how other text is shown without being seen.
bool is_hidden_character(char32_t character);

}  // namespace sallyport
