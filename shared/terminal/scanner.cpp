// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/scanner.h"

#include "shared/base/utf8.h"
#include "shared/terminal/cell.h"
#include "shared/terminal/sgr.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace sallyport {

namespace {

constexpr char32_t kReplacement = 0xfffd;
constexpr uint16_t kMaxValue = 9999;
constexpr uint8_t kSeveral = 0xff;

// DEC special graphics, 0x5f to 0x7e.
constexpr char32_t kLineDrawing[] = {
    0x00a0, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2424, 0x240b,
    0x2518, 0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c,
    0x2524, 0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7,
};

// Finals that are passed on with at most so many parameters.
int allowed_parameters(uint8_t final) {
  switch (final) {
    case 'H':
    case 'f':
    case 'r':
      return 2;
    case '@':
    case 'A':
    case 'B':
    case 'C':
    case 'D':
    case 'E':
    case 'F':
    case 'G':
    case 'I':
    case 'L':
    case 'M':
    case 'P':
    case 'S':
    case 'T':
    case 'X':
    case 'Z':
    case '`':
    case 'a':
    case 'd':
    case 'e':
    case 'j':
    case 'k':
      return 1;
    default:
      return -1;
  }
}

bool is_plain(uint8_t byte) {
  return byte >= 0x20 && byte < 0x7f;
}

}  // namespace

