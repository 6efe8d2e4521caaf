// SPDX-License-Identifier: Apache-2.0
#include "shared/base/utf8.h"

#include <cstring>

namespace sallyport {

namespace {

struct Lead {
  size_t length;       // 0: not a lead byte
  uint8_t second_min;  // bounds of the second byte keep overlong forms and surrogates out
  uint8_t second_max;
};

Lead classify(uint8_t lead) {
  if (lead < 0x80) {
    return {1, 0, 0};
  }
  if (lead >= 0xc2 && lead <= 0xdf) {
    return {2, 0x80, 0xbf};
  }
  if (lead >= 0xe0 && lead <= 0xef) {
    return {3, static_cast<uint8_t>(lead == 0xe0 ? 0xa0 : 0x80),
            static_cast<uint8_t>(lead == 0xed ? 0x9f : 0xbf)};
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    return {4, static_cast<uint8_t>(lead == 0xf0 ? 0x90 : 0x80),
            static_cast<uint8_t>(lead == 0xf4 ? 0x8f : 0xbf)};
  }
  return {0, 0, 0};
}

}  // namespace

Utf8Step utf8_step(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const Lead lead = classify(byte(0));
  if (lead.length == 0) {
    return {Utf8Step::Kind::invalid, 1, 0};
  }
  if (lead.length == 1) {
    return {Utf8Step::Kind::character, 1, byte(0)};
  }
  char32_t character = byte(0) & (0xffU >> (lead.length + 1));
  for (size_t i = 1; i < lead.length; ++i) {
    if (i == text.size()) {
      return {Utf8Step::Kind::incomplete, i, 0};
    }
    const uint8_t low = i == 1 ? lead.second_min : 0x80;
    const uint8_t high = i == 1 ? lead.second_max : 0xbf;
    if (byte(i) < low || byte(i) > high) {
      return {Utf8Step::Kind::invalid, i, 0};
    }
    character = (character << 6) | (byte(i) & 0x3fU);
  }
  return {Utf8Step::Kind::character, lead.length, character};
}

size_t ascii_prefix(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080U;
  size_t done = 0;
  for (uint64_t eight = 0; text.size() - done >= sizeof eight; done += sizeof eight) {
    std::memcpy(&eight, text.data() + done, sizeof eight);
    if ((eight & kHighBits) != 0) {
      break;
    }
  }
  while (done < text.size() && static_cast<uint8_t>(text[done]) < 0x80) {
    ++done;
  }
  return done;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) {
      break;
    }
    const Utf8Step step = utf8_step(text);
    if (step.kind != Utf8Step::Kind::character) {
      return false;
    }
    text.remove_prefix(step.length);
  }
  return true;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

}  // namespace sallyport
