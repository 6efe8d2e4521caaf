// SPDX-License-Identifier: Apache-2.0
#include "player/playback.h"

#include "player/interrupt.h"
#include "shared/base/printable.h"

#include <algorithm>
#include <chrono>

namespace sallyport {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kIdleUs = 2'000'000;
constexpr auto kFrameTime = std::chrono::milliseconds(30);
constexpr auto kProgressTime = std::chrono::milliseconds(100);
constexpr uint64_t kFirstSpacingBytes = 1024 * 1024;
constexpr size_t kKeyframeMemory = 192 * 1024 * 1024;
constexpr size_t kFlushBytes = kMaxFeedBytes;
constexpr uint32_t kMaxRestarts = 50;
// How often a long way looks at the clock. A hostile 16 KiB can cost seconds.
constexpr size_t kEventsPerLook = 64;
constexpr uint64_t kBytesPerLook = 16 * 1024;

}  // namespace

Playback::Playback(std::unique_ptr<EventSource> source, ScreenClient screen)
    : source_(std::move(source)), screen_(std::move(screen)), spacing_bytes_(kFirstSpacingBytes) {}

Status Playback::start() {
  return rewind();
}

uint64_t Playback::duration_us() const {
  return std::max(facts().duration_us.value_or(0), seen_us_);
}

// The emulator has died or misbehaved: another one takes over with an empty screen.
void Playback::check(const Status& sent) {
  if (sent || restarts_ >= kMaxRestarts || interrupted()) {
    return;
  }
  ++restarts_;
  lost_ = true;
  keyframes_.clear();
  note_ = sent.error().message + ": restarted";
  if (auto fresh = ScreenClient::start()) {
    screen_ = std::move(*fresh);
    (void)screen_.reset(columns_, rows_);
  }
}

// After a restart the way here is gone once more from the beginning; if it fails again on the way,
// something in the recording does it, and the screen stays as the next emulator has it from there.
Status Playback::repair() {
  if (!lost_) {
    return ok();
  }
  if (restarts_ >= kMaxRestarts) {
    return Error{Errc::internal, "the terminal emulator fails again and again"};
  }
  const uint32_t before = restarts_;
  const std::string what = note_;
  const uint64_t target = now_us_;
  const bool was_at_end = ended_;
  if (Status back = rewind(); !back) {
    return back;
  }
  if (Status there = apply_until(was_at_end ? UINT64_MAX : target, Pace::all, nullptr); !there) {
    return there;
  }
  now_us_ = target;
  lost_ = false;
  note_ = restarts_ == before ? what : "the emulator failed here: the screen begins empty after it";
  return ok();
}

Status Playback::rewind() {
  if (Status back = source_->return_to(0); !back) {
    return back;
  }
  batch_.clear();
  next_ = 0;
  ended_ = false;
  pending_.clear();
  fed_bytes_ = 0;
  now_us_ = applied_us_ = 0;
  returns_ = {};
  columns_ = facts().columns;
  rows_ = facts().rows;
  check(screen_.reset(columns_, rows_));
  return ok();
}

const AsciicastEvent* Playback::peek() {
  while (next_ == batch_.size() && !ended_) {
    keep_keyframe();
    batch_.clear();
    next_ = 0;
    const Result<bool> more = source_->next(batch_);
    if (!more) {
      note_ = more.error().message;
    } else if (!*more && !source_->ending().empty()) {
      note_ = source_->ending();
    }
    ended_ = !more || (!*more && batch_.empty());
  }
  if (next_ == batch_.size()) {
    return nullptr;
  }
  seen_us_ = std::max(seen_us_, batch_[next_].time_us);
  return &batch_[next_];
}

void Playback::keep_keyframe() {
  const bool due = keyframes_.empty() ? fed_bytes_ >= spacing_bytes_
                                      : fed_bytes_ >= keyframes_.back().fed_bytes + spacing_bytes_;
  if (!due || lost_) {
    return;
  }
  const auto mark = source_->mark();
  if (!mark) {
    return;
  }
  flush();
  check(screen_.save(next_slot_));
  keyframes_.push_back({applied_us_, *mark, next_slot_++, returns_, fed_bytes_});
  thin_keyframes();
}

size_t Playback::keyframe_bytes() const {
  const auto cells = static_cast<size_t>(std::min(columns_, kMaxColumns)) *
                     static_cast<size_t>(std::min(rows_, kMaxRows));
  return 2 * cells * sizeof(Cell) + 128 * 1024;
}

void Playback::thin_keyframes() {
  if (keyframes_.size() * keyframe_bytes() < kKeyframeMemory && keyframes_.size() < kMaxKeyframes) {
    return;
  }
  spacing_bytes_ *= 2;
  std::vector<Keyframe> kept;
  for (size_t i = 0; i < keyframes_.size(); ++i) {
    if (i % 2 == 1) {
      kept.push_back(keyframes_[i]);
    } else {
      check(screen_.drop(keyframes_[i].slot));
    }
  }
  if (!lost_) {
    keyframes_ = std::move(kept);
  }
}

