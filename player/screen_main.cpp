// SPDX-License-Identifier: Apache-2.0
//
// sallyport-play-screen: the emulator. It is executed afresh, so that nothing of the player's
// memory (the key, other recordings) is in it; standard input is the socket to the player and its
// only descriptor that leads anywhere; in the sandbox it can read, write and end. What it parses is
// hostile: a crash costs the player a restart, a takeover gains a picture of cells.
#include "player/screen_protocol.h"
#include "shared/base/log.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/sandbox.h"
#include "shared/terminal/emulator.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <map>

namespace sallyport {

namespace {

constexpr int kSocket = STDIN_FILENO;
constexpr uint64_t kMemoryLimit = 768ULL * 1024 * 1024;
constexpr uint64_t kKeyframeLimit = 384ULL * 1024 * 1024;

// False at the end of the conversation.
bool read_all(uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(kSocket, data, size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    data += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

void write_all(const std::vector<uint8_t>& message) {
  size_t done = 0;
  while (done < message.size()) {
    const ssize_t put = ::write(kSocket, message.data() + done, message.size() - done);
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      std::_Exit(0);  // the player has gone
    }
    done += static_cast<size_t>(put);
  }
}

class Screen {
public:
  void answer(ScreenMessage type, std::span<const uint8_t> body) {
    switch (type) {
      case ScreenMessage::feed:
        emulator_.feed({reinterpret_cast<const char*>(body.data()), body.size()});
        return;
      case ScreenMessage::resize:
        expect(body, 4);
        emulator_.resize(first(body), second(body));
        return;
      case ScreenMessage::reset:
        expect(body, 4);
        emulator_.reset(first(body), second(body));
        return;
      case ScreenMessage::save:
      case ScreenMessage::restore:
      case ScreenMessage::drop:
        expect(body, 4);
        keyframe(type, read_le(body));
        return;
      case ScreenMessage::look:
        expect(body, 0);
        write_all(screen_message(ScreenMessage::picture, encode_picture(picture())));
        return;
      case ScreenMessage::keep_lines:
        expect(body, 1);
        emulator_.grid().keep_lines(body[0] != 0);
        return;
      case ScreenMessage::take_lines:
        expect(body, 1);
        write_all(screen_message(ScreenMessage::lines,
                                 encode_lines(emulator_.grid().take_lines(body[0] != 0))));
        return;
      default:
        fatal("unknown message to the emulator");
    }
  }

private:
  static void expect(std::span<const uint8_t> body, size_t size) {
    if (body.size() != size) {
      fatal("message of a wrong length to the emulator");
    }
  }
  static int first(std::span<const uint8_t> body) {
    return static_cast<int>(read_le(body.first(2)));
  }
  static int second(std::span<const uint8_t> body) {
    return static_cast<int>(read_le(body.subspan(2)));
  }

  void keyframe(ScreenMessage type, uint32_t slot) {
    const auto known = keyframes_.find(slot);
    if (type == ScreenMessage::restore) {
      if (known == keyframes_.end()) {
        fatal("a keyframe that was never saved");
      }
      emulator_.restore(known->second);
      return;
    }
    if (known != keyframes_.end()) {
      keyframe_bytes_ -= known->second.bytes();
      keyframes_.erase(known);
    }
    if (type == ScreenMessage::save) {
      Emulator::Keyframe fresh = emulator_.save();
      keyframe_bytes_ += fresh.bytes();
      if (keyframe_bytes_ > kKeyframeLimit || keyframes_.size() >= kMaxKeyframes) {
        fatal("too many keyframes");
      }
      keyframes_.emplace(slot, std::move(fresh));
    }
  }

  Picture picture() const {
    const Grid& grid = emulator_.grid();
    Picture picture;
    picture.columns = grid.columns();
    picture.rows = grid.rows();
    picture.cursor_column = emulator_.cursor().column;
    picture.cursor_row = emulator_.cursor().row;
    picture.cursor_visible = emulator_.cursor().visible;
    picture.alternate = grid.is_alternate();
    picture.reversed = emulator_.is_reversed();
    for (int row = 0; row < grid.rows(); ++row) {
      const auto cells = grid.row(row);
      picture.cells.insert(picture.cells.end(), cells.begin(), cells.end());
      picture.wrapped.push_back(grid.is_wrapped(row));
    }
    return picture;
  }

  Emulator emulator_{80, 24};
  std::map<uint32_t, Emulator::Keyframe> keyframes_;
  uint64_t keyframe_bytes_ = 0;
};

void loop() {
  Screen screen;
  std::vector<uint8_t> body(kMaxFeedBytes);
  std::array<uint8_t, kScreenHeaderBytes> header{};
  while (read_all(header.data(), header.size())) {
    const ScreenHeader h = parse_screen_header(header);
    if (h.length > kMaxFeedBytes || !read_all(body.data(), h.length)) {
      fatal("a broken message to the emulator");
    }
    screen.answer(static_cast<ScreenMessage>(h.type), std::span(body).first(h.length));
  }
}

// libvterm may print: nothing of that reaches the auditor's terminal, whoever started us.
void close_everything_else() {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || ::dup2(null.get(), STDOUT_FILENO) < 0 || ::dup2(null.get(), STDERR_FILENO) < 0) {
    fatal("cannot open /dev/null");
  }
  ::close_range(3, ~0U, 0);
}

}  // namespace

}  // namespace sallyport

int main() {
  using namespace sallyport;
  log_start("screen");
  harden_process();
  ::setsid();
  close_everything_else();
#if !defined(__SANITIZE_ADDRESS__)  // its shadow takes terabytes of address space
  limit_memory(kMemoryLimit);
#endif
  limit_descriptors(3);
  enter_sandbox(SandboxProfile::screen);
  loop();
  std::_Exit(0);
}
