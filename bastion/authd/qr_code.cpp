// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/qr_code.h"

#include "shared/base/handle.h"

#include <qrencode.h>

namespace sallyport {

namespace {
constexpr int kMargin = 2;  // the standard wants 4; phones read 2, and 33x17 cells fit everywhere

bool is_light(const QRcode& code, int x, int y) {
  if (x < 0 || y < 0 || x >= code.width || y >= code.width) {
    return true;
  }
  return (code.data[y * code.width + x] & 1) == 0;
}
}  // namespace

std::string qr_code(const std::string& text) {
  const Handle<QRcode, QRcode_free> code(
      QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1));
  if (!code) {
    return "";
  }
  std::string out;
  const int end = code->width + kMargin;
  for (int y = -kMargin; y < end; y += 2) {
    out += "  ";
    for (int x = -kMargin; x < end; ++x) {
      const bool upper = is_light(*code, x, y);
      const bool lower = y + 1 < end && is_light(*code, x, y + 1);
      out += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
    }
    out += "\n";
  }
  return out + "\n";
}

}  // namespace sallyport
