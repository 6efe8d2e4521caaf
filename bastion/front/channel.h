// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/front/channels.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::front {

// One channel of the user's connection, and what libssh calls back for it. In callbacks it only
// marks; Channels acts outside of them.
struct Channels::Channel {
  // `session`: it takes requests, and a refusal is told on it.
  Channel(ssh_channel channel, uint32_t its_number, bool session, Channels& its_owner);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  static Channel& self(void* userdata);
  static int on_data(ssh_session, ssh_channel, void* data, uint32_t size, int extended,
                     void* userdata) noexcept;
  static void on_eof(ssh_session, ssh_channel, void* userdata) noexcept;
  static void on_close(ssh_session, ssh_channel, void* userdata) noexcept;
  static void on_signal(ssh_session, ssh_channel, const char* name, void* userdata) noexcept;
  static void on_agent_request(ssh_session, ssh_channel, void* userdata) noexcept;

  ssh_channel handle;
  uint32_t number;
  bool is_session;
  Channels& owner;
  ssh_channel_callbacks_struct callbacks{};
  ChannelIntake intake;
  ChannelOutlet outlet;
  // Requests before the start, whose answers wait for what the target says to them; in order. Not
  // for long where the client waits for an answer before it asks for the start.
  struct Held {
    SshMessage message;
    bool refused;
  };
  std::vector<Held> held;
  std::chrono::steady_clock::time_point held_since;
  SshMessage start;         // shell, exec or subsystem, waiting for the target
  ForwardOpen opening;      // while `is_opening`: what the user's side is asked to open
  bool is_opening = false;  // the client has not answered yet
  bool has_terminal = false;
  bool announced = false;  // the monitor knows of it
  bool started = false;
  bool ended = false;  // nothing more goes to the monitor
  bool had_input = false;
  bool client_eof = false;
  bool eof_sent = false;
  bool client_closed = false;
  bool reader_left = false;  // of its standard output, while its input goes on
  // Since when the program writes what nobody reads, without taking more input.
  std::optional<std::chrono::steady_clock::time_point> unread_since;
  bool close_told = false;  // to the monitor
  bool gone = false;
};

}  // namespace sallyport::front
