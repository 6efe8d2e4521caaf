// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

// Where a recording is read from. It may grow while it is read.
class ByteSource {
public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  // Fills `out` as far as there are bytes at `offset`; says how many.
  virtual Result<size_t> read_at(uint64_t offset, std::span<uint8_t> out) = 0;
  virtual Result<uint64_t> size() = 0;
  // The first place from `offset` on that may have other bytes than zero; `offset` where that is
  // not known.
  virtual uint64_t after_hole(uint64_t offset) { return offset; }
};

// As ByteSource::read_at().
Result<size_t> read_fully_at(int fd, uint64_t offset, std::span<uint8_t> out);

class FdSource : public ByteSource {
public:
  explicit FdSource(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<size_t> read_at(uint64_t offset, std::span<uint8_t> out) override;
  Result<uint64_t> size() override;
  uint64_t after_hole(uint64_t offset) override;

private:
  UniqueFd fd_;
};

class MemorySource : public ByteSource {
public:
  explicit MemorySource(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  Result<size_t> read_at(uint64_t offset, std::span<uint8_t> out) override;
  Result<uint64_t> size() override { return bytes_.size(); }

private:
  std::vector<uint8_t> bytes_;
};

}  // namespace sallyport
