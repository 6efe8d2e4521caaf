// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/prompt_text.h"

#include "bastion/authd/fingerprint.h"
#include "bastion/authd/qr_code.h"

#include <time.h>

namespace sallyport {

namespace {

constexpr size_t kCodeColumns = 32;
constexpr const char* kEnter = "Press Enter when you have approved it: ";

std::string clock_text(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[16];
  return std::string(text, std::strftime(text, sizeof text, "%H:%M:%S", &parts));
}

std::string padded(std::string text) {
  text.append(text.size() < kCodeColumns ? kCodeColumns - text.size() : 2, ' ');
  return text;
}

}  // namespace

std::string duration_text(std::chrono::seconds duration) {
  const auto minutes = duration.count() / 60;
  const auto seconds = duration.count() % 60;
  std::string text = minutes > 0 ? std::to_string(minutes) + " min" : "";
  if (seconds > 0 || minutes <= 0) {
    text += (text.empty() ? "" : " ") + std::to_string(seconds) + " s";
  }
  return text;
}

std::string sign_in_text(const SignInText& facts) {
  const std::string key =
      facts.fingerprint.empty()
          ? "without a key"
          : "with key " + short_fingerprint(facts.fingerprint, facts.automatic ? "..." : "…");
  std::string text = "Sign in to reach " + facts.wish + "\n\n" +  //
                     "  Open    " + facts.url + "\n" +            //
                     "  Code    " + padded(facts.code) + "valid until " +
                     clock_text(facts.valid_until) + " (" + duration_text(facts.left) + ")\n\n";
  if (!facts.qr_url.empty() && !facts.automatic) {
    text += qr_code(facts.qr_url);
  }
  text += "  From " + facts.address + " " + key +
          ".  Never approve a code that you did not start yourself.\n\n";
  return text + (facts.automatic ? "Waiting for you to approve it.\n" : kEnter);
}

std::string not_yet_text(std::chrono::seconds left) {
  return "Not approved yet, " + duration_text(left) + " left. " + kEnter;
}

}  // namespace sallyport
