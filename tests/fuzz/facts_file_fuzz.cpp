// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a file of facts: what is taken has one spelling, and its event, too.
#include "shared/recording/facts_file.h"

#include <cstdlib>

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse_facts_file(text, "fuzz");
  // The bytes as an event, too: inside a file they would be escaped twice, which is hard to reach.
  const auto facts = parse_facts_event(file ? std::string_view(file->event) : text, "fuzz");
  if (file && encode_facts_file(*file).find(text) != 0) {
    std::abort();
  }
  if (!facts) {
    return 0;
  }
  const auto again = make_facts_file(*facts);
  if (again && again->event != (file ? std::string_view(file->event) : text)) {
    std::abort();
  }
  return 0;
}
