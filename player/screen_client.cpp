// SPDX-License-Identifier: Apache-2.0
#include "player/screen_client.h"

#include "player/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>

namespace sallyport {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(20);
constexpr int kLookMs = 200;  // for an interrupt, also one that came just before the wait

// What may be on its way to the emulator, so that each wait is for little work: 16 KiB of the worst
// (line feeds between margins, 500x200) take it 1 to 3 s.
constexpr int kSendBufferBytes = 16 * 1024;

// In the child of a fork: only what is safe there. The socket becomes standard input; everything
// else is closed by the emulator itself, or at exec.
[[noreturn]] void execute(const char* path, int socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  char name[] = "sallyport-play-screen";
  char* const argv[] = {name, nullptr};
  char* const environment[] = {nullptr};
  if (::dup2(socket, STDIN_FILENO) >= 0) {
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execve(path, argv, environment);
  }
  ::_exit(127);
}

// Waits until the socket is ready. False when the emulator takes too long, or the auditor leaves.
bool ready(int fd, short events) {
  const auto end = Clock::now() + kPatience;
  while (!interrupted() && Clock::now() < end) {
    pollfd entry{fd, events, 0};
    const int count = ::poll(&entry, 1, kLookMs);
    if (count > 0 || (count < 0 && errno != EINTR)) {  // EINTR: SIGWINCH while drawing
      return count > 0;
    }
  }
  return false;
}

}  // namespace

std::string screen_executable() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const char* place :
       {"../libexec/sallyport-play-screen", "../libexec/sallyport/sallyport-play-screen"}) {
    const fs::path candidate = (here / place).lexically_normal();
    if (fs::exists(candidate, ignored)) {
      return candidate.string();
    }
  }
  return SALLYPORT_LIBEXEC_DIR "/sallyport-play-screen";
}

Result<ScreenClient> ScreenClient::start() {
  const std::string path = screen_executable();
  if (::access(path.c_str(), X_OK) != 0) {
    return errno_error("the emulator " + path +
                       " cannot be started; is sallyport installed whole?");
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return errno_error("socketpair");
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return errno_error("fork");
  }
  if (pid == 0) {
    execute(path.c_str(), theirs.get());
  }
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  ::setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  return ScreenClient(std::move(ours), pid);
}

ScreenClient::ScreenClient(ScreenClient&& other) noexcept
    : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, -1)) {}

ScreenClient& ScreenClient::operator=(ScreenClient&& other) noexcept {
  if (this != &other) {
    stop();
    socket_ = std::move(other.socket_);
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

void ScreenClient::stop() {
  socket_.reset();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
}

Error ScreenClient::failed(const std::string& what) {
  stop();
  return {Errc::internal, "the terminal emulator " + what};
}

Status ScreenClient::send(const std::vector<uint8_t>& message) {
  size_t done = 0;
  while (done < message.size()) {
    const ssize_t put =
        ::send(socket_.get(), message.data() + done, message.size() - done, MSG_NOSIGNAL);
    if (put > 0) {
      done += static_cast<size_t>(put);
    } else if (put < 0 && errno == EINTR) {
      continue;
    } else if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!ready(socket_.get(), POLLOUT)) {
        return failed("does not answer");
      }
    } else {
      return failed("ended unexpectedly");
    }
  }
  return ok();
}

Status ScreenClient::receive(uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(socket_.get(), data, size, 0);
    if (got > 0) {
      data += got;
      size -= static_cast<size_t>(got);
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!ready(socket_.get(), POLLIN)) {
        return failed("does not answer");
      }
    } else {
      return failed("ended unexpectedly");
    }
  }
  return ok();
}

Result<std::vector<uint8_t>> ScreenClient::ask(const std::vector<uint8_t>& question,
                                               ScreenMessage answer) {
  if (Status sent = send(question); !sent) {
    return sent.error();
  }
  std::array<uint8_t, kScreenHeaderBytes> bytes{};
  if (Status got = receive(bytes.data(), bytes.size()); !got) {
    return got.error();
  }
  const ScreenHeader header = parse_screen_header(bytes);
  if (header.type != static_cast<uint8_t>(answer) || header.length > kMaxAnswerBytes) {
    return failed("sent what was not asked for");
  }
  std::vector<uint8_t> body(header.length);
  if (Status got = receive(body.data(), body.size()); !got) {
    return got.error();
  }
  return body;
}

Status ScreenClient::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, kMaxFeedBytes);
    const auto* data = reinterpret_cast<const uint8_t*>(part.data());
    if (Status sent = send(screen_message(ScreenMessage::feed, std::span(data, part.size())));
        !sent) {
      return sent;
    }
    bytes.remove_prefix(part.size());
  }
  return ok();
}

namespace {

uint16_t size16(int value) {
  return static_cast<uint16_t>(std::clamp(value, 0, 0xffff));
}

}  // namespace

Status ScreenClient::reset(int columns, int rows) {
  return send(screen_message(ScreenMessage::reset, {size16(columns), size16(rows)}));
}
Status ScreenClient::resize(int columns, int rows) {
  return send(screen_message(ScreenMessage::resize, {size16(columns), size16(rows)}));
}
Status ScreenClient::save(uint32_t slot) {
  return send(screen_slot_message(ScreenMessage::save, slot));
}
Status ScreenClient::restore(uint32_t slot) {
  return send(screen_slot_message(ScreenMessage::restore, slot));
}
Status ScreenClient::drop(uint32_t slot) {
  return send(screen_slot_message(ScreenMessage::drop, slot));
}

Result<Picture> ScreenClient::look() {
  Result<std::vector<uint8_t>> body =
      ask(screen_message(ScreenMessage::look, std::span<const uint8_t>{}), ScreenMessage::picture);
  if (!body) {
    return body.error();
  }
  Result<Picture> picture = decode_picture(*body);
  if (!picture) {
    stop();
  }
  return picture;
}

Status ScreenClient::keep_lines() {
  static constexpr uint8_t kOn[] = {1};
  return send(screen_message(ScreenMessage::keep_lines, std::span<const uint8_t>(kOn)));
}

Result<std::vector<std::string>> ScreenClient::take_lines(bool unfinished) {
  const uint8_t flag[] = {static_cast<uint8_t>(unfinished)};
  Result<std::vector<uint8_t>> body =
      ask(screen_message(ScreenMessage::take_lines, std::span<const uint8_t>(flag)),
          ScreenMessage::lines);
  if (!body) {
    return body.error();
  }
  Result<std::vector<std::string>> lines = decode_lines(*body);
  if (!lines) {
    stop();
  }
  return lines;
}

}  // namespace sallyport
