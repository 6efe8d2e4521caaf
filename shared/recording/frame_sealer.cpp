// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/frame_sealer.h"

#include "shared/base/log.h"

namespace sallyport {

void FrameSealer::seal(FrameType type, uint8_t flags, uint64_t t_us,
                       std::span<const uint8_t> plaintext, std::vector<uint8_t>& out) {
  const size_t length = plaintext.size() + kAeadTagBytes;
  if (length > brec::kMaxBodyBytes) {
    fatal("a recording frame above its limit");
  }
  const FrameHeaderBytes header =
      encode_frame_header(FrameHeader{static_cast<uint32_t>(length), type, flags, t_us});
  out.insert(out.end(), header.begin(), header.end());
  const size_t body_at = out.size();
  cipher_.seal(frame_nonce(frames_), header, plaintext, out);
  head_ = next_head(hash_, head_, header, std::span(out).subspan(body_at));
  ++frames_;
}

Sha256Digest next_head(Sha256& hash, const Sha256Digest& head, std::span<const uint8_t> header,
                       std::span<const uint8_t> body) {
  return hash.update(head).update(header).update(body).finish();
}

}  // namespace sallyport
