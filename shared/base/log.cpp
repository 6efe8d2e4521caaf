// SPDX-License-Identifier: Apache-2.0
#include "shared/base/log.h"

#include "shared/base/utf8.h"

#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace sallyport {

namespace {

char process_name[32] = "sallyport";

void append_escape(std::string& out, unsigned unit) {
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\u%04x", unit & 0xffff);
  out += escape;
}

// RFC 8259 section 7. A log line stays ASCII whatever a peer sent; what is no UTF-8 is U+FFFD.
void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    text.remove_prefix(step.length);
    const char32_t c = step.kind == Utf8Step::Kind::character ? step.character : 0xfffd;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c >= 0x20 && c < 0x7f) {
      out += static_cast<char>(c);
    } else if (c < 0x10000) {
      append_escape(out, c);
    } else {
      append_escape(out, 0xd800 + ((c - 0x10000) >> 10));
      append_escape(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
  out += '"';
}

const char* level_name(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

}  // namespace

void log_start(std::string_view process) {
  std::snprintf(process_name, sizeof process_name, "%.*s", static_cast<int>(process.size()),
                process.data());
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  timeval now{};
  gettimeofday(&now, nullptr);
  char head[160];
  std::snprintf(head, sizeof head,
                "{\"time\":%lld.%03ld,\"level\":\"%s\",\"process\":\"%s\",\"pid\":%d",
                static_cast<long long>(now.tv_sec), static_cast<long>(now.tv_usec / 1000),
                level_name(level), process_name, static_cast<int>(getpid()));
  std::string line = head;
  line += ",\"event\":";
  append_json_string(line, event);
  for (const auto& [key, value] : fields) {
    line += ',';
    append_json_string(line, key);
    line += ':';
    append_json_string(line, value);
  }
  line += "}\n";
  // A full pipe or a closed stderr must not stop the work that is being logged.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void fatal(std::string_view what) {
  log(LogLevel::error, "fatal", {{"what", std::string(what)}});
  _exit(70);
}

}  // namespace sallyport
