// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/age_header.h"

#include "shared/base/hex.h"
#include "shared/crypto/age.h"

#include <algorithm>
#include <optional>

namespace sallyport {

namespace {

constexpr size_t kColumns = 64;

std::optional<std::vector<uint8_t>> from_unpadded_base64(std::string_view text) {
  if (text.find('=') != std::string_view::npos || text.size() % 4 == 1) {
    return std::nullopt;
  }
  return from_base64(std::string(text).append((4 - text.size() % 4) % 4, '='));
}

bool is_vchar(char c) {
  return c >= 0x21 && c <= 0x7e;
}

Error bad_header(std::string_view what) {
  return Error{Errc::corrupt, "age header: " + std::string(what)};
}

// Takes one line off `rest`, without its newline.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// One or more non-empty words of visible characters, one space between.
std::optional<std::vector<std::string>> split_arguments(std::string_view line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ') {
      words.emplace_back();
    } else if (is_vchar(c)) {
      words.back().push_back(c);
    } else {
      return std::nullopt;
    }
  }
  const bool empty = std::any_of(words.begin(), words.end(), [](auto& w) { return w.empty(); });
  return empty ? std::nullopt : std::optional(std::move(words));
}

Result<AgeStanza> parse_stanza(std::string_view first_line, std::string_view& rest) {
  auto arguments = split_arguments(first_line);
  if (!arguments) {
    return bad_header("bad stanza arguments");
  }
  AgeStanza stanza{std::move(*arguments), {}};
  for (;;) {
    const auto line = take_line(rest);
    const auto bytes = line ? from_unpadded_base64(*line) : std::nullopt;
    if (!bytes || line->size() > kColumns) {
      return bad_header("bad stanza body");
    }
    stanza.body.insert(stanza.body.end(), bytes->begin(), bytes->end());
    if (line->size() < kColumns) {
      return stanza;
    }
  }
}

}  // namespace

std::string unpadded_base64(std::span<const uint8_t> bytes) {
  std::string text = to_base64(bytes);
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

std::string encode_stanza(const AgeStanza& stanza) {
  std::string out = "->";
  for (const std::string& argument : stanza.arguments) {
    out += ' ' + argument;
  }
  const std::string body = unpadded_base64(stanza.body);
  size_t at = 0;
  do {  // a body of a whole number of lines ends with an empty one
    out += '\n' + body.substr(at, kColumns);
    at += kColumns;
  } while (at <= body.size());
  return out += '\n';
}

Result<AgeHeader> parse_age_header(std::string_view file) {
  std::string_view rest = file.substr(0, kAgeMaxHeaderBytes);
  if (!rest.starts_with(kAgeVersionLine)) {
    return Error{Errc::corrupt, "not a binary age v1 file"};
  }
  rest.remove_prefix(kAgeVersionLine.size());
  AgeHeader header{};
  while (rest.starts_with("-> ")) {
    auto line = take_line(rest);
    if (!line || header.stanzas.size() == kAgeMaxStanzas) {
      return bad_header("a torn stanza, or too many");
    }
    auto stanza = parse_stanza(line->substr(3), rest);
    if (!stanza) {
      return std::move(stanza).error();
    }
    header.stanzas.push_back(std::move(*stanza));
  }
  header.maced = file.substr(0, static_cast<size_t>(rest.data() - file.data()) + 3);
  const auto last = take_line(rest);
  const auto mac =
      last && last->starts_with("--- ") ? from_unpadded_base64(last->substr(4)) : std::nullopt;
  if (!mac || mac->size() != 32 || header.stanzas.empty()) {
    return bad_header("no stanza, or no MAC line");
  }
  header.mac = *mac;
  header.size = static_cast<size_t>(rest.data() - file.data());
  return header;
}

}  // namespace sallyport
