// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace sallyport {

// All of the bytes, whatever pieces write(2) takes. False: errno says why, and some may be written.
bool write_all(int fd, std::span<const uint8_t> bytes);

// All of the bytes, and then onto the disk (fsync). False: errno says why, and some may be written.
bool write_and_sync(int fd, std::span<const uint8_t> bytes);

}  // namespace sallyport
