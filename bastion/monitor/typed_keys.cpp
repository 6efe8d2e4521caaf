// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/typed_keys.h"

#include <algorithm>

namespace sallyport::monitor {

namespace {

constexpr char kEscape = '\x1b';
constexpr size_t kMaxParameters = 12;  // of a cursor or function key: "1;5", "24;2", "200"

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

bool is_parameter(char c) {
  return (c >= '0' && c <= '9') || c == ';';
}

// ESC [ ... as keys send it: arrows, Home, End, F1 to F4, Shift-Tab, focus, "~" with a number. Not
// "u", "_" and 27;...~, which carry text: a password typed into a terminal that encodes all its
// keys would look like so many arrows.
TypedKey csi_key(std::string_view bytes) {
  const auto parameters = bytes.substr(2, kMaxParameters);
  const auto end = std::find_if_not(parameters.begin(), parameters.end(), is_parameter);
  const auto count = static_cast<size_t>(end - parameters.begin());
  if (end == parameters.end()) {
    return {KeyKind::control, 1};
  }
  const size_t size = 2 + count + 1;
  constexpr std::string_view kFinals = "ABCDEFHIOPQRSZ~";
  const bool carries_text = *end == '~' && parameters.starts_with("27;");
  return kFinals.find(*end) != std::string_view::npos && !carries_text
             ? TypedKey{KeyKind::control, size}
             : TypedKey{KeyKind::hidden, size};
}

TypedKey escape_key(std::string_view bytes) {
  if (bytes.size() == 1 || is_control(bytes[1])) {
    return {KeyKind::control, 1};
  }
  if (bytes[1] == '[') {
    return csi_key(bytes);
  }
  if (bytes[1] == 'O' && bytes.size() > 2 && bytes[2] >= 'A' && bytes[2] <= 'Z') {
    return {KeyKind::control, 3};
  }
  const bool is_alt_letter =
      (bytes[1] >= 'a' && bytes[1] <= 'z') || (bytes[1] >= '.' && bytes[1] <= '>');
  return {KeyKind::control, is_alt_letter ? size_t{2} : size_t{1}};
}

}  // namespace

TypedKey first_key(std::string_view bytes) {
  switch (bytes[0]) {
    case '\r':
    case '\n':
      return {KeyKind::enter, 1};
    case '\x03':
    case '\x04':
    case '\x1a':
    case '\x1c':
      return {KeyKind::interrupt, 1};
    case kEscape:
      return escape_key(bytes);
    default:
      return {is_control(bytes[0]) ? KeyKind::control : KeyKind::text, 1};
  }
}

}  // namespace sallyport::monitor
