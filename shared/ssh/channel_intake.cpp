// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/channel_intake.h"

#include "shared/base/hex.h"

#include <algorithm>

namespace sallyport {

namespace {

// Twice libssh's window: more at once means that the other side ignores it.
constexpr uint32_t kMaxBuffered = 4 * 1024 * 1024;
constexpr size_t kSmallBytes = 1024;

}  // namespace

void ChannelIntake::send_gathered() {
  sent_since_pump_ = true;
  if (!gathered_.empty() && !broken_) {
    broken_ = !peer_.send(ChannelData{number_, gathered_stream_, as_text(gathered_)});
  }
  gathered_.clear();
}

// As much as credit allows. Sent when a message is full, when another stream comes, or by pump(); a
// key that was typed does not wait.
size_t ChannelIntake::gather(const uint8_t* data, size_t size, Stream stream) {
  if (stream != gathered_stream_) {
    send_gathered();
    gathered_stream_ = stream;
  }
  size_t taken = 0;
  while (taken < size && credit_ > 0 && !broken_) {
    const size_t piece =
        std::min({size - taken, kMaxDataBytes - gathered_.size(), static_cast<size_t>(credit_)});
    gathered_.insert(gathered_.end(), data + taken, data + taken + piece);
    credit_ -= piece;
    taken += piece;
    if (gathered_.size() == kMaxDataBytes) {
      send_gathered();
    }
  }
  if (!sent_since_pump_ && gathered_.size() < kSmallBytes) {
    send_gathered();
  }
  return taken;
}

int ChannelIntake::on_data(const void* data, uint32_t size, bool extended) noexcept {
  const size_t index = extended ? 1 : 0;
  broken_ = broken_ || size > kMaxBuffered;
  if (discard_ || broken_ || index >= streams_.size()) {
    return static_cast<int>(size);
  }
  if (!open_ || !held_[index].empty()) {
    return 0;
  }
  return static_cast<int>(gather(static_cast<const uint8_t*>(data), size, streams_[index]));
}

// True when there was something.
bool ChannelIntake::take_remainder(size_t index) {
  const bool extended = index == 1;
  const int available = credit_ > 0 || discard_ ? ssh_channel_poll(channel_, extended ? 1 : 0) : 0;
  if (available <= 0) {
    return false;
  }
  Held& held = held_[index];
  held.bytes.resize(static_cast<size_t>(available));
  held.offset = 0;
  const int taken = ssh_channel_read_nonblocking(
      channel_, held.bytes.data(), static_cast<uint32_t>(available), extended ? 1 : 0);
  held.bytes.resize(discard_ ? 0 : static_cast<size_t>(std::max(taken, 0)));
  return taken > 0;
}

void ChannelIntake::pump_stream(size_t index) {
  // Until credit or bytes run out: nothing else might ever wake us for the rest.
  Held& held = held_[index];
  if (discard_) {
    held = {};
  }
  while (held.empty() ? take_remainder(index) : credit_ > 0 && !broken_) {
    held.offset +=
        gather(held.bytes.data() + held.offset, held.bytes.size() - held.offset, streams_[index]);
    if (held.empty()) {
      held = {};
    }
  }
}

void ChannelIntake::pump() {
  if (!open_ && !discard_) {
    return;
  }
  for (size_t index = 0; index < streams_.size(); ++index) {
    pump_stream(index);
  }
  send_gathered();
  sent_since_pump_ = false;
}

void ChannelIntake::discard() {
  discard_ = true;
  gathered_.clear();
}

bool ChannelIntake::drained() const {
  if (!gathered_.empty()) {
    return false;
  }
  for (size_t index = 0; index < streams_.size(); ++index) {
    if (!held_[index].empty() || ssh_channel_poll(channel_, index == 1 ? 1 : 0) > 0) {
      return false;
    }
  }
  return true;
}

}  // namespace sallyport
