// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sallyport {

// proven: holds, and by what. note: worth knowing, takes nothing away. open: nothing is wrong, but
// this is not proven. wrong: this does not hold.
enum class Level { proven, note, open, wrong };

struct Finding {
  Level level;
  std::string text;  // printable; one line
};

class Findings {
public:
  void add(Level level, std::string text) { all_.push_back({level, std::move(text)}); }
  void add(const Findings& more) { all_.insert(all_.end(), more.all_.begin(), more.all_.end()); }
  const std::vector<Finding>& all() const { return all_; }

  bool has(Level level) const {
    for (const Finding& finding : all_) {
      if (finding.level == level) {
        return true;
      }
    }
    return false;
  }
  // Of wrong, open and proven, the worst.
  Level verdict() const {
    return has(Level::wrong) ? Level::wrong : has(Level::open) ? Level::open : Level::proven;
  }

private:
  std::vector<Finding> all_;
};

inline Level worse(Level a, Level b) {
  return a > b ? a : b;
}

}  // namespace sallyport
