// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace sallyport::monitor {

// Could be the middle of a text: valid UTF-8 apart from a character cut at either end, and no NUL.
bool looks_like_text(std::string_view bytes);

}  // namespace sallyport::monitor
