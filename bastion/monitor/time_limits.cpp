// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/time_limits.h"

namespace sallyport::monitor {

namespace {

std::string duration(std::chrono::seconds time) {
  const auto minutes = time.count() / 60;
  return time.count() % 60 == 0 && minutes > 0 ? std::to_string(minutes) + " min"
                                               : std::to_string(time.count()) + " s";
}

}  // namespace

TimeLimits::TimeLimits(EventLoop& loop, const Grant& grant,
                       std::function<void(const std::string&)> over)
    : loop_(loop),
      idle_input_(grant.idle_input_s),
      idle_output_(grant.idle_output_s),
      session_(grant.session_s),
      over_(std::move(over)) {
  watch();
}

TimeLimits::Limit TimeLimits::nearest() const {
  Limit limit{Clock::time_point::max(), ""};
  const auto consider = [&limit](Clock::time_point from, std::chrono::seconds time,
                                 const std::string& what, const char* key) {
    if (time.count() > 0 && from + time < limit.ends) {
      limit = {from + time,
               "sallyport: this session ends: " + what + " " + duration(time) + " (" + key + ")"};
    }
  };
  consider(last_input_, idle_input_, "nothing was typed or sent for", "limits.idle_input_s");
  consider(last_output_, idle_output_, "the target has said nothing for", "limits.idle_output_s");
  consider(start_, session_, "it may last", "limits.session_s");
  return limit;
}

void TimeLimits::watch() {
  timer_ = 0;
  const Limit limit = nearest();
  if (limit.line.empty()) {
    return;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit.ends - Clock::now());
  if (left.count() <= 0) {
    return over_(limit.line);
  }
  timer_ = loop_.call_after(left, [this] { watch(); });
}

}  // namespace sallyport::monitor
