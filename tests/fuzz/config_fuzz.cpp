// SPDX-License-Identifier: Apache-2.0
#include "shared/config/check.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// Whatever the text is: either a configuration or at least one finding, each on one line.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto report = sallyport::check_config_text("/etc/sallyport/sallyport.json", text);
  if (report.config.has_value() != report.errors.empty()) {
    std::abort();
  }
  for (const auto& error : report.errors) {
    if (error.line().find('\n') != std::string::npos) {
      std::abort();
    }
  }
  return 0;
}
