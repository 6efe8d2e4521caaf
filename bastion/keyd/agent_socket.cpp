// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/agent_socket.h"

#include "shared/base/log.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace sallyport {

AgentSocket::AgentSocket(EventLoop& loop, UniqueFd socket, const Id& session,
                         OneSignatureAgent agent, std::function<void()> ended,
                         std::chrono::milliseconds lifetime)
    : loop_(loop),
      socket_(std::move(socket)),
      session_(session),
      agent_(std::move(agent)),
      ended_(std::move(ended)) {
  loop_.watch(socket_.get(), EPOLLIN, [this](uint32_t) { on_ready(); });
  end_after(lifetime);
}

AgentSocket::~AgentSocket() {
  loop_.cancel(timer_);
  loop_.unwatch(socket_.get());
}

void AgentSocket::on_ready() {
  std::array<uint8_t, 4096> buffer;
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (size <= 0) {
    return end(agent_.has_signed() ? nullptr : "closed without a signature");
  }
  const bool had_signed = agent_.has_signed();
  std::vector<uint8_t> answers;
  const auto status = agent_.receive(std::span(buffer).first(static_cast<size_t>(size)), answers);
  const bool sent = send(answers);
  if (!status) {
    log_warning("signer_refused", {{"session", session_.hex()}, {"why", status.error().message}});
    return end(nullptr);
  }
  if (!sent) {
    return end("the other end does not read");
  }
  if (!had_signed && agent_.has_signed()) {
    log_info("signed", {{"session", session_.hex()}});
    end_after(kAfterSignature);
  }
}

// All answers together are smaller than any socket buffer, so what does not fit is a peer's doing.
bool AgentSocket::send(std::span<const uint8_t> bytes) {
  return bytes.empty() || ::send(socket_.get(), bytes.data(), bytes.size(),
                                 MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
}

void AgentSocket::end_after(std::chrono::milliseconds delay) {
  loop_.cancel(timer_);
  timer_ = loop_.call_after(
      delay, [this] { end(agent_.has_signed() ? nullptr : "not used in its time"); });
}

void AgentSocket::end(const char* why) {
  if (why != nullptr) {
    log_info("signer_ended", {{"session", session_.hex()}, {"why", why}});
  }
  const auto ended = std::move(ended_);  // may destroy this object
  ended();
}

}  // namespace sallyport
