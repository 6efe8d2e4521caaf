// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/output_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sallyport::monitor {

namespace {

using Kind = OutputToken::Kind;

constexpr char kEscape = '\x1b';
constexpr std::string_view kRubOut = "\b \b";
constexpr size_t kMaxParameters = 64;
constexpr int kMaxColumns = 10'000;

bool is_c0(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

int columns_of(const std::string& parameters) {
  int columns = 1;
  std::from_chars(parameters.data(), parameters.data() + parameters.size(), columns);
  return std::clamp(columns, 1, kMaxColumns);
}

// "?1049" among "?25;1049".
bool has_mode(std::string_view parameters, std::string_view mode) {
  if (!parameters.starts_with('?')) {
    return false;
  }
  parameters.remove_prefix(1);
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(';'), parameters.size());
    if (parameters.substr(0, end) == mode) {
      return true;
    }
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return false;
}

bool leaves_screen(std::string_view parameters) {
  constexpr std::array<std::string_view, 3> kAlternate = {"1049", "1047", "47"};
  return std::any_of(kAlternate.begin(), kAlternate.end(),
                     [&](std::string_view mode) { return has_mode(parameters, mode); });
}

}  // namespace

void OutputTokens::split(std::string_view bytes, std::vector<OutputToken>& out) {
  for (size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    switch (state_) {
      case State::ground:
        at += ground(bytes.substr(at), out) - 1;
        break;
      case State::escape:
        escape(c);
        break;
      case State::designate:
        state_ = State::ground;
        break;
      case State::csi:
        csi(c, out);
        break;
      case State::string:
        state_ = c == '\a' ? State::ground : c == kEscape ? State::string_escape : State::string;
        break;
      case State::string_escape:
        state_ = c == '\\' ? State::ground : c == kEscape ? State::string_escape : State::string;
        break;
    }
  }
}

// How many bytes it took.
size_t OutputTokens::ground(std::string_view bytes, std::vector<OutputToken>& out) {
  const auto end = std::find_if(bytes.begin(), bytes.end(), is_c0);
  if (const auto shown = static_cast<size_t>(end - bytes.begin()); shown > 0) {
    out.push_back({Kind::text, bytes.substr(0, shown)});
    return shown;
  }
  if (bytes.starts_with(kRubOut)) {
    out.push_back({Kind::rub_out});
    return kRubOut.size();
  }
  switch (bytes[0]) {
    case kEscape:
      state_ = State::escape;
      break;
    case '\n':
      out.push_back({Kind::newline});
      break;
    case '\r':
      out.push_back({Kind::to_margin});
      break;
    case '\b':
      out.push_back({Kind::move, {}, -1});
      break;
    default:
      out.push_back({Kind::nothing});
  }
  return 1;
}

void OutputTokens::escape(char c) {
  parameters_.clear();
  switch (c) {
    case '[':
      state_ = State::csi;
      break;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
      state_ = State::string;
      break;
    case '(':
    case ')':
    case '*':
    case '+':
    case '#':
    case '%':
      state_ = State::designate;
      break;
    default:
      state_ = c == kEscape ? State::escape : State::ground;
  }
}

void OutputTokens::csi(char c, std::vector<OutputToken>& out) {
  if (c >= 0x40 && c <= 0x7e) {
    state_ = State::ground;
    out.push_back(csi_token(c));
  } else if (c == kEscape) {
    state_ = State::escape;
  } else if (!is_c0(c) && parameters_.size() < kMaxParameters) {
    parameters_ += c;
  }
}

OutputToken OutputTokens::csi_token(char final_byte) const {
  switch (final_byte) {
    case 'C':
      return {Kind::move, {}, columns_of(parameters_)};
    case 'D':
      return {Kind::move, {}, -columns_of(parameters_)};
    case 'J':
    case 'K':
    case 'P':
    case 'X':
      return {Kind::erase};
    case 'h':
      return {has_mode(parameters_, "2004") ? Kind::new_screen : Kind::nothing};
    case 'l':
      return {leaves_screen(parameters_) ? Kind::new_screen : Kind::nothing};
    default:
      return {};
  }
}

}  // namespace sallyport::monitor
