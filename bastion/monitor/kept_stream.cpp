// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/kept_stream.h"

#include "bastion/monitor/looks_like_text.h"
#include "shared/base/hex.h"
#include "shared/recording/stream_digest.h"

#include <algorithm>

namespace sallyport::monitor {

KeptStream::KeptStream(ByteDirection direction, const Allowance& allowance)
    : direction_(direction) {
  if (allowance.bytes != kKeepEverything) {
    digest_.emplace();
  }
}

void KeptStream::count(std::string_view bytes) {
  total_ += bytes.size();
  if (digest_) {
    digest_->update(as_bytes(bytes));
  }
}

void KeptStream::note_text(std::string_view bytes) {
  count(bytes);
  recorded_to_ = total_;
}

Status KeptStream::add(RecordingWriter& writer, uint64_t t_us, std::string_view bytes,
                       Allowance& allowance) {
  if (!digest_) {
    return writer.add_bytes(t_us, direction_, as_bytes(bytes));
  }
  const uint64_t first = total_ < kAlwaysKeptBytes ? kAlwaysKeptBytes - total_ : 0;
  const bool is_text = allowance.keeps_text && looks_like_text(bytes);
  const uint64_t may = is_text ? bytes.size() : std::max(first, allowance.bytes);
  const auto kept = bytes.substr(0, std::min<uint64_t>(may, bytes.size()));
  allowance.bytes -= std::min<uint64_t>(kept.size(), allowance.bytes);
  Status done = kept.empty() ? ok() : record(writer, t_us, kept);
  hold_back(bytes.substr(kept.size()));
  return done;
}

Status KeptStream::record(RecordingWriter& writer, uint64_t t_us, std::string_view bytes) {
  if (recorded_to_ != total_) {
    if (Status told = tell_gap(writer, t_us, total_); !told) {
      return told;
    }
  }
  tail_.clear();
  count(bytes);
  recorded_to_ = total_;
  return writer.add_bytes(t_us, direction_, as_bytes(bytes));
}

void KeptStream::hold_back(std::string_view bytes) {
  count(bytes);
  tail_.insert(tail_.end(), bytes.begin(), bytes.end());
  if (tail_.size() > 2 * kAlwaysKeptBytes) {
    tail_.erase(tail_.begin(), tail_.end() - static_cast<std::ptrdiff_t>(kAlwaysKeptBytes));
  }
}

Status KeptStream::tell_gap(RecordingWriter& writer, uint64_t t_us, uint64_t next) {
  Sha256 so_far = *digest_;
  return writer.add_event(t_us, 'd',
                          digest_json({direction_, total_, to_hex(so_far.finish()), next}));
}

Status KeptStream::finish(RecordingWriter& writer, uint64_t t_us) {
  if (recorded_to_ == total_) {
    return ok();
  }
  const auto size = std::min<uint64_t>(tail_.size(), kAlwaysKeptBytes);
  const std::string_view last(tail_.data() + (tail_.size() - size), size);
  if (Status told = tell_gap(writer, t_us, total_ - size); !told) {
    return told;
  }
  recorded_to_ = total_;
  return writer.add_bytes(t_us, direction_, as_bytes(last));
}

}  // namespace sallyport::monitor
