// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

// What may be logged of a text that a library wrote: tokens, keys and codes become "<redacted>".
// Anything that looks like one goes (24 and more characters of the base64 alphabets in a row), and
// the value after a name that is known to hold a secret, however short.
std::string scrub_secrets(std::string_view text);

}  // namespace sallyport
