// SPDX-License-Identifier: Apache-2.0
#include "player/commands.h"
#include "player/interrupt.h"
#include "player/playback.h"
#include "player/terminal_view.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace sallyport {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array<double, 11> kSpeeds = {0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 8, 16, 32};
constexpr uint64_t kJumpUs = 5'000'000;
constexpr int kFrameMs = 33;
constexpr int kRestMs = 1000;
constexpr uint64_t kMaxStepUs = 500'000;  // a longer one was a stop (^Z), not watched time

uint64_t us_between(Clock::time_point from, Clock::time_point to) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(to - from).count());
}

class Player {
public:
  Player(Playback& playback, TerminalView& view) : playback_(playback), view_(view) {}

  Status run() {
    auto last = Clock::now();
    while (!quit_ && !interrupted()) {
      if (Status drawn = draw(); !drawn) {
        return drawn;
      }
      const Key key = view_.key(wait_ms());
      const auto now = Clock::now();
      if (playing_) {
        if (Status moved = playback_.advance(std::min(us_between(last, now), kMaxStepUs)); !moved) {
          return moved;
        }
        playing_ = !playback_.at_end();
      }
      last = now;
      if (Status handled = handle(key); !handled) {
        return handled;
      }
      if (jumped_) {
        last = Clock::now();
        jumped_ = false;
      }
    }
    return ok();
  }

private:
  int wait_ms() {
    if (!playing_) {
      return kRestMs;
    }
    const auto wait = std::min<uint64_t>(playback_.wait_us() / 1000, 250);
    return std::max(static_cast<int>(wait), kFrameMs);
  }

  BarState bar() {
    BarState state;
    state.position_us = playback_.position_us();
    state.duration_us = playback_.duration_us();
    state.start_ms = playback_.facts().start_ms;
    state.speed = playback_.speed();
    state.playing = playing_;
    state.at_end = playback_.at_end();
    state.skips_idle = playback_.skips_idle();
    state.idle_us = playback_.idle_us();
    state.note = playback_.note();
    return state;
  }

  Status draw() {
    const Result<Picture> picture = playback_.picture();
    if (!picture) {
      return picture.error();
    }
    view_.draw(*picture, bar());
    return ok();
  }

  Status handle(Key key) {
    if (view_.shows_help() && key != Key::none && key != Key::resized && key != Key::quit) {
      view_.show_help(false);
      return ok();
    }
    switch (key) {
      case Key::pause:
        return toggle();
      case Key::step:
        playing_ = false;
        return playback_.step();
      case Key::slower:
      case Key::faster:
        change_speed(key == Key::faster);
        break;
      case Key::back: {
        const uint64_t now = playback_.position_us();
        return jump(now > kJumpUs ? now - kJumpUs : 0);
      }
      case Key::forward:
        return jump(playback_.position_us() + kJumpUs);
      case Key::begin:
        return jump(0);
      case Key::end:
        return jump(UINT64_MAX);
      case Key::idle:
        playback_.skip_idle(!playback_.skips_idle());
        break;
      case Key::help:
        view_.show_help(true);
        break;
      case Key::quit:
        quit_ = true;
        break;
      case Key::view_left:
      case Key::view_right:
      case Key::view_up:
      case Key::view_down:
      case Key::view_follow:
        view_.move_view(key);
        break;
      default:
        break;
    }
    return ok();
  }

  Status toggle() {
    if (playback_.at_end() && !playing_) {
      playing_ = true;
      return jump(0);
    }
    playing_ = !playing_;
    return ok();
  }

  void change_speed(bool faster) {
    auto at = std::find(kSpeeds.begin(), kSpeeds.end(), playback_.speed());
    if (faster && at + 1 != kSpeeds.end()) {
      ++at;
    } else if (!faster && at != kSpeeds.begin()) {
      --at;
    }
    playback_.set_speed(*at);
  }

  // A key stops a long way; where it stopped is where one is.
  Status jump(uint64_t target_us) {
    jumped_ = true;
    return playback_.seek(target_us, [this](uint64_t reached_us) {
      BarState state = bar();
      state.position_us = reached_us;
      state.note = "seeking; any key stops";
      view_.draw_bar(state);
      return view_.key(0) == Key::none && !interrupted();
    });
  }

  Playback& playback_;
  TerminalView& view_;
  bool playing_ = true;
  bool jumped_ = false;
  bool quit_ = false;
};

}  // namespace

Status play(const std::string& path, const std::vector<std::string>& identity_files) {
  Result<ScreenClient> screen = ScreenClient::start();  // before there is a key to inherit
  if (!screen) {
    return screen.error();
  }
  auto source = open_source(path, identity_files, EventForm::exact);
  if (!source) {
    return source.error();
  }
  Playback playback(std::move(*source), std::move(*screen));
  if (Status started = playback.start(); !started) {
    return started;
  }
  catch_interrupts();
  TerminalView view;
  if (Status opened = TerminalView::open(view); !opened) {
    return opened;
  }
  const Status done = Player(playback, view).run();
  view.close();
  return interrupted() ? ok() : done;
}

}  // namespace sallyport
