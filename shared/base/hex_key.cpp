// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex_key.h"

#include <unistd.h>

namespace sallyport {

namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kKeyDigits = 2 * kKeyBytes;

// Not from_hex(): its result is an ordinary vector, which would leave the key in the heap.
int digit_value(uint8_t c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

Result<SecretBytes> read_hex_key(int fd, const std::string& path) {
  SecretBytes text(kKeyDigits + 2);
  size_t size = 0;
  ssize_t got = 0;
  // The descriptor may be shared with other processes: pread() leaves its offset alone.
  while (size < text.size() && (got = ::pread(fd, text.data() + size, text.size() - size,
                                              static_cast<off_t>(size))) > 0) {
    size += static_cast<size_t>(got);
  }
  if (got < 0) {
    return errno_error(path + ": cannot be read");
  }
  const bool newline = size == kKeyDigits + 1 && text.data()[kKeyDigits] == '\n';
  bool good = size == kKeyDigits || newline;
  SecretBytes key(kKeyBytes);
  for (size_t i = 0; good && i < kKeyBytes; ++i) {
    const int high = digit_value(text.data()[2 * i]);
    const int low = digit_value(text.data()[2 * i + 1]);
    good = high >= 0 && low >= 0;
    key.data()[i] = static_cast<uint8_t>((high << 4) | low);
  }
  if (!good) {
    return Error{Errc::corrupt, path +
                                    ": is not a key of 64 hex digits; restore it from a backup, "
                                    "or make a new one with `openssl rand -hex 32`"};
  }
  return key;
}

}  // namespace sallyport
