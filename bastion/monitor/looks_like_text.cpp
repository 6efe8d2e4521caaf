// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/looks_like_text.h"

#include "shared/base/utf8.h"

#include <cstring>

namespace sallyport::monitor {

bool looks_like_text(std::string_view bytes) {
  if (!bytes.empty() && std::memchr(bytes.data(), '\0', bytes.size()) != nullptr) {
    return false;
  }
  // A character that began in the read before: up to three continuation bytes.
  for (int i = 0; i < 3 && !bytes.empty() && (bytes[0] & 0xc0) == 0x80; ++i) {
    bytes.remove_prefix(1);
  }
  for (;;) {
    bytes.remove_prefix(ascii_prefix(bytes));
    if (bytes.empty()) {
      break;
    }
    const Utf8Step step = utf8_step(bytes);
    if (step.kind == Utf8Step::Kind::invalid || step.length == 0) {
      return false;
    }
    bytes.remove_prefix(step.length);
  }
  return true;
}

}  // namespace sallyport::monitor
