// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/terminal.h"

#include "shared/base/printable.h"
#include "shared/base/utf8.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

constexpr size_t kMaxLineCharacters = 1000;

size_t count_characters(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(utf8_step(text).length);
    ++count;
  }
  return count;
}

void print_row(const std::vector<std::string>& row, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    if (i + 1 < row.size()) {
      line += std::string(widths[i] - count_characters(row[i]) + 2, ' ');
    }
  }
  std::cout << line << '\n';
}

}  // namespace

void print_line(const std::string& text) {
  std::cout << printable(text, kMaxLineCharacters) << '\n';
}

void print_table(const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> shown = {header};
  for (const auto& row : rows) {
    auto& line = shown.emplace_back();
    std::transform(row.begin(), row.end(), std::back_inserter(line),
                   [](const std::string& cell) { return printable(cell); });
  }
  std::vector<size_t> widths(header.size());
  for (const auto& row : shown) {
    for (size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], count_characters(row[i]));
    }
  }
  for (const auto& row : shown) {
    print_row(row, widths);
  }
}

void print_json(const nlohmann::json& value) {
  constexpr bool kAsciiOnly = true;
  std::cout << value.dump(2, ' ', kAsciiOnly, nlohmann::json::error_handler_t::replace) << '\n';
}

Result<std::string> ask_line(const std::string& question, const std::string& option) {
  if (::isatty(STDIN_FILENO) == 0) {
    return Error{Errc::invalid, "there is no terminal to ask on; give " + option};
  }
  std::cout << printable(question, kMaxLineCharacters) << ' ' << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) {
    std::cout << '\n';
    return Error{Errc::invalid, "no answer; nothing was changed"};
  }
  return answer;
}

Result<bool> confirm(const std::string& question, bool yes) {
  if (yes) {
    return true;
  }
  auto answer = ask_line(question + " [y/N]", "--yes");
  if (!answer) {
    return answer.error();
  }
  return *answer == "y" || *answer == "Y" || *answer == "yes";
}

std::string utc_time(uint64_t unix_ms) {
  if (unix_ms == 0) {
    return "-";
  }
  const auto seconds = static_cast<time_t>(unix_ms / 1000);
  tm parts{};
  char text[32] = {};
  if (::gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
    return "?";
  }
  return text;
}

}  // namespace sallyport
