// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sallyport {

// A QR code in half blocks, drawn light on dark, with a newline after it and its margin; "" where
// the text does not fit into one.
std::string qr_code(const std::string& text);

}  // namespace sallyport
