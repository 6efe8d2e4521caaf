// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/screen_protocol.h"
#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// Where the emulator's executable is: beside this program's tree, never from the environment.
std::string screen_executable();

// One emulator process. Start it before a key is read: it is executed, not only forked, and
// inherits no descriptor but its socket. Any error (it died, it hung for kPatience, it sent
// nonsense) leaves it killed and reaped; start another one.
class ScreenClient {
public:
  static Result<ScreenClient> start();

  ScreenClient(const ScreenClient&) = delete;
  ScreenClient& operator=(const ScreenClient&) = delete;
  ScreenClient(ScreenClient&& other) noexcept;
  ScreenClient& operator=(ScreenClient&& other) noexcept;
  ~ScreenClient() { stop(); }

  Status reset(int columns, int rows);
  Status resize(int columns, int rows);
  Status feed(std::string_view bytes);
  Status save(uint32_t slot);
  Status restore(uint32_t slot);
  Status drop(uint32_t slot);
  Result<Picture> look();
  Status keep_lines();
  Result<std::vector<std::string>> take_lines(bool unfinished);
  pid_t pid() const { return pid_; }

private:
  ScreenClient(UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
  Status send(const std::vector<uint8_t>& message);
  Result<std::vector<uint8_t>> ask(const std::vector<uint8_t>& question, ScreenMessage answer);
  Status receive(uint8_t* data, size_t size);
  Error failed(const std::string& what);
  void stop();

  UniqueFd socket_;
  pid_t pid_ = -1;
};

}  // namespace sallyport
