// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an entry of the node log: what is taken is written again to the very same bytes.
#include "shared/base/hex.h"
#include "shared/evidence/log_entry.h"

#include <cstdlib>

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  const auto entry = parse_log_entry(text);
  if (entry && (log_entry_text(*entry) != text || size > kMaxLogEntryBytes)) {
    std::abort();
  }
  const auto name = parse_recording_id(text);
  if (name && recording_id(*name) != text) {
    std::abort();
  }
  return 0;
}
