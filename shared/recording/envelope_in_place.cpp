// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/envelope_in_place.h"

#include "shared/recording/frame.h"
#include "shared/recording/source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace sallyport {

namespace {

using namespace brec;

Result<std::vector<uint8_t>> read_start(int fd) {
  std::vector<uint8_t> bytes(kMaxHeaderBytes);
  const auto got = read_fully_at(fd, 0, bytes);
  if (!got) {
    return got.error();
  }
  bytes.resize(*got);
  return bytes;
}

// What the chain covers must be a recording's header; envelope and length may be anything, so that
// what a crash left can be written again.
Result<RecordingHeader> decode_chained(std::vector<uint8_t> bytes) {
  const auto size = header_size(bytes);
  if (!size) {
    return size.error();
  }
  if (bytes.size() >= *size) {
    std::fill_n(bytes.begin() + kEnvelopeLengthAt, kStartAt - kEnvelopeLengthAt, uint8_t{0});
    std::fill(bytes.begin() + kEnvelopeAt, bytes.begin() + static_cast<std::ptrdiff_t>(*size),
              uint8_t{0});
  }
  return decode_header(bytes);
}

Status write_at(int fd, size_t offset, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno != EINTR) {
      return errno_error("cannot write the recording's envelope");
    }
    const size_t done = put > 0 ? static_cast<size_t>(put) : 0;
    bytes = bytes.subspan(done);
    offset += done;
  }
  if (::fdatasync(fd) != 0) {
    return errno_error("cannot write the recording's envelope");
  }
  return ok();
}

Status write_length(int fd, uint64_t length) {
  std::array<uint8_t, kStartAt - kEnvelopeLengthAt> bytes{};
  put_le(bytes, length, bytes.size());
  return write_at(fd, kEnvelopeLengthAt, bytes);
}

// The length is never less than what stands there: what follows the envelope must be zero.
Status write_envelope(int fd, uint64_t length_before, std::span<const uint8_t> envelope,
                      size_t room) {
  std::vector<uint8_t> all(envelope.begin(), envelope.end());
  all.resize(room);
  Status done = length_before < envelope.size() ? write_length(fd, envelope.size()) : ok();
  done = done ? write_at(fd, kEnvelopeAt, all) : std::move(done);
  return done ? write_length(fd, envelope.size()) : std::move(done);
}

// One way for both: erasing is replacing by nothing.
Status rewrite(int fd, std::span<const uint8_t> envelope, const RecordingName* name) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_APPEND) != 0) {
    return Error{Errc::invalid, "an envelope cannot be written where the file is open to append"};
  }
  auto bytes = read_start(fd);
  if (!bytes) {
    return bytes.error();
  }
  const auto header = decode_chained(*bytes);
  if (!header) {
    return header.error();
  }
  if (name != nullptr && *name != header->name()) {
    return Error{Errc::not_found, "it is " + recording_file_name(header->name()) +
                                      " by its header, not " + recording_file_name(*name) +
                                      ": nothing was erased"};
  }
  const size_t room = envelope_room(*header);
  if (envelope.size() > room) {
    return Error{Errc::limit, "the envelope has " + std::to_string(envelope.size()) +
                                  " bytes, and this recording's header has room for " +
                                  std::to_string(room) + ": name fewer recipients"};
  }
  const uint64_t before = get_le(std::span(*bytes).subspan(kEnvelopeLengthAt), 4);
  return write_envelope(fd, before, envelope, room);
}

}  // namespace

Result<RecordingHeader> read_header(int fd) {
  const auto bytes = read_start(fd);
  return bytes ? decode_header(*bytes) : bytes.error();
}

Status replace_envelope(int fd, std::span<const uint8_t> envelope) {
  return rewrite(fd, envelope, nullptr);
}

Status erase_envelope(int fd, const RecordingName& name) {
  return rewrite(fd, {}, &name);
}

}  // namespace sallyport
