// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport {

// Logs are JSON, one line each, on stderr (R15): journald or the terminal keeps them. Values are
// escaped here, so text from outside may be passed as it is. Safe inside the sandbox: one write(2).
enum class LogLevel { info, warning, error };
using LogField = std::pair<std::string_view, std::string>;

// Names this process in each line ("gate", "authd", ...). Call once, first thing.
void log_start(std::string_view process);
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::info, event, fields);
}
inline void log_warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::warning, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::error, event, fields);
}

// Our own invariant, a failed privilege drop, a failed sandbox: log and _exit(70).
[[noreturn]] void fatal(std::string_view what);

}  // namespace sallyport