Status Playback::go_back_to(uint64_t target_us) {
  const auto after =
      std::upper_bound(keyframes_.begin(), keyframes_.end(), target_us,
                       [](uint64_t time, const Keyframe& k) { return time < k.time_us; });
  const bool ahead = target_us >= now_us_;
  if (after == keyframes_.begin()) {
    return ahead ? ok() : rewind();
  }
  const Keyframe keyframe = *std::prev(after);
  if (ahead && keyframe.fed_bytes <= fed_bytes_) {
    return ok();  // nearer from here
  }
  if (Status back = source_->return_to(keyframe.mark); !back) {
    return back;
  }
  batch_.clear();
  next_ = 0;
  ended_ = false;
  pending_.clear();
  fed_bytes_ = keyframe.fed_bytes;
  applied_us_ = keyframe.time_us;
  returns_ = keyframe.returns;
  check(screen_.restore(keyframe.slot));
  if (auto picture = screen_.look()) {  // the size may have been another one there
    columns_ = picture->columns;
    rows_ = picture->rows;
  }
  return ok();
}

void Playback::flush() {
  if (!pending_.empty()) {
    check(screen_.feed(pending_));
    pending_.clear();
  }
}

void Playback::output(const std::string& data) {
  fed_bytes_ += data.size();
  if (facts().has_terminal) {
    pending_ += data;
  } else {
    returns_.append(pending_, data);
  }
  if (pending_.size() >= kFlushBytes) {
    flush();
  }
}

void Playback::resize(const std::string& size) {
  const auto parsed = parse_size(size);
  if (!parsed) {
    return;
  }
  flush();
  columns_ = parsed->columns;
  rows_ = parsed->rows;
  check(screen_.resize(columns_, rows_));
}

void Playback::apply(const AsciicastEvent& event) {
  applied_us_ = event.time_us;
  switch (event.code) {
    case 'o':
      output(event.data);
      break;
    case 'r':
      resize(event.data);
      break;
    case 'x':
      note_ = "exit status " + printable(event.data, 8);
      break;
    case 'm':
      note_ = "mark: " + printable(event.data, 60);
      break;
    case kBytesNote:
      note_ = event.data;
      break;
    default:
      break;
  }
}

Status Playback::apply_until(uint64_t target_us, Pace pace, const Progress& progress) {
  const auto begin = Clock::now();
  auto reported = begin;
  uint64_t looked_at_bytes = fed_bytes_;
  for (size_t count = 1;; ++count) {
    const AsciicastEvent* event = peek();
    if (event == nullptr || event->time_us > target_us || interrupted()) {
      return ok();
    }
    apply(*event);
    ++next_;
    if (count % kEventsPerLook != 0 && fed_bytes_ - looked_at_bytes < kBytesPerLook) {
      continue;
    }
    looked_at_bytes = fed_bytes_;
    const auto now = Clock::now();
    if (pace == Pace::one_frame && now - begin > kFrameTime) {
      return ok();
    }
    if (progress && now - reported > kProgressTime) {
      reported = now;
      if (!progress(applied_us_)) {
        return ok();
      }
    }
  }
}

Status Playback::seek(uint64_t target_us, const Progress& progress) {
  note_.clear();
  if (Status back = go_back_to(target_us); !back) {
    return back;
  }
  if (Status there = apply_until(target_us, Pace::all, progress); !there) {
    return there;
  }
  const AsciicastEvent* event = peek();
  const bool stopped = event != nullptr && event->time_us <= target_us;
  now_us_ = stopped || target_us == UINT64_MAX ? applied_us_ : target_us;
  if (ended_) {
    now_us_ = std::min(target_us, duration_us());
  }
  return repair();
}

Status Playback::advance(uint64_t elapsed_us) {
  const AsciicastEvent* event = peek();
  if (event == nullptr) {
    now_us_ = std::max(now_us_, duration_us());
    return ok();
  }
  now_us_ += static_cast<uint64_t>(static_cast<double>(elapsed_us) * speed_);
  const uint64_t pause_end = applied_us_ + kIdleUs;
  if (skip_idle_ && now_us_ > pause_end && event->time_us > now_us_) {
    now_us_ = event->time_us;
  }
  if (Status done = apply_until(now_us_, Pace::one_frame, nullptr); !done) {
    return done;
  }
  event = peek();
  if (event != nullptr && event->time_us < now_us_) {
    now_us_ = applied_us_;  // too much to show in time: the clock waits
  }
  return repair();
}

Status Playback::step() {
  for (;;) {
    const AsciicastEvent* event = peek();
    if (event == nullptr) {
      now_us_ = std::max(now_us_, duration_us());
      break;
    }
    const char code = event->code;
    apply(*event);
    ++next_;
    now_us_ = applied_us_;
    if (code == 'o' || code == 'r' || code == kBytesNote) {
      break;
    }
  }
  return repair();
}

uint64_t Playback::idle_us() {
  const AsciicastEvent* event = peek();
  if (event == nullptr || event->time_us <= applied_us_ + kIdleUs) {
    return 0;
  }
  return event->time_us > now_us_ ? event->time_us - now_us_ : 0;
}

uint64_t Playback::wait_us() {
  const AsciicastEvent* event = peek();
  if (event == nullptr) {
    return UINT64_MAX;
  }
  uint64_t until = event->time_us;
  if (skip_idle_) {
    until = std::min(until, applied_us_ + kIdleUs);
  }
  return until > now_us_ ? static_cast<uint64_t>(static_cast<double>(until - now_us_) / speed_) : 0;
}

Result<Picture> Playback::picture() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    flush();
    if (Result<Picture> picture = screen_.look(); picture && !lost_) {
      return picture;
    } else if (!picture) {
      check(picture.error());
    }
    if (Status repaired = repair(); !repaired) {
      return repaired.error();
    }
  }
  return Error{Errc::internal, "the terminal emulator fails again and again"};
}

}  // namespace sallyport
