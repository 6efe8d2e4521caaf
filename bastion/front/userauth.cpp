// SPDX-License-Identifier: Apache-2.0
#include "bastion/front/userauth.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/ssh/algorithms.h"

#include <algorithm>
#include <optional>

namespace sallyport::front {

namespace {

constexpr int kMaxAttempts = 64;
constexpr std::chrono::milliseconds kGoesOnWithin{200};
constexpr int kKeepAwakeMs = 4000;
constexpr auto kIgnoreEvery = std::chrono::seconds(4);
constexpr size_t kMaxUserBytes = 200;
constexpr size_t kMaxAnswerBytes = 1024;

constexpr AllowedMessage<UserAuth> kFromMonitor[] = {
    allow<&UserAuth::answer_prompt>(in(1), Times::many),
    allow<&UserAuth::answer_verdict>(in(0, 1), Times::many),
};

struct Key {
  std::string algorithm;
  std::string blob;
};

std::optional<Key> read_key(ssh_key key) {
  char* base64 = nullptr;
  if (key == nullptr || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) {
    return std::nullopt;
  }
  const auto blob = from_base64(base64);
  ssh_string_free_char(base64);
  if (!blob) {
    return std::nullopt;
  }
  // The name stands in the blob itself (RFC 4253 section 6.6); ECDSA types carry their curve there.
  const size_t size = blob->size() > 4 ? (*blob)[3] : 0;
  if (size == 0 || blob->size() < 4 + size) {
    return std::nullopt;
  }
  return Key{std::string(blob->begin() + 4, blob->begin() + 4 + static_cast<std::ptrdiff_t>(size)),
             std::string(as_text(*blob))};
}

bool is_accepted_type(const std::string& algorithm) {
  const std::string list = std::string(",") + kClientKeyTypes + ",";
  return algorithm == "ssh-rsa" || list.find("," + algorithm + ",") != std::string::npos;
}

}  // namespace

UserAuth::UserAuth(ssh_session session, Peer& monitor, bool is_jump)
    : session_(session), monitor_(monitor), is_jump_(is_jump) {
  ssh_set_counters(session_, nullptr, &packets_);
  // No server callbacks, although they could refuse gssapi-with-mic (libssh processes it even where
  // it is not offered): with them every message is freed before it can be answered later. A client
  // that sends it unasked makes the GSSAPI library open files, and the sandbox ends this process.
}

void UserAuth::fail(std::string text) {
  state_ = State::failed;
  text_ = std::move(text);
}

void UserAuth::read_requests() {
  while (state_ == State::running) {
    SshMessage message(ssh_message_get(session_));
    if (!message) {
      break;
    }
    // Before its answer: the next packet may be here as soon as that is sent.
    packets_seen_ = packets_.in_packets;
    swallowed_.reset();
    read_request(std::move(message));
  }
  // A public key that libssh cannot parse (newer clients have some) or a wrong signature leaves no
  // message, and the client would wait for ever: a packet came of which nothing became. One that
  // wants no answer leaves none either, but then the client goes on (asyncssh sends such a packet
  // before each request).
  const auto now = std::chrono::steady_clock::now();
  if (packets_.in_packets != packets_seen_ && !swallowed_) {
    swallowed_ = now;
  }
  packets_seen_ = packets_.in_packets;
  // While a prompt stands a client may send what asks for no answer (PuTTY's keepalive does).
  const bool expects_answer = waiting_ == Waiting::for_client && !pending_;
  if (swallowed_ && now - *swallowed_ >= kGoesOnWithin && none_ && expects_answer &&
      state_ == State::running) {
    swallowed_.reset();
    if (++attempts_ > kMaxAttempts) {
      return fail("too many attempts");
    }
    refuse(none_.get());
  }
}

void UserAuth::read_request(SshMessage message) {
  switch (ssh_message_type(message.get())) {
    case SSH_REQUEST_SERVICE: {
      const char* service = ssh_message_service_service(message.get());
      if (service == nullptr || std::string(service) != "ssh-userauth") {
        return fail("no such service");
      }
      ssh_message_service_reply_success(message.get());
      return;
    }
    case SSH_REQUEST_AUTH:
      return read_auth(std::move(message));
    default:
      ssh_message_reply_default(message.get());
  }
}

bool UserAuth::accept_user(ssh_message message) {
  // libssh gives no name with the answers of keyboard-interactive: we keep it ourselves.
  const char* typed = ssh_message_auth_user(message);
  if (typed == nullptr) {
    return true;
  }
  const std::string user = typed;
  if (user.size() > kMaxUserBytes) {
    fail("the user name is too long");
    return false;
  }
  if (has_user_ && user != user_) {
    fail("the user name changed during the login");
    return false;
  }
  user_ = user;
  has_user_ = true;
  return true;
}

void UserAuth::read_auth(SshMessage message) {
  if (++attempts_ > kMaxAttempts) {
    return fail("too many attempts");
  }
  if (!accept_user(message.get())) {
    return;
  }
  if (waiting_ == Waiting::for_monitor) {
    return fail("one login request at a time, please");
  }
  if (is_jump_) {  // whatever the client would prove, the outer session has proven it
    return ask_monitor(std::move(message), monitor_.send(AskJumpLogin{user_}));
  }
  switch (ssh_message_subtype(message.get())) {
    case SSH_AUTH_METHOD_NONE:
      refuse(message.get());
      none_ = std::move(message);
      return;
    case SSH_AUTH_METHOD_PUBLICKEY:
      return read_public_key(std::move(message));
    case SSH_AUTH_METHOD_INTERACTIVE:
      return read_interactive(std::move(message));
    default:
      refuse(message.get());
  }
}

void UserAuth::refuse(ssh_message message) {
  ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_INTERACTIVE);
  ssh_message_reply_default(message);
}

