// SPDX-License-Identifier: Apache-2.0
#include "shared/base/printable.h"

#include "shared/base/utf8.h"

#include <algorithm>
#include <cstdio>

namespace sallyport {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// What changes how other text is shown without being seen itself.
constexpr Range kHidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

void append_byte_escape(std::string& out, unsigned byte) {
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\x%02x", byte);
  out += escape;
}

void append_character_escape(std::string& out, char32_t c) {
  char escape[16];
  std::snprintf(escape, sizeof escape, "\\u{%x}", static_cast<unsigned>(c));
  out += escape;
}

}  // namespace

bool is_hidden_character(char32_t c) {
  if (c >= 0x20 && c < 0x7f) {
    return false;
  }
  return std::any_of(std::begin(kHidden), std::end(kHidden),
                     [c](const Range& r) { return c >= r.first && c <= r.last; });
}

std::string printable(std::string_view text, size_t max_characters) {
  std::string out;
  for (size_t count = 0; !text.empty(); ++count) {
    if (count == max_characters) {
      return out + "...";
    }
    const Utf8Step step = utf8_step(text);
    if (step.kind != Utf8Step::Kind::character) {
      append_byte_escape(out, static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (!is_hidden_character(step.character)) {
      out += text.substr(0, step.length);
    } else if (step.character < 0x80) {
      append_byte_escape(out, step.character);
    } else {
      append_character_escape(out, step.character);
    }
    text.remove_prefix(step.length);
  }
  return out;
}

}  // namespace sallyport
