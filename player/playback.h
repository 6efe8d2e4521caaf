// SPDX-License-Identifier: Apache-2.0
//
// Time: which events have been shown, and how to be at another moment quickly. The emulator keeps
// keyframes (exact copies of its state) about every megabyte of output; going somewhere is going
// back to the last keyframe before it and emulating the rest.
#pragma once

#include "player/event_source.h"
#include "player/feeding.h"
#include "player/screen_client.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sallyport {

class Playback {
public:
  // Called now and then during a long way with the time reached; false stops there.
  using Progress = std::function<bool(uint64_t reached_us)>;

  Playback(std::unique_ptr<EventSource> source, ScreenClient screen);

  Status start();
  // `elapsed_us` of the auditor's time go by. Does as much as fits in one frame.
  Status advance(uint64_t elapsed_us);
  Status seek(uint64_t target_us, const Progress& progress);
  Status seek_end(const Progress& progress) { return seek(UINT64_MAX, progress); }
  Status step();  // the next event that shows something
  Result<Picture> picture();

  const SourceFacts& facts() const { return source_->facts(); }
  uint64_t position_us() const { return now_us_; }
  uint64_t duration_us() const;  // as far as known
  bool at_end() const { return ended_; }
  // How long nothing happens from here, when that is longer than the idle limit; else 0.
  uint64_t idle_us();
  // Of the auditor's time, until something happens.
  uint64_t wait_us();
  const std::string& note() const { return note_; }
  uint32_t restarts() const { return restarts_; }

  void set_speed(double speed) { speed_ = speed; }
  double speed() const { return speed_; }
  void skip_idle(bool on) { skip_idle_ = on; }
  bool skips_idle() const { return skip_idle_; }

private:
  struct Keyframe {
    uint64_t time_us;
    uint32_t mark;
    uint32_t slot;
    ReturnAdder returns;
    uint64_t fed_bytes;
  };
  enum class Pace { one_frame, all };

  const AsciicastEvent* peek();
  Status apply_until(uint64_t target_us, Pace pace, const Progress& progress);
  void apply(const AsciicastEvent& event);
  void output(const std::string& data);
  void flush();
  void resize(const std::string& size);
  Status rewind();
  Status go_back_to(uint64_t target_us);
  void keep_keyframe();
  void thin_keyframes();
  size_t keyframe_bytes() const;
  void check(const Status& sent);
  Status repair();

  std::unique_ptr<EventSource> source_;
  ScreenClient screen_;
  std::vector<AsciicastEvent> batch_;
  size_t next_ = 0;
  bool ended_ = false;  // nothing comes after what has been applied
  uint64_t now_us_ = 0;
  uint64_t applied_us_ = 0;  // time of the last event applied
  uint64_t seen_us_ = 0;     // the last time seen in any event
  int columns_ = 80;
  int rows_ = 24;
  ReturnAdder returns_;
  std::string pending_;  // output on its way to the emulator
  uint64_t fed_bytes_ = 0;

  std::vector<Keyframe> keyframes_;  // by time
  uint32_t next_slot_ = 0;
  uint64_t spacing_bytes_;

  double speed_ = 1;
  bool skip_idle_ = true;
  std::string note_;
  bool lost_ = false;  // the emulator was restarted and the screen is incomplete
  uint32_t restarts_ = 0;
};

}  // namespace sallyport
