// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/header.h"

#include "shared/base/hex.h"
#include "shared/base/names.h"
#include "shared/crypto/hkdf.h"
#include "shared/recording/format.h"
#include "shared/recording/frame.h"

#include <algorithm>

namespace sallyport {

namespace {

using namespace brec;

Error corrupt_header(const std::string& what) {
  return Error{Errc::corrupt, "recording header: " + what};
}

bool all_zero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

Sha256Digest chain_start(std::span<const uint8_t> header) {
  return Sha256()
      .update(as_bytes(kChainStart))
      .update(header.first(kEnvelopeLengthAt))
      .update(header.subspan(kStartAt, kEnvelopeAt - kStartAt))
      .finish();
}

Result<std::string> decode_node(std::span<const uint8_t> field) {
  const auto end = std::find(field.begin(), field.end(), 0);
  const std::string node(field.begin(), end);
  if (!is_valid_name(node) || !all_zero({end, field.end()})) {
    return corrupt_header("the node name is not a name");
  }
  return node;
}

// Room for the envelope and for one of twice its length: re-wrapping must not change the size,
// which is chained.
size_t size_for(size_t envelope) {
  const size_t wanted = kEnvelopeAt + 2 * envelope;
  return std::max(kMinHeaderBytes, (wanted + kHeaderStep - 1) / kHeaderStep * kHeaderStep);
}

}  // namespace

Result<std::vector<uint8_t>> encode_header(const RecordingHeader& header) {
  if (!is_valid_name(header.node) || header.node.size() > kNodeBytes) {
    return Error{Errc::invalid, "the node name \"" + header.node + "\" must be a name of at most " +
                                    std::to_string(kNodeBytes) + " characters"};
  }
  const size_t size = size_for(header.envelope.size());
  if (size > kMaxHeaderBytes) {
    return Error{Errc::limit, "too many recipients for one recording"};
  }
  std::vector<uint8_t> bytes(size);
  const std::span<uint8_t> out(bytes);
  std::copy(kMagic.begin(), kMagic.end(), out.begin());
  put_le(out.subspan(kHeaderSizeAt), size / kHeaderSizeUnit, 2);
  put_le(out.subspan(kEnvelopeLengthAt), header.envelope.size(), 4);
  put_le(out.subspan(kStartAt), header.start_ms, 8);
  std::copy(header.session.bytes.begin(), header.session.bytes.end(), out.subspan(kIdAt).begin());
  std::copy(header.node.begin(), header.node.end(), out.subspan(kNodeAt).begin());
  std::copy(header.commit.begin(), header.commit.end(), out.subspan(kCommitAt).begin());
  put_le(out.subspan(kChannelAt), header.channel, 4);
  put_le(out.subspan(kPartAt), static_cast<uint64_t>(header.part), 1);
  std::copy(header.envelope.begin(), header.envelope.end(), out.subspan(kEnvelopeAt).begin());
  return bytes;
}

Result<size_t> header_size(std::span<const uint8_t> first16) {
  if (first16.size() < 16 || !std::equal(kMagic.begin(), kMagic.end(), first16.begin())) {
    return Error{Errc::corrupt, "not a recording (BREC/1)"};
  }
  const size_t size = get_le(first16.subspan(kHeaderSizeAt), 2) * kHeaderSizeUnit;
  if (size < kMinHeaderBytes || size > kMaxHeaderBytes || size % kHeaderStep != 0) {
    return corrupt_header("its size is not possible");
  }
  return size;
}

Result<RecordingHeader> decode_header(std::span<const uint8_t> bytes) {
  const auto size = header_size(bytes);
  if (!size) {
    return size.error();
  }
  if (bytes.size() < *size) {
    return corrupt_header("cut off");
  }
  bytes = bytes.first(*size);
  const uint64_t envelope = get_le(bytes.subspan(kEnvelopeLengthAt), 4);
  if (envelope > *size - kEnvelopeAt) {
    return corrupt_header("the envelope is longer than its room");
  }
  if (!all_zero(bytes.subspan(kHeaderSizeAt + 2, 2)) ||
      !all_zero(bytes.subspan(kZeroAt, kEnvelopeAt - kZeroAt)) ||
      !all_zero(bytes.subspan(kEnvelopeAt + envelope))) {
    return corrupt_header("bytes that must be zero are not");
  }
  if (bytes[kPartAt] > static_cast<uint8_t>(RecordingPart::last_)) {
    return corrupt_header("it is a part of a channel that this version does not know");
  }
  auto node = decode_node(bytes.subspan(kNodeAt, kNodeBytes));
  if (!node) {
    return std::move(node).error();
  }
  RecordingHeader header;
  header.node = *node;
  header.size = *size;
  header.start_ms = get_le(bytes.subspan(kStartAt), 8);
  header.channel = static_cast<uint32_t>(get_le(bytes.subspan(kChannelAt), 4));
  header.part = static_cast<RecordingPart>(bytes[kPartAt]);
  std::copy_n(bytes.begin() + kIdAt, header.session.bytes.size(), header.session.bytes.begin());
  std::copy_n(bytes.begin() + kCommitAt, header.commit.size(), header.commit.begin());
  const auto sealed = bytes.subspan(kEnvelopeAt, envelope);
  header.envelope.assign(sealed.begin(), sealed.end());
  header.first_head = chain_start(bytes);
  return header;
}

Sha256Digest commit_of(const SecretBytes& dek, const Id& session) {
  Sha256Digest commit;
  hkdf_sha256(dek.span(), session.bytes, kCommitInfo, commit);
  return commit;
}

SecretBytes payload_key(const SecretBytes& dek, const Id& session) {
  return derive_key(dek.span(), session.bytes, kPayloadInfo);
}

}  // namespace sallyport
