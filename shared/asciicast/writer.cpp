// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/writer.h"

#include "shared/base/utf8.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

constexpr uint64_t of_each(uint8_t byte) {
  return byte * 0x0101010101010101U;
}

// Nothing in these eight bytes needs an escape. With all of them below 0x80 no borrow or carry
// leaves its byte ("Bit Twiddling Hacks", S. E. Anderson: a zero byte, a byte less than n).
bool is_plain(uint64_t eight) {
  const auto has_zero = [](uint64_t x) { return (x - of_each(1)) & ~x & of_each(0x80); };
  const uint64_t special = (eight & of_each(0x80)) |
                           ((eight - of_each(0x20)) & ~eight & of_each(0x80)) |
                           has_zero(eight ^ of_each('"')) | has_zero(eight ^ of_each('\\')) |
                           has_zero(eight ^ of_each(0x7f));
  return special == 0;
}

// How many bytes from the start need no escape: printable ASCII but " and \.
size_t plain_run(std::string_view text) {
  size_t run = 0;
  for (uint64_t eight = 0; text.size() - run >= sizeof eight; run += sizeof eight) {
    std::memcpy(&eight, text.data() + run, sizeof eight);
    if (!is_plain(eight)) {
      break;
    }
  }
  const auto end =
      std::find_if(text.begin() + static_cast<std::ptrdiff_t>(run), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\';
      });
  return static_cast<size_t>(end - text.begin());
}

void append_escape(std::string& out, char32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out.push_back(kDigits[(c >> 4) & 15]);
      out.push_back(kDigits[c & 15]);
  }
}

// Microseconds as seconds with up to six decimals, at least one.
void append_seconds(std::string& out, uint64_t us) {
  out += std::to_string(us / 1000000);
  std::string fraction = std::to_string(1000000 + us % 1000000).substr(1);
  while (fraction.size() > 1 && fraction.back() == '0') {
    fraction.pop_back();
  }
  out += "." + fraction;
}

nlohmann::ordered_json env_json(const AsciicastHeader& header) {
  nlohmann::ordered_json env = nlohmann::ordered_json::object();
  if (header.version < 3 && !header.term_type.empty()) {
    env["TERM"] = header.term_type;
  }
  for (const auto& [name, value] : header.env) {
    env[name] = value;
  }
  return env;
}

void put_terminal(nlohmann::ordered_json& out, const AsciicastHeader& header) {
  if (header.version < 3) {
    out["width"] = header.cols;
    out["height"] = header.rows;
    return;
  }
  out["term"]["cols"] = header.cols;
  out["term"]["rows"] = header.rows;
  if (!header.term_type.empty()) {
    out["term"]["type"] = header.term_type;
  }
}

bool v2_knows(char code) {
  return code == 'o' || code == 'i' || code == 'm' || code == 'r';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out.push_back('"');
  while (!text.empty()) {
    const size_t run = plain_run(text);
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) {
      break;
    }
    const Utf8Step step = utf8_step(text);
    if (step.kind != Utf8Step::Kind::character) {
      out += "\xef\xbf\xbd";
    } else if (step.character < 0xa0) {
      append_escape(out, step.character);
    } else {
      out.append(text.substr(0, step.length));
    }
    text.remove_prefix(step.length);
  }
  out.push_back('"');
}

std::string asciicast_header_line(const AsciicastHeader& header) {
  nlohmann::ordered_json out;
  out["version"] = header.version;
  put_terminal(out, header);
  if (header.timestamp) {
    out["timestamp"] = *header.timestamp;
  }
  if (header.idle_time_limit) {
    out["idle_time_limit"] = *header.idle_time_limit;
  }
  if (!header.command.empty()) {
    out["command"] = header.command;
  }
  if (!header.title.empty()) {
    out["title"] = header.title;
  }
  if (auto env = env_json(header); !env.empty()) {
    out["env"] = std::move(env);
  }
  auto ours = nlohmann::ordered_json::parse(header.sallyport, nullptr, false);
  if (!ours.is_discarded()) {
    out["sallyport"] = std::move(ours);
  }
  return out.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void append_asciicast_event(std::string& out, uint64_t time_us, char code, std::string_view data) {
  out.push_back('[');
  append_seconds(out, time_us);
  out.append(",\"").append(1, code).append("\",");
  append_json_string(out, data);
  out.append("]\n");
}

void AsciicastWriter::append(std::string& out, const AsciicastEvent& event) {
  const uint64_t now_us = std::max(last_us_, event.time_us);
  if (version_ == 2 && !v2_knows(event.code)) {
    return;
  }
  append_asciicast_event(out, version_ == 2 ? now_us : now_us - last_us_, event.code, event.data);
  last_us_ = now_us;
}

}  // namespace sallyport
