// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/back/channels.h"
#include "shared/base/printable.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::back {

inline constexpr size_t kMaxSignalBytes = 64;

// One channel at the target, and what libssh calls back for it. In callbacks it only marks;
// Channels acts outside of them.
struct Channels::Channel {
  enum class Step {
    collecting,
    opening,
    terminal,
    x11,
    agent,
    environment,
    starting,
    running,
    over
  };

  // A handle that libssh has made already, or a new one.
  Channel(ssh_channel channel, uint32_t its_number, Peer& monitor)
      : handle(channel),
        number(its_number),
        intake(handle, its_number, {Stream::output, Stream::error}, monitor),
        outlet(handle, its_number, true, monitor) {
    ssh_callbacks_init(&callbacks);
    callbacks.userdata = this;
    callbacks.channel_data_function = on_data;
    callbacks.channel_eof_function = on_eof;
    callbacks.channel_close_function = on_close;
    callbacks.channel_exit_status_function = on_exit_status;
    callbacks.channel_exit_signal_function = on_exit_signal;
    ssh_set_channel_callbacks(handle, &callbacks);
  }

  static Channel& self(void* userdata) { return *static_cast<Channel*>(userdata); }
  static int on_data(ssh_session, ssh_channel, void* data, uint32_t size, int extended,
                     void* userdata) noexcept {
    if (self(userdata).user_closed && !self(userdata).unread_since) {
      self(userdata).unread_since = std::chrono::steady_clock::now();
    }
    return self(userdata).intake.on_data(data, size, extended != 0);
  }
  static void on_eof(ssh_session, ssh_channel, void* userdata) noexcept {
    self(userdata).target_eof = true;
  }
  static void on_close(ssh_session, ssh_channel, void* userdata) noexcept {
    self(userdata).target_closed = true;
  }
  static void on_exit_status(ssh_session, ssh_channel, int status, void* userdata) noexcept {
    self(userdata).exit_status = static_cast<uint32_t>(status);
  }
  static void on_exit_signal(ssh_session, ssh_channel, const char* name, int core, const char* text,
                             const char*, void* userdata) noexcept {
    const std::string_view cut = std::string_view(name == nullptr ? "" : name);
    self(userdata).exit_signal =
        ChannelExitSignal{self(userdata).number, std::string(cut.substr(0, kMaxSignalBytes)),
                          core != 0, printable(text == nullptr ? "" : text)};
  }

  ssh_channel handle;
  uint32_t number;
  ssh_channel_callbacks_struct callbacks{};
  ChannelIntake intake;
  ChannelOutlet outlet;
  Step step = Step::collecting;
  std::optional<ChannelPty> pty;
  std::optional<ChannelX11> x11;
  bool wants_agent = false;
  bool no_terminal = false;  // the target has refused it
  bool no_x11 = false;
  std::vector<ChannelEnv> environment;
  size_t next_variable = 0;
  ChannelStart start;
  std::optional<ForwardOpen> forward;  // instead of all these
  bool is_session = true;
  std::optional<uint32_t> exit_status;
  std::optional<ChannelExitSignal> exit_signal;
  bool target_eof = false;
  bool target_closed = false;
  bool eof_reported = false;
  bool end_reported = false;
  bool user_closed = false;
  // Since when the program writes what nobody reads, without taking more of `input_left`.
  std::optional<std::chrono::steady_clock::time_point> unread_since;
  size_t input_left = 0;
};

}  // namespace sallyport::back
