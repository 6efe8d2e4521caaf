// SPDX-License-Identifier: Apache-2.0
#include "player/readable_keys.h"

#include "shared/base/printable.h"
#include "shared/base/utf8.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport {

namespace {

constexpr char kEscape = '\x1b';
constexpr std::string_view kNewLine = "\r\n";

struct NamedKey {
  std::string_view sequence;  // behind the escape
  std::string_view name;
};
constexpr std::array<NamedKey, 26> kNamedKeys = {{
    {"[A", "Up"},         {"[B", "Down"},     {"[C", "Right"},      {"[D", "Left"},
    {"[F", "End"},        {"[H", "Home"},     {"[Z", "Shift-Tab"},  {"[I", "Focus"},
    {"[O", "Focus lost"}, {"[1~", "Home"},    {"[2~", "Insert"},    {"[3~", "Delete"},
    {"[4~", "End"},       {"[5~", "Page up"}, {"[6~", "Page down"}, {"[200~", "Paste"},
    {"[201~", "/Paste"},  {"OA", "Up"},       {"OB", "Down"},       {"OC", "Right"},
    {"OD", "Left"},       {"OF", "End"},      {"OH", "Home"},       {"OP", "F1"},
    {"OQ", "F2"},         {"OR", "F3"},
}};

std::string named(std::string_view name) {
  return "\u2039" + std::string(name) + "\u203a";
}

// How long the sequence behind an escape is; 0: the escape stands alone.
size_t sequence_length(std::string_view rest) {
  if (rest.starts_with('[')) {
    const auto end =
        std::find_if(rest.begin() + 1, rest.end(), [](char c) { return c >= 0x40 && c <= 0x7e; });
    return end == rest.end() ? 0 : static_cast<size_t>(end - rest.begin()) + 1;
  }
  if (rest.starts_with('O') && rest.size() > 1) {
    return 2;
  }
  return !rest.empty() && rest[0] > 0x20 && rest[0] < 0x7f ? 1 : 0;
}

std::string name_of_sequence(std::string_view sequence) {
  const auto key = std::find_if(kNamedKeys.begin(), kNamedKeys.end(),
                                [&](const NamedKey& one) { return one.sequence == sequence; });
  if (key != kNamedKeys.end()) {
    return named(key->name);
  }
  return named((sequence.size() == 1 ? "Alt-" : "Esc ") + printable(sequence));
}

std::string name_of_control(char c) {
  switch (c) {
    case '\r':
      return named("Enter") + std::string(kNewLine);
    case '\t':
      return named("Tab");
    case '\x7f':
      return named("Backspace");
    default: {
      const std::string name = named(std::string("Ctrl-") + static_cast<char>(c + '@'));
      const bool ends_line = std::string_view("\n\x03\x04\x1a\x1c").find(c) != std::string::npos;
      return ends_line ? name + std::string(kNewLine) : name;
    }
  }
}

class KeySource final : public EventSource {
public:
  explicit KeySource(std::unique_ptr<EventSource> keystrokes) : inner_(std::move(keystrokes)) {}

  const SourceFacts& facts() const override { return inner_->facts(); }

  Result<bool> next(std::vector<AsciicastEvent>& out) override {
    std::vector<AsciicastEvent> events;
    const Result<bool> more = inner_->next(events);
    for (AsciicastEvent& event : events) {
      if (event.code == 'i') {
        out.push_back({event.time_us, 'o', readable_keys(event.data)});
      } else if (event.code == 'm') {
        out.push_back({event.time_us, 'o', named(printable(event.data)) + std::string(kNewLine)});
      }
    }
    return more;
  }

  std::optional<uint32_t> mark() override { return inner_->mark(); }
  Status return_to(uint32_t mark) override { return inner_->return_to(mark); }
  std::string ending() const override { return inner_->ending(); }

private:
  std::unique_ptr<EventSource> inner_;
};

}  // namespace

std::string readable_keys(std::string_view keys) {
  std::string text;
  while (!keys.empty()) {
    const auto first = static_cast<unsigned char>(keys[0]);
    size_t length = 1;
    if (keys[0] == kEscape) {
      length += sequence_length(keys.substr(1));
      text += length == 1 ? named("Esc") : name_of_sequence(keys.substr(1, length - 1));
    } else if (first < 0x20 || first == 0x7f) {
      text += name_of_control(keys[0]);
    } else {
      length = std::max<size_t>(utf8_step(keys).length, 1);
      text += printable(keys.substr(0, length));
    }
    keys.remove_prefix(std::min(length, keys.size()));
  }
  return text;
}

std::unique_ptr<EventSource> show_keys(std::unique_ptr<EventSource> keystrokes) {
  return std::make_unique<KeySource>(std::move(keystrokes));
}

}  // namespace sallyport
