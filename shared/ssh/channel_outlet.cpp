// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/channel_outlet.h"

#include <algorithm>

namespace sallyport {

namespace {

// A message for every few bytes would cost more than the bytes: credit goes back in lumps.
constexpr uint32_t kCreditLump = 64 * 1024;

}  // namespace

void ChannelOutlet::push_data(Stream stream, std::string_view bytes) {
  if (queue_.empty() && !discard_) {
    bytes.remove_prefix(write_some(stream == Stream::error, bytes));
  }
  if (bytes.empty()) {
    return;
  }
  queued_bytes_ += bytes.size();
  queue_.push_back({stream == Stream::error ? Kind::error : Kind::data, std::string(bytes)});
}

void ChannelOutlet::push_exit_status(uint32_t status) {
  Item item{Kind::exit_status};
  item.status = status;
  queue_.push_back(std::move(item));
}

void ChannelOutlet::push_exit_signal(const std::string& name, bool core, const std::string& text) {
  Item item{Kind::exit_signal, name};
  item.core = core;
  item.text = text;
  queue_.push_back(std::move(item));
}

void ChannelOutlet::give_credit(uint32_t bytes) {
  owed_credit_ += bytes;
  if (owed_credit_ >= kCreditLump) {
    // A peer that is gone is noticed where we read from it.
    (void)peer_.send(ChannelCredit{number_, input_, owed_credit_});
    owed_credit_ = 0;
  }
}

ChannelOutlet::Step ChannelOutlet::write_data(Item& item) {
  if (discard_) {
    const size_t left = item.bytes.size() - item.offset;
    queued_bytes_ -= left;
    give_credit(static_cast<uint32_t>(left));
    return Step::done;
  }
  const size_t left = item.bytes.size() - item.offset;
  const size_t written =
      write_some(item.kind == Kind::error, std::string_view(item.bytes).substr(item.offset));
  item.offset += written;
  queued_bytes_ -= written;
  return broken_ ? Step::broken : written == left ? Step::done : Step::blocked;
}

// How much libssh took; what it took is given back as credit.
size_t ChannelOutlet::write_some(bool is_error, std::string_view bytes) {
  size_t done = 0;
  while (done < bytes.size() && !broken_) {
    const size_t window = ssh_channel_window_size(channel_);
    const auto piece =
        static_cast<uint32_t>(std::min({bytes.size() - done, window, kMaxDataBytes}));
    if (piece == 0 || is_congested(ssh_channel_get_session(channel_))) {
      break;
    }
    const char* from = bytes.data() + done;
    const int written = is_error ? ssh_channel_write_stderr(channel_, from, piece)
                                 : ssh_channel_write(channel_, from, piece);
    broken_ = written < 0;
    if (written <= 0) {
      break;  // 0: a key exchange is under way
    }
    done += static_cast<size_t>(written);
    give_credit(static_cast<uint32_t>(written));
  }
  return done;
}

ChannelOutlet::Step ChannelOutlet::step(Item& item) {
  int result = SSH_OK;
  switch (item.kind) {
    case Kind::data:
    case Kind::error:
      return write_data(item);
    case Kind::eof:
      result = discard_ ? SSH_OK : ssh_channel_send_eof(channel_);
      break;
    case Kind::exit_status:
      result = ssh_channel_request_send_exit_status(channel_, static_cast<int>(item.status));
      break;
    case Kind::exit_signal:
      result = ssh_channel_request_send_exit_signal(channel_, item.bytes.c_str(), item.core ? 1 : 0,
                                                    item.text.c_str(), "");
      break;
    case Kind::close:
      result = ssh_channel_close(channel_);
      closed_ = result == SSH_OK;
      break;
  }
  if (result == SSH_AGAIN) {
    return Step::blocked;  // ssh_channel_close may not have sent anything yet: once more
  }
  return result == SSH_OK ? Step::done : Step::broken;
}

bool ChannelOutlet::pump() {
  while (!queue_.empty()) {
    const Step result = step(queue_.front());
    if (result != Step::done) {
      return result == Step::blocked;
    }
    queue_.pop_front();
  }
  return true;
}

}  // namespace sallyport
