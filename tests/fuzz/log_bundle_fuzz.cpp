// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a bundle of entries, and as a heads file. Of a bundle the whole entries at its
// beginning are read, which make the same bytes again; a heads file has one spelling.
#include "shared/base/hex.h"
#include "shared/evidence/log_entry.h"
#include "shared/evidence/tiles.h"

#include <cstdlib>

using namespace sallyport;

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// Bytes that follow and are no whole entry.
bool is_torn(std::string_view rest) {
  if (rest.size() < 2) {
    return true;
  }
  const auto bytes = as_bytes(rest);
  const size_t length = static_cast<size_t>(bytes[0]) * 256 + bytes[1];
  return length == 0 || length > rest.size() - 2;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  const auto read = read_bundle(text);
  std::string again;
  for (const auto& entry : read.entries) {
    append_to_bundle(again, entry);
    static_cast<void>(parse_log_entry(entry));
  }
  require(read.bytes <= size && again == text.substr(0, read.bytes));
  require(is_torn(text.substr(read.bytes)));
  const auto heads = parse_heads(text);
  require(!heads || heads_text(*heads) == text);
  return 0;
}
