// SPDX-License-Identifier: Apache-2.0
//
// The part of POSIX ustar that an evidence file needs: ordinary files with short names, one after
// the other, the same bytes for the same content. tar -x of any system reads it.
#pragma once

#include "shared/base/result.h"
#include "shared/recording/source.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

inline constexpr uint64_t kUstarBlock = 512;
inline constexpr uint64_t kUstarMaxBytes = 077777777777;  // 8 GiB less one, of one member

// The header of one member; its bytes follow, and ustar_padding() zeros.
std::string ustar_header(const std::string& name, uint64_t size);
size_t ustar_padding(uint64_t size);
std::string ustar_end();

struct TarMember {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
};
// Errc::corrupt: something that ustar_header() does not write, a name twice, or it is cut.
Result<std::vector<TarMember>> read_ustar(ByteSource& source);

// A part of another source.
class SubSource final : public ByteSource {
public:
  SubSource(std::unique_ptr<ByteSource> whole, uint64_t offset, uint64_t size)
      : whole_(std::move(whole)), offset_(offset), size_(size) {}
  Result<size_t> read_at(uint64_t offset, std::span<uint8_t> out) override;
  Result<uint64_t> size() override { return size_; }
  uint64_t after_hole(uint64_t offset) override {
    return whole_->after_hole(offset_ + offset) - offset_;
  }

private:
  std::unique_ptr<ByteSource> whole_;
  uint64_t offset_;
  uint64_t size_;
};

}  // namespace sallyport
