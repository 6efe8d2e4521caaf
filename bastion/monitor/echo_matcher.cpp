// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/echo_matcher.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace sallyport::monitor {

namespace {

using Kind = OutputToken::Kind;

constexpr int kMaxColumns = 10'000;
constexpr size_t kMaxBefore = 8 * 1024;
// Lines that are given up one after the other within this time are one stretch: the lines of a
// pasted key are not counted by their markers.
constexpr uint64_t kOneStretchUs = 1'000'000;

constexpr uint64_t us(std::chrono::milliseconds time) {
  return static_cast<uint64_t>(std::chrono::microseconds(time).count());
}

bool ends_line(KeyKind kind) {
  return kind == KeyKind::enter || kind == KeyKind::interrupt;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

// --- what is typed

void EchoMatcher::typed(uint64_t t_us, std::string_view bytes) {
  if (const auto since = waits_since(); since && t_us > *since + us(kLead)) {
    give_up();
  }
  is_deaf_ = is_deaf_ || answer_owed_;
  while (!bytes.empty()) {
    const TypedKey key = first_key(bytes);
    take_key(t_us, key.kind, bytes.substr(0, key.size));
    bytes.remove_prefix(key.size);
  }
}

void EchoMatcher::take_key(uint64_t t_us, KeyKind kind, std::string_view bytes) {
  if (is_lost_) {
    given_up_us_ = t_us;
    is_lost_ = !ends_line(kind);
    return;
  }
  if (size_ + bytes.size() > kMaxHeldBytes && all_confirmed()) {
    give_out(size_);
  }
  const bool is_overprinted = kind != KeyKind::control && !may_print_anything() &&
                              all_confirmed() && (column_ > 0 || space_ahead_);
  if (kind == KeyKind::hidden || size_ + bytes.size() > kMaxHeldBytes || is_overprinted) {
    size_ > 0 ? give_up() : mark(t_us);
    given_up_us_ = t_us;
    is_lost_ = !ends_line(kind);
    return;
  }
  if (may_print_anything()) {
    column_ = 0;
    space_ahead_ = false;
  }
  hold(t_us, kind, bytes);
  answer_owed_ = answer_owed_ || kind == KeyKind::control || kind == KeyKind::interrupt;
  if (ends_line(kind)) {
    commit();
  }
}

void EchoMatcher::hold(uint64_t t_us, KeyKind kind, std::string_view bytes) {
  is_in_one_go_ = is_in_one_go_ || !all_confirmed();
  std::memcpy(held_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  kinds_.insert(kinds_.end(), bytes.size(), kind);
  if (reads_.empty() || reads_.back().t_us != t_us) {
    reads_.push_back({size_, t_us});
  }
  reads_.back().end = size_;
  advance();
}

// To the next byte of text.
void EchoMatcher::advance() {
  while (next_ < size_ && kinds_[next_] != KeyKind::text) {
    ++next_;
  }
}

// --- what is printed

void EchoMatcher::printed(uint64_t t_us, std::string_view bytes) {
  pass_time(t_us);
  if (bytes.empty()) {
    return;
  }
  answer_owed_ = false;
  commit();
  remember("\n");
  tokens_.clear();
  splitter_.split(bytes, tokens_);
  for (const OutputToken& token : tokens_) {
    take_token(token);
  }
}

void EchoMatcher::take_token(const OutputToken& token) {
  if (token.kind == Kind::to_margin) {
    space_ahead_ = false;  // it was the end of a row
    return;
  }
  settle_space();
  switch (token.kind) {
    case Kind::text:
      if (size_ == 0) {
        return remember(token.text);
      }
      std::for_each(token.text.begin(), token.text.end(), [this](char c) { take_text(c); });
      break;
    case Kind::newline:
      take_newline();
      break;
    case Kind::move:
      column_ = std::clamp(column_ + token.columns, -kMaxColumns, kMaxColumns);
      break;
    case Kind::erase:
      column_ = std::max(column_, 0);
      break;
    case Kind::new_screen:
      is_lost_ = false;
      break;
    default:
      break;
  }
}

void EchoMatcher::settle_space() {
  if (!std::exchange(space_ahead_, false)) {
    return;
  }
  if (all_confirmed()) {
    ++column_;
  } else {
    give_up();
  }
}

void EchoMatcher::take_text(char c) {
  settle_space();
  if (is_continuation(c) && in_ignored_character_) {
    return remember({&c, 1});
  }
  in_ignored_character_ = true;
  if (size_ == 0) {
    return remember({&c, 1});
  }
  if (column_ < 0) {  // what stands there is printed once more
    ++column_;
    return;
  }
  if (!all_confirmed() && column_ == 0 && static_cast<char>(held_.data()[next_]) == c) {
    in_ignored_character_ = false;
    newline_owed_ = false;
    return confirm();
  }
  remember({&c, 1});
  if (may_print_anything()) {
    return;
  }
  const bool is_space = c == ' ' && column_ == 0;
  const bool may_be_tab = !all_confirmed() && next_ > 0 && kinds_[next_ - 1] == KeyKind::control;
  if (is_space && may_be_tab) {
    return;
  }
  if (is_space) {
    space_ahead_ = true;
  } else if (all_confirmed()) {
    ++column_;
  } else {
    give_up();
  }
}

void EchoMatcher::confirm() {
  const size_t after = ++next_;
  advance();
  if (next_ != after || all_confirmed()) {
    commit();
  }
}

void EchoMatcher::take_newline() {
  remember("\n");
  if (std::exchange(newline_owed_, false) || size_ == 0 || may_print_anything()) {
    return;
  }
  give_up();
}

// After a control key, and between lines.
bool EchoMatcher::may_print_anything() const {
  return all_confirmed() && (size_ == 0 || kinds_[size_ - 1] != KeyKind::text);
}

void EchoMatcher::remember(std::string_view shown) {
  if (shown == "\n" && (before_.empty() || before_.ends_with('\n'))) {
    return;
  }
  before_ += shown.substr(shown.size() - std::min(shown.size(), kMaxBefore));
  if (before_.size() > 2 * kMaxBefore) {
    before_.erase(0, before_.size() - kMaxBefore);
  }
}

// --- lines

std::optional<size_t> EchoMatcher::line_end() const {
  const auto end = std::find_if(kinds_.begin(), kinds_.end(), ends_line);
  return end == kinds_.end() ? std::nullopt
                             : std::optional(static_cast<size_t>(end - kinds_.begin()));
}

bool EchoMatcher::has_text(size_t line_end) const {
  const auto end = kinds_.begin() + static_cast<std::ptrdiff_t>(line_end);
  return std::find(kinds_.begin(), end, KeyKind::text) != end;
}

// As a line of its own, or in a read of its own.
bool EchoMatcher::was_printed_before(size_t line_end) const {
  for (size_t start = 0; start < before_.size();
       start = std::min(before_.find('\n', start), before_.size() - 1) + 1) {
    size_t at = start;
    bool same = true;
    for (size_t i = 0; i < line_end && same; ++i) {
      if (kinds_[i] == KeyKind::text) {
        same = at < before_.size() && before_[at] == static_cast<char>(held_.data()[i]);
        ++at;
      }
    }
    if (same && (at == before_.size() || before_[at] == '\n')) {
      return true;
    }
  }
  return false;
}

// The echo of keys that were typed in one go comes in one piece, as another program's line does.
bool EchoMatcher::may_be_another_line(size_t line_end) const {
  return is_in_one_go_ && has_text(line_end) && was_printed_before(line_end);
}

void EchoMatcher::commit() {
  for (auto end = line_end(); end && next_ > *end; end = line_end()) {
    const KeyKind kind = kinds_[*end];
    const bool is_text = has_text(*end);
    if (!is_text && !(kind == KeyKind::enter && *end == 0)) {
      if (answer_owed_ && !is_deaf_) {
        return;
      }
      if (is_deaf_) {
        return give_up();
      }
    }
    if (may_be_another_line(*end)) {
      return give_up();
    }
    give_out(*end + 1);
    newline_owed_ = kind == KeyKind::enter;
  }
}

void EchoMatcher::give_out(size_t size) {
  size_t from = 0;
  for (const Read& read : reads_) {
    const size_t to = std::min(read.end, size);
    if (to > from) {
      events_.push_back({read.t_us, std::string(held_.view().substr(from, to - from))});
    }
    from = std::max(from, to);
  }
  is_marked_ = false;
  forget(size);
}

// All that is held, and the rest of the line.
void EchoMatcher::give_up() {
  if (size_ == 0) {
    return;
  }
  mark(reads_.front().t_us);
  given_up_us_ = reads_.back().t_us;
  is_lost_ = !ends_line(kinds_[size_ - 1]);
  newline_owed_ = false;
  forget(size_);
}

void EchoMatcher::mark(uint64_t t_us) {
  if (!is_marked_ || t_us > given_up_us_ + kOneStretchUs) {
    events_.push_back({t_us, ""});
  }
  is_marked_ = true;
}

void EchoMatcher::forget(size_t size) {
  uint8_t* held = held_.data();
  std::memmove(held, held + size, size_ - size);
  OPENSSL_cleanse(held + (size_ - size), size);
  size_ -= size;
  next_ = std::max(next_, size) - size;
  kinds_.erase(kinds_.begin(), kinds_.begin() + static_cast<std::ptrdiff_t>(size));
  std::erase_if(reads_, [size](const Read& read) { return read.end <= size; });
  for (Read& read : reads_) {
    read.end -= size;
  }
  is_deaf_ = false;
  is_in_one_go_ = is_in_one_go_ && size_ > 0;
  answer_owed_ = answer_owed_ && size_ > 0;
  column_ = 0;
  space_ahead_ = false;
}

// --- time

uint64_t EchoMatcher::time_of(size_t at) const {
  const auto read =
      std::find_if(reads_.begin(), reads_.end(), [at](const Read& one) { return at < one.end; });
  return read == reads_.end() ? 0 : read->t_us;
}

// A line that is open and echoed so far waits for its user.
std::optional<uint64_t> EchoMatcher::waits_since() const {
  if (!all_confirmed()) {
    return time_of(next_);
  }
  const auto end = line_end();
  return end ? std::optional(time_of(*end)) : std::nullopt;
}

void EchoMatcher::pass_time(uint64_t t_us) {
  if (const auto since = waits_since(); since && t_us > *since + us(kEchoTime)) {
    give_up();
  }
}

void EchoMatcher::finish() {
  const bool is_answered = has_text(size_) || !(answer_owed_ || is_deaf_);
  if (waits() || !is_answered || may_be_another_line(size_) ||
      (column_ > 0 && !may_print_anything())) {
    give_up();
  } else if (size_ > 0) {
    give_out(size_);
  }
}

}  // namespace sallyport::monitor
