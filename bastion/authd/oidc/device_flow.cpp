// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/device_flow.h"

#include "bastion/authd/oidc/jws.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/crypto/sha256.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace sallyport {
namespace {

using std::chrono::seconds;

constexpr seconds kMaxPause{60};
constexpr int kMaxFailures = 8;
constexpr const char* kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

// RFC 7636: 32 random bytes are 43 characters, the least that is allowed.
std::string make_code_verifier() {
  std::array<uint8_t, 32> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    fatal("no random bytes for a login");
  }
  return encode_base64url(as_text(bytes));
}

std::string code_challenge(const std::string& verifier) {
  return encode_base64url(as_text(sha256(as_bytes(verifier))));
}

Error refused_start(const std::string& issuer, const HttpReply& reply) {
  const TokenReply answer = parse_token_reply(reply.status, reply.body);
  if (const auto* error = std::get_if<OauthError>(&answer)) {
    return {Errc::denied,
            issuer + " refuses the device flow: " + error->code + " " + error->description};
  }
  return {Errc::io, issuer + ": the device endpoint answers with HTTP status " +
                        std::to_string(reply.status)};
}

}  // namespace

Result<DevicePrompt> DeviceFlow::start() {
  auto metadata = provider_.metadata();
  if (!metadata) {
    return metadata.error();
  }
  metadata_ = *metadata;
  code_verifier_ = make_code_verifier();
  auto reply = provider_.post(metadata_->device_authorization_endpoint,
                              {{"scope", join(provider_.settings().scopes)},
                               {"code_challenge", code_challenge(code_verifier_)},
                               {"code_challenge_method", "S256"}});
  if (!reply) {
    return reply.error();
  }
  if (reply->status != 200) {
    return refused_start(provider_.settings().issuer, *reply);
  }
  auto device = parse_device_reply(reply->body, provider_.settings().issuer);
  wipe(reply->body);
  if (!device) {
    return device.error();
  }
  const seconds limit = provider_.settings().login_time_limit;
  const seconds lifetime = std::min(limit, device->expires_in.value_or(limit));
  device_code_ = std::move(device->device_code);
  interval_ = device->interval;
  next_ = now() + interval_;
  deadline_ = now() + lifetime;
  return DevicePrompt{std::move(device->verification_uri),
                      std::move(device->verification_uri_complete), std::move(device->user_code),
                      provider_.clock().wall() + lifetime};
}

DeviceFlow::Answer DeviceFlow::poll() {
  if (device_code_.empty()) {
    return Error{Errc::invalid, "this login has ended, or has not begun"};
  }
  if (now() < next_poll()) {
    return Pending{};
  }
  if (now() < next_ || now() > deadline_ + kLastPollWithin) {
    return run_out();
  }
  const bool is_last = now() >= deadline_;
  HttpForm form;  // not as a list in braces, which would be copied and never wiped
  form.emplace_back("grant_type", kDeviceGrant);
  form.emplace_back("device_code", device_code_.view());
  form.emplace_back("code_verifier", code_verifier_);
  auto reply = provider_.post(metadata_->token_endpoint, std::move(form));
  Answer answer = reply ? judge(parse_token_reply(reply->status, reply->body))
                        : back_off(reply.error().message);
  if (reply) {
    wipe(reply->body);
  }
  next_ = now() + std::max(interval_, pause_);
  if (is_last && std::holds_alternative<Pending>(answer)) {
    return run_out();
  }
  if (!std::holds_alternative<Pending>(answer)) {
    device_code_ = SecretBytes();
    wipe(code_verifier_);
  }
  return answer;
}

DeviceFlow::Answer DeviceFlow::run_out() {
  device_code_ = SecretBytes();
  wipe(code_verifier_);
  if (failures_ > 0) {  // the person may have approved in time: not their fault
    return Error{Errc::io, provider_.settings().issuer + " did not answer until the code ran out"};
  }
  return Expired{};
}

DeviceFlow::Answer DeviceFlow::judge(TokenReply reply) {
  if (auto* tokens = std::get_if<Tokens>(&reply)) {
    return std::move(*tokens);
  }
  if (const auto* error = std::get_if<OauthError>(&reply)) {
    return judge_error(*error);
  }
  return back_off(metadata_->token_endpoint + " sends no answer that we understand");
}

DeviceFlow::Answer DeviceFlow::judge_error(const OauthError& error) {
  // Not of RFC 8628, but sent by servers in trouble, with and without a 5xx.
  if (error.code == "server_error" || error.code == "temporarily_unavailable") {
    return back_off(metadata_->token_endpoint + " answers " + error.code);
  }
  failures_ = 0;
  pause_ = seconds(0);
  if (error.code == "authorization_pending") {
    slow_downs_ = 0;
    return Pending{};
  }
  if (error.code == "slow_down") {
    interval_ += 5 * seconds(++slow_downs_);
    return Pending{};
  }
  if (error.code == "access_denied" || error.code == "authorization_declined") {
    return Denied{};
  }
  if (error.code == "expired_token" || error.code == "code_expired") {
    return Expired{};
  }
  return Error{Errc::denied,
               provider_.settings().issuer + ": " + error.code + " " + error.description};
}

DeviceFlow::Answer DeviceFlow::back_off(std::string what) {
  if (++failures_ > kMaxFailures) {
    return Error{Errc::io, std::move(what)};
  }
  pause_ = std::min(kMaxPause, 2 * std::max(pause_, interval_));
  return Pending{};
}

}  // namespace sallyport
