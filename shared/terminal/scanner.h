// SPDX-License-Identifier: Apache-2.0
//
// Our own parser in front of libvterm (R12). What a hostile program prints reaches libvterm only in
// a form that libvterm can hold, whatever its version:
//
//  * complete, valid UTF-8; an invalid byte and a C1 character come out as U+FFFD;
//  * CSI sequences from a list, at most 14 parameters of at most 4 digits, one mode at a time;
//  * no strings: OSC, DCS, APC, PM, SOS and `ESC k` end here, and keep no memory while they run;
//  * no queries, so there is nothing to reply;
//  * DECALN fills the screen once in 4 KiB, more often it only wipes it: three bytes would make
//    libvterm draw 100 000 cells, and an export write as many letters;
//  * REP is expanded to at most one line; charsets are translated here and never designated;
//  * sink writes of at most 4 KiB that end between sequences.
//
// SGR is rewritten (sgr.h). CSI s and u become ESC 7 and ESC 8, mode 47 becomes 1047.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace sallyport {

inline constexpr size_t kScannerWriteBytes = 4096;

// One CSI parameter; `missing` when nothing stood between two separators.
struct CsiParameter {
  static constexpr uint16_t kMissing = 0xffff;
  uint16_t value = kMissing;
  bool is_sub = false;  // it followed a colon
  uint16_t value_or(uint16_t fallback) const { return value == kMissing ? fallback : value; }
};

// Modes that outlive a rebuild of the emulator behind (a resize).
struct TerminalModes {
  bool autowrap = true;
  bool origin = false;
  bool insert = false;
  bool newline = false;
  bool margins = false;
  bool alternate = false;
};

// Keeps only fixed-size state between calls and may be copied (a keyframe does). Never fails.
class Scanner {
public:
  using Sink = std::function<void(std::string_view)>;

  void feed(std::string_view bytes, const Sink& sink);
  const TerminalModes& modes() const { return modes_; }

private:
  enum class State : uint8_t { ground, escape, escape_intermediate, csi, string, string_escape };
  class Output;

  static constexpr size_t kMaxParameters = 32;
  // A string is swallowed up to here. More is no string but an attempt to hide what follows.
  static constexpr uint32_t kMaxStringBytes = 4 * 1024 * 1024;
  static constexpr uint64_t kBytesPerPattern = 4096;

  void screen_pattern(Output& out);
  size_t ground_run(std::string_view bytes, Output& out);
  void take(uint8_t byte, Output& out);
  void escape(uint8_t byte, Output& out);
  void escape_final(uint8_t byte, Output& out);
  void begin_csi();
  void csi(uint8_t byte, Output& out);
  void csi_digit(uint8_t byte);
  void csi_final(uint8_t final, Output& out);
  void csi_intermediate_final(uint8_t final, Output& out);
  void csi_plain(uint8_t final, Output& out);
  void begin_string(bool ends_at_bell);
  void string_byte(uint8_t byte);
  void control(uint8_t byte, Output& out);
  void character(char32_t c, Output& out);
  void repeat(uint16_t count, Output& out);
  void set_mode(uint16_t mode, bool on, Output& out);
  void set_private_mode(uint16_t mode, bool on, Output& out);
  void reset();

  State state_ = State::ground;
  TerminalModes modes_;
  std::array<CsiParameter, kMaxParameters> parameters_{};
  size_t parameter_count_ = 0;
  bool too_many_ = false;
  uint8_t leader_ = 0;        // '<', '=', '>' or '?'; 0 for none
  uint8_t intermediate_ = 0;  // the last one; kSeveral when there were more
  bool string_ends_at_bell_ = false;
  uint32_t string_bytes_ = 0;
  std::array<bool, 4> line_drawing_{};  // G0 to G3 hold the DEC graphics set
  uint8_t shifted_ = 0;                 // which of them is in use: 0 or 1
  char32_t last_character_ = 0;         // for REP
  std::array<char, 4> tail_{};          // an unfinished UTF-8 sequence
  size_t tail_size_ = 0;
  uint64_t position_ = 0;      // bytes taken so far
  uint64_t next_pattern_ = 0;  // where DECALN may draw again
};

}  // namespace sallyport
