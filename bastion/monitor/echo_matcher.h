// SPDX-License-Identifier: Apache-2.0
//
// Decides which of the keys that were typed may be recorded: those whose echo was seen. A bastion
// sees bytes in both directions and nothing else; whether the terminal echoes is the target's
// secret. So what is typed is held in memory until what the target prints shows it.
//
// The unit is the line, up to Enter (or Ctrl-C, -D, -Z, -\). It is given out whole, with all its
// control keys, when every byte of text in it was printed, in its order, after it was typed, and
// nothing else was: what else is printed beside an echo must be taken back by moving the cursor,
// as an editor of lines does behind the cursor, or follow a control key, which may print anything.
// A line of control keys alone (Up, Enter) needs some answer to each. Where one byte's echo does
// not come, the line is wiped, and what was typed of it, what follows in it and how much it was is
// told to nobody: one marker stands for all of it.
//
// So output that runs at the same time makes a line be left out rather than confirm it. What can be
// mistaken for an echo is output that begins with the very text within its time and prints nothing
// else; against a program that prints over and over the line that somebody pastes, unechoed, helps
// a memory of what was printed before.
//
// Safe before complete: a program that shows keys in its own way (a full-screen editor, a shell
// that colours the line again with each key), a line that is typed while a command still prints,
// lines pasted without a prompt's knowing of it, all these give a marker.
#pragma once

#include "bastion/monitor/output_tokens.h"
#include "bastion/monitor/typed_keys.h"
#include "shared/base/secret_bytes.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::monitor {

struct KeyEvent {
  uint64_t t_us;
  std::string keys;  // as typed, of one read; empty: something was typed and not echoed
};

class EchoMatcher {
public:
  // An echo that has not come after this time will not come.
  static constexpr std::chrono::milliseconds kEchoTime{2000};
  // Nor one of a key that was typed this long before another one, and is still not there.
  static constexpr std::chrono::milliseconds kLead{500};
  static constexpr size_t kMaxHeldBytes = 16 * 1024;

  void typed(uint64_t t_us, std::string_view bytes);
  void printed(uint64_t t_us, std::string_view bytes);
  // What waits for an echo that is due is given up.
  void pass_time(uint64_t t_us);
  void finish();

  bool waits() const { return waits_since().has_value(); }
  // In order, also of time.
  std::vector<KeyEvent> take() { return std::exchange(events_, {}); }

private:
  struct Read {
    size_t end;  // in held_
    uint64_t t_us;
  };
  void take_key(uint64_t t_us, KeyKind kind, std::string_view bytes);
  void take_token(const OutputToken& token);
  void take_text(char c);
  void take_newline();
  void confirm();
  void settle_space();
  void commit();
  void give_out(size_t size);
  void give_up();
  void mark(uint64_t t_us);
  void hold(uint64_t t_us, KeyKind kind, std::string_view bytes);
  void forget(size_t size);
  void remember(std::string_view shown);
  void advance();

  bool all_confirmed() const { return next_ == size_; }
  bool may_print_anything() const;
  bool was_printed_before(size_t line_end) const;
  bool may_be_another_line(size_t line_end) const;
  bool has_text(size_t line_end) const;
  std::optional<size_t> line_end() const;
  uint64_t time_of(size_t at) const;
  std::optional<uint64_t> waits_since() const;

  SecretBytes held_{kMaxHeldBytes};
  size_t size_ = 0;             // of held_ that is in use
  std::vector<KeyKind> kinds_;  // of each byte
  std::vector<Read> reads_;
  size_t next_ = 0;  // the first byte of text whose echo has not come

  OutputTokens splitter_;
  std::vector<OutputToken> tokens_;
  int column_ = 0;            // of the cursor, counted from behind the last echo
  bool space_ahead_ = false;  // a space was printed there: the end of a row, if CR follows
  bool in_ignored_character_ = false;
  bool newline_owed_ = false;  // the echo of an Enter
  bool answer_owed_ = false;   // to a control key
  bool is_deaf_ = false;       // one got none
  bool is_in_one_go_ = false;  // a key was typed before the echo of the one before
  bool is_lost_ = false;       // the rest of this line is not held either

  std::string before_;  // what was printed and is no echo, one line or read after the other
  std::vector<KeyEvent> events_;
  bool is_marked_ = false;  // the last event is the marker
  uint64_t given_up_us_ = 0;
};

}  // namespace sallyport::monitor
