// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/daemon_client.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sallyport {

namespace {

constexpr int kAnswerTimeoutMs = 30'000;

Error no_permission(const std::string& daemon) {
  return Error{Errc::denied, daemon +
                                 " does not answer this user; run as root, or as the user that "
                                 "started sallyportd"};
}

}  // namespace

Result<DaemonClient> DaemonClient::connect(const Config& config, const std::string& daemon) {
  const std::string path = config.socket_path(daemon);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 && errno == EACCES) {
    return no_permission(daemon);
  }
  auto socket = connect_peer(path);
  if (!socket && ::access(path.c_str(), F_OK) == 0 && ::access(path.c_str(), W_OK) != 0) {
    return no_permission(daemon);
  }
  if (!socket) {
    return Error{Errc::io, daemon + " does not run (" + path +
                               "); start it with `systemctl start sallyport.target` or `sallyportd "
                               "--config " +
                               config.path + "`"};
  }
  return DaemonClient(daemon, std::move(*socket));
}

Result<Received> DaemonClient::next() {
  auto received = receive_waiting(peer_, kAnswerTimeoutMs);
  return received ? std::move(received) : Result<Received>(closed(received.error()));
}

Result<std::string> DaemonClient::read_answer(const Received& received) const {
  auto answer = decode_as<Answer>(received);
  if (!answer) {
    return answer.error();
  }
  if (!answer->ok) {
    return Error{Errc::denied, daemon_ + ": " + answer->text};
  }
  return answer->text;
}

// A daemon hangs up on those who may not ask it, without a word: we see the end of the stream, a
// reset, or a broken pipe, whichever comes first.
Error DaemonClient::closed(const Error& error) const {
  if (error.code != Errc::io || error.message.starts_with("no answer")) {
    return Error{error.code, daemon_ + ": " + error.message};
  }
  return ::geteuid() == 0 ? Error{Errc::io, daemon_ + " hung up; its log says why"}
                          : no_permission(daemon_);
}

}  // namespace sallyport
