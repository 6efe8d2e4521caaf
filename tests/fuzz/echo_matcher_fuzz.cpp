// SPDX-License-Identifier: Apache-2.0
//
// Keys and output in any order and in any pieces: one byte that says which of both, and how many
// bytes follow; one that says after how many hundredths of a second. Whatever happens, text that is
// given out was printed in its order, and what is held is bounded.
#include "bastion/monitor/echo_matcher.h"

#include <algorithm>
#include <cstdlib>
#include <string>

using namespace sallyport;
using monitor::EchoMatcher;
using monitor::KeyKind;

namespace {

struct Checked {
  EchoMatcher matcher;
  std::string printed;
  size_t seen = 0;  // of printed, by the text that was given out
  uint64_t last_us = 0;

  void check() {
    for (const monitor::KeyEvent& event : matcher.take()) {
      if (event.t_us < last_us) {
        std::abort();
      }
      last_us = event.t_us;
      for (std::string_view keys = event.keys; !keys.empty();) {
        const monitor::TypedKey key = monitor::first_key(keys);
        if (key.size == 0 || key.size > keys.size() || key.kind == KeyKind::hidden) {
          std::abort();
        }
        if (key.kind == KeyKind::text) {
          seen = printed.find(keys[0], seen);
          if (seen == std::string::npos) {
            std::abort();
          }
          ++seen;
        }
        keys.remove_prefix(key.size);
      }
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Checked checked;
  uint64_t now_us = 0;
  while (rest.size() > 2) {
    const auto what = static_cast<unsigned char>(rest[0]);
    now_us += static_cast<unsigned char>(rest[1]) * uint64_t{10'000};
    const std::string_view bytes = rest.substr(2, what & 0x7f);
    rest.remove_prefix(2 + bytes.size());
    if ((what & 0x80) != 0) {
      checked.matcher.typed(now_us, bytes);
    } else {
      checked.printed += bytes;
      checked.matcher.printed(now_us, bytes);
    }
    checked.check();
    checked.matcher.pass_time(now_us);
    checked.check();
  }
  checked.matcher.finish();
  checked.check();
  return 0;
}