// Gathers what libvterm gets. A sequence is never split over two writes.
class Scanner::Output {
public:
  explicit Output(const Sink& sink) : sink_(sink) {}
  ~Output() { flush(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void append(std::string_view text) {
    if (size_ + text.size() > sizeof buffer_) {
      flush();
    }
    std::memcpy(buffer_ + size_, text.data(), text.size());
    size_ += text.size();
  }
  void append_text(std::string_view ascii) {  // may be cut anywhere
    while (!ascii.empty()) {
      if (size_ == sizeof buffer_) {
        flush();
      }
      const size_t part = std::min(ascii.size(), sizeof buffer_ - size_);
      append(ascii.substr(0, part));
      ascii.remove_prefix(part);
    }
  }
  void flush() {
    if (size_ > 0) {
      sink_({buffer_, size_});
    }
    size_ = 0;
  }

private:
  const Sink& sink_;
  size_t size_ = 0;
  char buffer_[kScannerWriteBytes];
};

void Scanner::feed(std::string_view bytes, const Sink& sink) {
  Output out(sink);
  while (!bytes.empty()) {
    size_t taken = 1;
    if (state_ == State::ground) {
      taken = ground_run(bytes, out);
    } else {
      take(static_cast<uint8_t>(bytes[0]), out);
    }
    bytes.remove_prefix(taken);
    position_ += taken;
  }
}

// Takes what can be taken at once in the ground state: a run of ASCII, one character, one control.
size_t Scanner::ground_run(std::string_view bytes, Output& out) {
  if (tail_size_ == 0 && !line_drawing_[shifted_]) {
    const auto end = std::find_if_not(bytes.begin(), bytes.end(),
                                      [](char c) { return is_plain(static_cast<uint8_t>(c)); });
    const auto run = static_cast<size_t>(end - bytes.begin());
    if (run > 0) {
      out.append_text(bytes.substr(0, run));
      last_character_ = static_cast<uint8_t>(bytes[run - 1]);
      return run;
    }
  }
  if (tail_size_ == 0 && static_cast<uint8_t>(bytes[0]) < 0x80) {
    take(static_cast<uint8_t>(bytes[0]), out);
    return 1;
  }
  // A piece of UTF-8: what was held back, and as much of the new bytes as one sequence can need.
  std::array<char, 4> piece{};
  std::copy_n(tail_.begin(), tail_size_, piece.begin());
  const size_t fresh = std::min(bytes.size(), piece.size() - tail_size_);
  std::copy_n(bytes.begin(), fresh, piece.data() + tail_size_);
  const size_t held = tail_size_;
  const Utf8Step step = utf8_step({piece.data(), held + fresh});
  if (step.kind == Utf8Step::Kind::incomplete) {
    tail_ = piece;
    tail_size_ = held + fresh;
    return fresh;
  }
  tail_size_ = 0;
  character(step.kind == Utf8Step::Kind::character ? step.character : kReplacement, out);
  // An invalid sequence may end before what was held back does not: the held bytes were a valid
  // beginning, so the byte that broke it is a new one.
  return step.length - held;
}

void Scanner::take(uint8_t byte, Output& out) {
  if (state_ == State::string || state_ == State::string_escape) {
    if (state_ == State::string_escape && byte != '\\') {
      state_ = State::escape;  // the string is over; this ESC begins something else
      intermediate_ = 0;
    } else {
      string_byte(byte);
      return;
    }
  }
  if (byte == 0x1b) {
    state_ = State::escape;
    intermediate_ = 0;
    return;
  }
  if (byte == 0x18 || byte == 0x1a) {
    state_ = State::ground;
    return;
  }
  if (byte < 0x20 || byte == 0x7f) {
    control(byte, out);
    return;
  }
  switch (state_) {
    case State::ground:
      character(byte, out);
      break;
    case State::escape:
    case State::escape_intermediate:
      escape(byte, out);
      break;
    default:
      csi(byte, out);
  }
}

void Scanner::character(char32_t c, Output& out) {
  if (c >= 0x80 && c < 0xa0) {
    c = kReplacement;
  }
  if (line_drawing_[shifted_] && c >= 0x5f && c <= 0x7e) {
    c = kLineDrawing[c - 0x5f];
  }
  last_character_ = c;
  std::string text;
  append_utf8(text, c);
  out.append(text);
}

void Scanner::control(uint8_t byte, Output& out) {
  if (byte == 0x0e || byte == 0x0f) {
    shifted_ = byte == 0x0e ? 1 : 0;
  } else if (byte >= 0x08 && byte <= 0x0d) {
    const char c = static_cast<char>(byte);
    out.append({&c, 1});
  }
}

void Scanner::escape(uint8_t byte, Output& out) {
  if (byte >= 0x80) {  // no escape sequence has such a byte
    state_ = State::ground;
    character(kReplacement, out);
    return;
  }
  if (byte >= 0x20 && byte <= 0x2f) {
    intermediate_ = intermediate_ == 0 ? byte : kSeveral;
    state_ = State::escape_intermediate;
    return;
  }
  if (intermediate_ != 0) {
    state_ = State::ground;
    const std::string_view sets = "()*+";
    const size_t set = sets.find(static_cast<char>(intermediate_));
    if (set != std::string_view::npos) {
      line_drawing_[set] = byte == '0';
    } else if (intermediate_ == '#' && byte == '8') {
      screen_pattern(out);
    }
    return;
  }
  escape_final(byte, out);
}

void Scanner::screen_pattern(Output& out) {
  out.append("\x1b[2J");
  if (position_ >= next_pattern_) {
    out.append("\x1b#8");
    next_pattern_ = position_ + kBytesPerPattern;
  }
}

void Scanner::escape_final(uint8_t byte, Output& out) {
  state_ = State::ground;
  switch (byte) {
    case '[':
      begin_csi();
      break;
    case ']':
      begin_string(true);
      break;
    case 'P':
    case 'X':
    case '^':
    case '_':
    case 'k':
      begin_string(false);
      break;
    case '7':
    case '8':
    case 'D':
    case 'E':
    case 'H':
    case 'M': {
      const char sequence[] = {0x1b, static_cast<char>(byte)};
      out.append({sequence, sizeof sequence});
      break;
    }
    case 'c':
      reset();
      modes_.alternate = false;
      out.append(
          "\x1b[?1047l\x1b[?5l\x1b"
          "c");
      break;
    default:
      break;
  }
}

void Scanner::begin_csi() {
  state_ = State::csi;
  parameters_[0] = {};
  parameter_count_ = 0;
  too_many_ = false;
  leader_ = 0;
  intermediate_ = 0;
}

void Scanner::csi(uint8_t byte, Output& out) {
  if (byte >= 0x80) {  // not a CSI sequence after all
    state_ = State::ground;
    character(kReplacement, out);
  } else if (byte <= 0x2f) {
    intermediate_ = intermediate_ == 0 ? byte : kSeveral;
  } else if (byte <= 0x3b) {
    csi_digit(byte);
  } else if (byte <= 0x3f) {
    leader_ = leader_ == 0 && parameter_count_ == 0 ? byte : kSeveral;
  } else {
    state_ = State::ground;
    csi_final(byte, out);
  }
}

void Scanner::csi_digit(uint8_t byte) {
  if (intermediate_ != 0) {
    intermediate_ = kSeveral;  // a parameter after an intermediate: malformed, to be dropped
    return;
  }
  if (parameter_count_ == 0) {
    parameter_count_ = 1;
  }
  if (byte == ';' || byte == ':') {
    if (parameter_count_ == kMaxParameters) {
      too_many_ = true;
      return;
    }
    parameters_[parameter_count_++] = {CsiParameter::kMissing, byte == ':'};
    return;
  }
  if (too_many_) {
    return;
  }
  uint16_t& value = parameters_[parameter_count_ - 1].value;
  const unsigned longer = (value == CsiParameter::kMissing ? 0U : value) * 10U + (byte - '0');
  value = static_cast<uint16_t>(std::min<unsigned>(longer, kMaxValue));
}

void Scanner::csi_final(uint8_t final, Output& out) {
  if (intermediate_ != 0) {
    csi_intermediate_final(final, out);
    return;
  }
  if (final == 'm' && leader_ == 0) {
    rewrite_sgr({parameters_.data(), parameter_count_},
                [&](std::string_view sequence) { out.append(sequence); });
    return;
  }
  if ((final == 'h' || final == 'l') && (leader_ == 0 || leader_ == '?')) {
    for (size_t i = 0; i < parameter_count_; ++i) {
      const uint16_t mode = parameters_[i].value_or(0);
      leader_ == '?' ? set_private_mode(mode, final == 'h', out)
                     : set_mode(mode, final == 'h', out);
    }
    return;
  }
  const bool erases = final == 'J' || final == 'K';
  if (leader_ == 0 || (leader_ == '?' && erases)) {
    csi_plain(final, out);
  }
}

void Scanner::csi_intermediate_final(uint8_t final, Output& out) {
  if (intermediate_ == '!' && final == 'p' && leader_ == 0) {  // DECSTR
    reset();
    out.append("\x1b[!p");
  }
}

void Scanner::csi_plain(uint8_t final, Output& out) {
  const uint16_t first = parameters_[0].value_or(0);
  const bool bare = parameter_count_ == 0;
  size_t allowed = 0;
  if (final == 'b') {
    repeat(std::max<uint16_t>(first, 1), out);
    return;
  }
  if ((final == 's' && bare && !modes_.margins) || (final == 'u' && bare)) {
    out.append(final == 's' ? "\x1b"
                              "7"
                            : "\x1b"
                              "8");
    return;
  }
  if (final == 'J' || final == 'K' || final == 'g') {
    const bool known = final == 'g' ? first == 0 || first == 3 : first <= 2;
    if (!known) {
      return;
    }
    allowed = 1;
  } else if (final == 's' && modes_.margins) {
    allowed = 2;
  } else if (allowed_parameters(final) < 0 || (final == 'T' && parameter_count_ > 1)) {
    return;
  } else {
    allowed = static_cast<size_t>(allowed_parameters(final));
  }
  std::string sequence = "\x1b[";
  for (size_t i = 0; i < std::min(allowed, parameter_count_); ++i) {
    sequence += i == 0 ? "" : ";";
    if (parameters_[i].value != CsiParameter::kMissing) {
      sequence += std::to_string(parameters_[i].value);
    }
  }
  sequence += static_cast<char>(final);
  out.append(sequence);
}

// libvterm never returns from REP as the first output, so it is done here: one line at most.
void Scanner::repeat(uint16_t count, Output& out) {
  if (last_character_ == 0) {
    return;
  }
  std::string text;
  append_utf8(text, last_character_);
  for (int i = 0; i < std::min<int>(count, kMaxColumns); ++i) {
    out.append(text);
  }
}

void Scanner::set_mode(uint16_t mode, bool on, Output& out) {
  if (mode == 4) {
    modes_.insert = on;
    out.append(on ? "\x1b[4h" : "\x1b[4l");
  } else if (mode == 20) {
    modes_.newline = on;
    out.append(on ? "\x1b[20h" : "\x1b[20l");
  }
}

void Scanner::set_private_mode(uint16_t mode, bool on, Output& out) {
  mode = mode == 47 ? 1047 : mode;
  switch (mode) {
    case 5:
    case 25:
    case 1048:
      break;
    case 6:
      modes_.origin = on;
      break;
    case 7:
      modes_.autowrap = on;
      break;
    case 69:
      modes_.margins = on;
      break;
    case 1047:
    case 1049:
      modes_.alternate = on;
      break;
    default:
      return;
  }
  out.append("\x1b[?" + std::to_string(mode) + (on ? "h" : "l"));
}

void Scanner::begin_string(bool ends_at_bell) {
  state_ = State::string;
  string_ends_at_bell_ = ends_at_bell;
  string_bytes_ = 0;
}

void Scanner::string_byte(uint8_t byte) {
  const bool terminator = state_ == State::string_escape;  // ESC was seen, and this is '\'
  const bool bell = byte == 0x07 && string_ends_at_bell_;
  if (terminator || bell || byte == 0x18 || byte == 0x1a || ++string_bytes_ > kMaxStringBytes) {
    state_ = State::ground;
  } else if (byte == 0x1b) {
    state_ = State::string_escape;
  }
}

void Scanner::reset() {
  const bool alternate = modes_.alternate;
  modes_ = {};
  modes_.alternate = alternate;
  line_drawing_ = {};
  shifted_ = 0;
}

}  // namespace sallyport
