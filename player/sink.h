// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <cstddef>
#include <string>

namespace sallyport {

// Collects and writes. A reader that has gone (| head) is no error.
class Sink {
public:
  // A new file, readable by its owner only; "" or "-" is standard output.
  static Result<Sink> open(const std::string& path);

  std::string& buffer() { return buffer_; }
  bool reader_gone() const { return gone_; }
  bool is_terminal() const;

  static constexpr size_t kBlockBytes = 64 * 1024;

  // Writes the buffer if it is longer than `above`.
  Status drain(size_t above = kBlockBytes);

private:
  explicit Sink(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  std::string buffer_;
  bool gone_ = false;
};

}  // namespace sallyport
