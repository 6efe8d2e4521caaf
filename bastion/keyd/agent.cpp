// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/agent.h"

#include "shared/ssh/wire.h"

#include <algorithm>
#include <string>

namespace sallyport {

namespace {

// draft-ietf-sshm-ssh-agent section 6.1
constexpr uint8_t kFailure = 5;
constexpr uint8_t kRequestIdentities = 11;
constexpr uint8_t kIdentitiesAnswer = 12;
constexpr uint8_t kSignRequest = 13;
constexpr uint8_t kSignResponse = 14;
constexpr uint8_t kExtension = 27;

void put_message(std::vector<uint8_t>& out, const SshWriter& body) {
  const auto message = SshWriter().string(body.bytes()).take();
  out.insert(out.end(), message.begin(), message.end());
}

void put_failure(std::vector<uint8_t>& out) {
  put_message(out, SshWriter().byte(kFailure));
}

Error refused(std::string text) {
  return Error{Errc::denied, std::move(text)};
}

}  // namespace

Status OneSignatureAgent::receive(std::span<const uint8_t> bytes, std::vector<uint8_t>& out) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  size_t taken = 0;
  Status status = ok();
  while (status && pending_.size() - taken >= 4) {
    SshReader reader(std::span<const uint8_t>(pending_).subspan(taken));
    const uint32_t size = reader.u32();
    if (size == 0 || size > kMaxMessageBytes) {
      status = refused("a message of " + std::to_string(size) + " bytes");
      break;
    }
    const auto message = reader.raw(size);
    if (!reader.ok()) {
      break;
    }
    taken += 4 + size;
    status = answer(message, out);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(taken));
  if (!status) {
    put_failure(out);
  }
  return status;
}

Status OneSignatureAgent::answer(std::span<const uint8_t> message, std::vector<uint8_t>& out) {
  const uint8_t type = message[0];
  if (has_signed_) {
    return refused("message " + std::to_string(type) + " after the one signature");
  }
  switch (type) {
    case kRequestIdentities:
      return answer_identities(message.subspan(1), out);
    case kSignRequest:
      return answer_sign(message.subspan(1), out);
    case kExtension:
      if (!extension_seen_) {
        extension_seen_ = true;
        put_failure(out);
        return ok();
      }
      [[fallthrough]];
    default:
      return refused("message " + std::to_string(type) + " is not served here");
  }
}

Status OneSignatureAgent::answer_identities(std::span<const uint8_t> body,
                                            std::vector<uint8_t>& out) {
  if (!body.empty() || ++lists_ > kMaxLists) {
    return refused("a bad request for identities, or too many");
  }
  put_message(
      out, SshWriter().byte(kIdentitiesAnswer).u32(1).string(grant_.key.blob).string("sallyport"));
  return ok();
}

Status OneSignatureAgent::answer_sign(std::span<const uint8_t> body, std::vector<uint8_t>& out) {
  SshReader reader(body);
  const auto blob = reader.string();
  const auto data = reader.string();
  const uint32_t flags = reader.u32();
  if (!reader.complete() || !std::ranges::equal(blob, grant_.key.blob)) {
    return refused("a malformed sign request, or one for another key");
  }
  const auto algorithm = check_signed_data(grant_, data, flags);
  if (!algorithm) {
    return refused("asked to sign " + algorithm.error().message);
  }
  has_signed_ = true;
  const auto signature = sign_(*algorithm, data);
  if (!signature) {
    return signature.error();
  }
  put_message(out, SshWriter().byte(kSignResponse).string(*signature));
  return ok();
}

}  // namespace sallyport
