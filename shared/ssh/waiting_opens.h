// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/ssh/handles.h"

#include <algorithm>
#include <cstdint>
#include <list>

namespace sallyport {

// Requests of our SSH peer to open a channel, by number, until the monitor has decided.
class WaitingOpens {
public:
  void add(uint32_t number, SshMessage message) { opens_.push_back({number, std::move(message)}); }
  // Empty where there is no such request.
  SshMessage take(uint32_t number) {
    const auto found = std::find_if(opens_.begin(), opens_.end(),
                                    [number](const Open& open) { return open.number == number; });
    if (found == opens_.end()) {
      return {};
    }
    SshMessage message = std::move(found->message);
    opens_.erase(found);
    return message;
  }
  SshMessage take_any() { return opens_.empty() ? SshMessage() : take(opens_.front().number); }
  bool empty() const { return opens_.empty(); }
  size_t size() const { return opens_.size(); }

private:
  struct Open {
    uint32_t number;
    SshMessage message;
  };
  std::list<Open> opens_;
};

}  // namespace sallyport
