// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/passphrase.h"

#include "bastion/ctl/vault/key_file.h"
#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace sallyport {

namespace {

constexpr size_t kMaxPassphraseBytes = 1024;

// Byte by byte and without signals, so that no Ctrl-C leaves the terminal without echo.
class SilentTerminal {
public:
  explicit SilentTerminal(int fd) : fd_(fd), changed_(::tcgetattr(fd, &before_) == 0) {
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    changed_ = changed_ && ::tcsetattr(fd, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (changed_) {
      ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  bool changed() const { return changed_; }

private:
  int fd_;
  termios before_{};
  bool changed_;
};

void write_text(int fd, std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
}

Result<SecretBytes> read_line(int fd) {
  SecretBytes line(kMaxPassphraseBytes);
  size_t size = 0;
  for (;;) {
    uint8_t byte = 0;
    const ssize_t got = ::read(fd, &byte, 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    constexpr uint8_t kCtrlC = 3, kCtrlD = 4, kCtrlU = 21, kBackspace = 8, kDelete = 127;
    if (got <= 0 || byte == kCtrlC || byte == kCtrlD) {
      return Error{Errc::invalid, "no passphrase given; nothing was changed"};
    }
    if (byte == '\r' || byte == '\n') {
      return SecretBytes(std::span<const uint8_t>(line.span()).first(size));
    }
    if (byte == kBackspace || byte == kDelete) {
      size -= size > 0 ? 1 : 0;
    } else if (byte == kCtrlU) {
      size = 0;
    } else if (size < line.size()) {
      line.data()[size++] = byte;
    }
  }
}

}  // namespace

Result<SecretBytes> ask_passphrase(const std::string& question) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) {
    return Error{Errc::invalid,
                 "the key is encrypted and there is no terminal to ask on; give --passphrase-file"};
  }
  const SilentTerminal silent(terminal.get());
  if (!silent.changed()) {
    return errno_error("switching the terminal's echo off");
  }
  write_text(terminal.get(), printable(question, 1000) + " ");
  auto line = read_line(terminal.get());
  write_text(terminal.get(), "\r\n");
  return line;
}

Result<SecretBytes> passphrase_from_file(const std::string& path) {
  const auto content = read_secret_file(path);
  if (!content) {
    return content.error();
  }
  const std::string_view text = content->view();
  const size_t end = std::min(text.find_first_of("\r\n"), text.size());
  if (end == 0) {
    return Error{Errc::invalid, path + ": no passphrase in its first line"};
  }
  return SecretBytes(text.substr(0, end));
}

}  // namespace sallyport
