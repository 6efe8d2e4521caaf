// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/sgr.h"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace sallyport {

namespace {

constexpr size_t kMaxOut = 14;

// Collects groups of parameters that must stay together.
class Sequence {
public:
  explicit Sequence(const std::function<void(std::string_view)>& emit) : emit_(emit) {}

  void add(std::initializer_list<unsigned> group) {
    if (count_ + group.size() > kMaxOut) {
      finish();
    }
    for (const unsigned value : group) {
      text_ += count_ == 0 ? "" : ";";
      text_ += std::to_string(value);
      ++count_;
    }
  }
  void finish() {
    if (count_ > 0) {
      emit_("\x1b[" + text_ + "m");
    }
    text_.clear();
    count_ = 0;
  }

private:
  const std::function<void(std::string_view)>& emit_;
  std::string text_;
  size_t count_ = 0;
};

unsigned byte_of(const CsiParameter& p) {
  return std::min<unsigned>(p.value_or(0), 255);
}

using Parameters = std::span<const CsiParameter>;

// The parameters after 38, 48 or 58. Returns how many of them belong to the colour.
size_t add_color(unsigned target, Parameters rest, Sequence& out) {
  if (rest.empty()) {
    return 0;
  }
  const bool colons = rest[0].is_sub;
  size_t available = rest.size();
  if (colons) {
    const auto end =
        std::find_if(rest.begin(), rest.end(), [](const auto& p) { return !p.is_sub; });
    available = static_cast<size_t>(end - rest.begin());
  }
  const unsigned kind = rest[0].value_or(0);
  const bool known = target != 58;
  if (kind == 5 && available >= 2) {
    if (known) {
      out.add({target, 5, byte_of(rest[1])});
    }
    return colons ? available : 2;
  }
  if (kind == 2 && available >= 4) {
    const size_t first = colons && available >= 5 ? 2 : 1;  // 38:2:COLOURSPACE:r:g:b
    if (known) {
      out.add(
          {target, 2, byte_of(rest[first]), byte_of(rest[first + 1]), byte_of(rest[first + 2])});
    }
    return colons ? available : 4;
  }
  return colons ? available : 1;
}

void add_plain(unsigned value, Sequence& out) {
  const bool color = (value >= 30 && value <= 37) || (value >= 40 && value <= 47) ||
                     (value >= 90 && value <= 97) || (value >= 100 && value <= 107);
  if (value == 2) {
    out.add({10 + kFaintFont});
  } else if (value == 22) {
    out.add({22, 10});
  } else if (value == 21) {
    out.add({4});  // doubly underlined
  } else if (color || value == 0 || value == 1 || (value >= 3 && value <= 5) || value == 7 ||
             value == 9 || (value >= 23 && value <= 25) || value == 27 || value == 29 ||
             value == 39 || value == 49) {
    out.add({value});
  } else if (value == 6) {
    out.add({5});
  }
}

size_t subparameters(Parameters rest) {
  const auto end = std::find_if(rest.begin(), rest.end(), [](const auto& p) { return !p.is_sub; });
  return static_cast<size_t>(end - rest.begin());
}

}  // namespace

void rewrite_sgr(Parameters parameters, const std::function<void(std::string_view)>& emit) {
  Sequence out(emit);
  if (parameters.empty()) {
    out.add({0});
  }
  for (size_t i = 0; i < parameters.size();) {
    const unsigned value = parameters[i].value_or(0);
    const Parameters rest = parameters.subspan(i + 1);
    if (value == 38 || value == 48 || value == 58) {
      i += 1 + add_color(value, rest, out);
      continue;
    }
    const size_t subs = subparameters(rest);
    // 4:0 ends an underline; its other shapes (4:3 is curly) are plain underlines here.
    add_plain(value == 4 && subs > 0 && rest[0].value_or(1) == 0 ? 24 : value, out);
    i += 1 + subs;
  }
  out.finish();
}

}  // namespace sallyport
