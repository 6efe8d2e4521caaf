// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace sallyport {

// What the person reads while the device flow stands. It is all in the prompt of
// keyboard-interactive: OpenSSH before 10.3 escapes UTF-8 in the instruction and cuts it at 1,023
// bytes, and `ssh -q` hides it.
struct SignInText {
  std::string wish;  // "root@web1"
  std::string url;
  std::string qr_url;  // "": no QR code
  std::string code;
  std::string address;
  std::string fingerprint;  // "": without a key
  std::chrono::system_clock::time_point valid_until;
  std::chrono::seconds left;
  bool automatic = false;  // nothing to press; ASCII alone, since this one is an instruction
};
std::string sign_in_text(const SignInText& facts);

std::string not_yet_text(std::chrono::seconds left);

// "3 min", "2 min 10 s", "45 s"
std::string duration_text(std::chrono::seconds duration);

}  // namespace sallyport
