// SPDX-License-Identifier: Apache-2.0
//
// Bytes that come out of an SSH channel go to the next process under credit. What the credit does
// not cover stays in libssh's buffer and closes the channel's window: that is the back-pressure.
//
// A remainder is taken out of libssh whole or not at all: 0.10.6 opens the window again at every
// partial read, however much it still holds (1 KB pieces let a peer send 262 MiB).
#pragma once

#include "shared/ipc/peer.h"
#include "shared/ssh/handles.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

class ChannelIntake {
public:
  // `streams`: what this side reads, [0] ordinary and [1] extended data (stderr).
  ChannelIntake(ssh_channel channel, uint32_t number, std::vector<Stream> streams, Peer& peer)
      : channel_(channel),
        number_(number),
        streams_(std::move(streams)),
        peer_(peer),
        held_(streams_.size()) {}

  // libssh's data callback: how many bytes were taken. Gathers packets to larger messages; pump()
  // has to follow. Sends to our peer only, never to libssh.
  int on_data(const void* data, uint32_t size, bool extended) noexcept;
  void add_credit(uint32_t bytes) { credit_ += bytes; }
  void open() { open_ = true; }  // before this nothing is taken
  void discard();                // from now on everything is taken and dropped
  // Outside of callbacks: sends what came, and what credit allows of what was held back.
  void pump();
  // Nothing is held here or in libssh: an end of file may be passed on.
  bool drained() const;
  // The peer sent more than its window (0.10.6 does not enforce it), or our own peer is gone.
  bool broken() const { return broken_; }

private:
  size_t gather(const uint8_t* data, size_t size, Stream stream);
  void send_gathered();
  void pump_stream(size_t index);
  bool take_remainder(size_t index);

  ssh_channel channel_;
  uint32_t number_;
  std::vector<Stream> streams_;
  Peer& peer_;
  struct Held {
    std::vector<uint8_t> bytes;
    size_t offset = 0;
    bool empty() const { return offset == bytes.size(); }
  };
  std::vector<Held> held_;
  std::vector<uint8_t> gathered_;  // paid for with credit; before what is held
  Stream gathered_stream_ = Stream::input;
  bool sent_since_pump_ = false;
  uint64_t credit_ = kInitialCredit;
  bool open_ = false;
  bool discard_ = false;
  bool broken_ = false;
};

}  // namespace sallyport
