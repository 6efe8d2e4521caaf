// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/event_source.h"

#include <memory>
#include <string>
#include <string_view>

namespace sallyport {

// Keys as a person reads them, for a terminal: text as it is, "‹Up›", "‹Ctrl-C›", "‹Backspace›";
// after what ends a line a new one begins. Nothing in it controls a terminal but CR LF.
std::string readable_keys(std::string_view keys);

// A recording of keystrokes as output to look at: its keys so, its markers "‹not echoed›".
std::unique_ptr<EventSource> show_keys(std::unique_ptr<EventSource> keystrokes);

}  // namespace sallyport