void UserAuth::ask_monitor(SshMessage message, Status sent) {
  if (!sent) {
    return fail("the bastion ends this connection");
  }
  pending_ = std::move(message);
  waiting_ = Waiting::for_monitor;
}

void UserAuth::read_public_key(SshMessage message) {
  const auto key = read_key(ssh_message_auth_pubkey(message.get()));
  // After a partial success OpenSSH offers all its keys again: a later one may be remembered.
  if (!key || !is_accepted_type(key->algorithm) || proven_.contains(key->blob)) {
    return refuse(message.get());
  }
  switch (ssh_message_auth_publickey_state(message.get())) {
    case SSH_PUBLICKEY_STATE_NONE:  // only an offer: it opens nothing
      ssh_message_auth_reply_pk_ok_simple(message.get());
      return;
    case SSH_PUBLICKEY_STATE_VALID:
      proven_.insert(key->blob);
      return ask_monitor(std::move(message),
                         monitor_.send(KeyProven{user_, key->algorithm, key->blob}));
    default:
      refuse(message.get());
  }
}

void UserAuth::read_interactive(SshMessage message) {
  if (ssh_message_auth_kbdint_is_response(message.get()) == 0) {
    return ask_monitor(std::move(message), monitor_.send(PromptWanted{user_}));
  }
  std::string answer;
  if (ssh_userauth_kbdint_getnanswers(session_) > 0) {
    const char* text = ssh_userauth_kbdint_getanswer(session_, 0);
    answer = text == nullptr ? "" : text;
  }
  answer.resize(std::min(answer.size(), kMaxAnswerBytes));
  ask_monitor(std::move(message), monitor_.send(PromptAnswer{answer}));
}

int UserAuth::wait_ms() const {
  return swallowed_ ? static_cast<int>(kGoesOnWithin.count()) : kKeepAwakeMs;
}

void UserAuth::keep_awake() {
  const auto now = std::chrono::steady_clock::now();
  if ((waiting_ == Waiting::for_monitor || pending_) && now - last_ignore_ >= kIgnoreEvery) {
    last_ignore_ = now;
    ssh_send_ignore(session_, "");
  }
}

Status UserAuth::receive(Received& message) {
  return dispatch<UserAuth>(kFromMonitor, *this, waiting_ == Waiting::for_monitor ? 1 : 0, seen_,
                            message);
}

Status UserAuth::answer_prompt(const Prompt& prompt) {
  waiting_ = Waiting::for_client;
  const char* text = prompt.text.c_str();
  char echo = 1;
  // The instruction is cut at 1,023 bytes and escaped by OpenSSH before 10.3; the prompt is not.
  const int sent =
      prompt.automatic
          ? ssh_message_auth_interactive_request(pending_.get(), "", text, 0, nullptr, nullptr)
          : ssh_message_auth_interactive_request(pending_.get(), "", "", 1, &text, &echo);
  if (sent == SSH_ERROR) {
    fail("the prompt cannot be shown");
  }
  return ok();
}

Status UserAuth::answer_verdict(const Verdict& verdict) {
  const bool asked = waiting_ == Waiting::for_monitor;
  if (!asked && verdict.login != Login::disconnected) {
    return Error{Errc::protocol, "a verdict that nobody asked for"};
  }
  waiting_ = Waiting::for_client;
  const SshMessage request = std::move(pending_);
  switch (verdict.login) {
    case Login::accepted:
    case Login::refused:
      ssh_message_auth_reply_success(request.get(), 0);
      state_ = State::in;
      text_ = verdict.text;
      allowed_ = verdict.allowed;
      break;
    case Login::more:
      ssh_message_auth_set_methods(request.get(),
                                   SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_INTERACTIVE);
      ssh_message_auth_reply_success(request.get(), 1);
      break;
    case Login::try_another:
      refuse(request.get());
      break;
    case Login::disconnected:
      fail(verdict.text);
      break;
  }
  return ok();
}

}  // namespace sallyport::front
