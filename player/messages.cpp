// SPDX-License-Identifier: Apache-2.0
#include "player/messages.h"

#include "shared/base/printable.h"

#include <cstdio>
#include <sstream>

namespace sallyport {

void print_message(const std::string& text) {
  constexpr size_t kMaxCharacters = 2000;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::fprintf(stderr, "sallyport-play: %s\n", printable(line, kMaxCharacters).c_str());
  }
}

}  // namespace sallyport
