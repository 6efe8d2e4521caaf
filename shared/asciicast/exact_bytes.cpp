// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/exact_bytes.h"

#include "shared/asciicast/writer.h"
#include "shared/base/hex.h"
#include "shared/base/utf8.h"

namespace sallyport {

void ExactEncoder::append(std::string& out, uint64_t interval_us, std::string_view bytes) {
  if (carry_.empty() && is_valid_utf8(bytes)) {
    append_asciicast_event(out, interval_us, code_, bytes);
    return;
  }
  const char exact = static_cast<char>(code_ - 'a' + 'A');
  append_asciicast_event(out, interval_us, exact, to_base64(as_bytes(bytes)));
  append_asciicast_event(out, 0, code_, take_readable(bytes));
}

std::string ExactEncoder::take_readable(std::string_view bytes) {
  const std::string all = carry_.append(bytes);
  carry_.clear();
  std::string text;
  for (std::string_view rest = all; !rest.empty();) {
    const Utf8Step step = utf8_step(rest);
    if (step.kind == Utf8Step::Kind::incomplete) {
      carry_ = rest;
      break;
    }
    if (step.kind == Utf8Step::Kind::invalid) {
      append_utf8(text, 0xfffd);
    } else {
      text.append(rest.substr(0, step.length));
    }
    rest.remove_prefix(step.length);
  }
  return text;
}

std::optional<AsciicastEvent> ExactDecoder::take(AsciicastEvent event) {
  const char skip = std::exchange(skip_, '\0');
  if (event.code == skip) {
    return std::nullopt;
  }
  if (event.code != 'O' && event.code != 'I') {
    return event;
  }
  const auto bytes = from_base64(event.data);
  if (!bytes) {
    return std::nullopt;
  }
  event.code = static_cast<char>(event.code - 'A' + 'a');
  event.data = as_text(*bytes);
  skip_ = event.code;
  return event;
}

}  // namespace sallyport
