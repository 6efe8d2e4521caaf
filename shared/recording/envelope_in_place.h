// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/recording/file_name.h"
#include "shared/recording/format.h"
#include "shared/recording/header.h"

#include <cstdint>
#include <span>

namespace sallyport {

// The only bytes of a recording that are ever written a second time: the envelope and its length,
// which the chain leaves out. Size, frames and chain stay as they are, also while the recording is
// still being written. Wherever a crash stops it, the header decodes and the chain verifies.
//
// `fd` is open for reading and writing, and not to append (Linux would append then, wherever
// pwrite(2) is told to write: Errc::invalid). Errc::corrupt: not a recording.

Result<RecordingHeader> read_header(int fd);

inline size_t envelope_room(const RecordingHeader& header) {
  return header.size - brec::kEnvelopeAt;
}

// On disk when this returns ok. A crash before may lose both envelopes: keep the old one elsewhere
// until then. Errc::limit: longer than envelope_room().
Status replace_envelope(int fd, std::span<const uint8_t> envelope);

// Zeroes envelope and length: nobody can read the recording any more. On disk when this returns ok;
// after a crash or an error, and on an erased recording, it may be called again. Errc::not_found:
// another recording than `name`, which is left alone. What copies, snapshots, and a medium that
// writes elsewhere still hold, it does not reach.
Status erase_envelope(int fd, const RecordingName& name);

}  // namespace sallyport
