// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/syslog_witness.h"

#include "shared/base/unique_fd.h"
#include "shared/evidence/note_file.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace sallyport::witness {

namespace {

constexpr timeval kPatience{5, 0};

// As syslog(3) writes it, for a daemon on the same machine (RFC 3164, without the host's name).
std::string datagram(const std::string& line) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char time[32] = "";
  (void)std::strftime(time, sizeof time, "%b %e %H:%M:%S", &local);
  return "<" + std::to_string(LOG_AUTHPRIV | LOG_NOTICE) + ">" + time + " sallyport-witness[" +
         std::to_string(::getpid()) + "]: " + line;
}

Status send_datagram(const std::string& path, const std::string& bytes) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{Errc::invalid, path + " is too long for a socket"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) != 0 ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
    return errno_error(path);
  }
  return ok();
}

}  // namespace

WitnessSays SyslogWitness::show(const SignedLog& log) {
  if (!log.checkpoint) {
    return nothing();
  }
  const auto line = checkpoint_line(log.note);
  if (!line) {
    return silent(line.error().message);
  }
  const Status sent = send_datagram(socket_, datagram(*line));
  return sent ? taken(log) : silent(sent.error().message);
}

}  // namespace sallyport::witness
