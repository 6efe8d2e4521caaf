// SPDX-License-Identifier: Apache-2.0
//
// A second opinion on the scanner, written from libvterm's limits and not from the scanner's code.
#pragma once

#include "shared/base/utf8.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace sallyport {

// What is wrong with one sequence: what stands between CSI and its final byte, and that byte.
inline std::string what_is_wrong_with_csi(std::string_view body, char final) {
  if (std::count(body.begin(), body.end(), ';') > 13) {
    return "more than 14 parameters";
  }
  size_t digits = 0;
  for (const char c : body) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 4) {
      return "a number of more than 4 digits";
    }
  }
  const std::string_view finals = body.starts_with('?') ? "hl"
                                  : body == "!"         ? "p"
                                                        : "@ABCDEFGHIJKLMPSTXZ`adefghjklmrs";
  if (finals.find(final) == std::string_view::npos ||
      body.substr(std::min<size_t>(body.size(), 1)).find_first_of("?!") != std::string_view::npos) {
    return "CSI " + std::string(body) + final;
  }
  return "";
}

// "" when libvterm can hold these bytes, as one write or several; else what is wrong.
inline std::string what_libvterm_cannot_hold(std::string_view bytes) {
  if (!is_valid_utf8(bytes)) {
    return "not valid UTF-8";
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte == 0xc2 && static_cast<unsigned char>(bytes[i + 1]) < 0xa0) {
      return "a C1 character";
    }
    if (byte >= 0x20 && byte != 0x7f && byte != 0x1b) {
      continue;
    }
    if (byte != 0x1b) {
      if (byte < 0x08 || byte > 0x0d) {
        return "control " + std::to_string(byte);
      }
      continue;
    }
    if (++i == bytes.size()) {
      return "a cut escape sequence";
    }
    if (bytes[i] == '#') {
      if (++i == bytes.size() || bytes[i] != '8') {
        return "ESC # other than DECALN";
      }
      continue;
    }
    if (bytes[i] != '[') {
      if (std::string_view("78DEHMc").find(bytes[i]) == std::string_view::npos) {
        return std::string("ESC ") + bytes[i];
      }
      continue;
    }
    const size_t end = bytes.find_first_not_of("0123456789;?!", i + 1);
    if (end == std::string_view::npos) {
      return "a cut CSI sequence";
    }
    const std::string_view body = bytes.substr(i + 1, end - i - 1);
    if (std::string wrong = what_is_wrong_with_csi(body, bytes[end]); !wrong.empty()) {
      return wrong;
    }
    i = end;
  }
  return "";
}

}  // namespace sallyport
