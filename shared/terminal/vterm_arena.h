// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

// All memory of one VTerm. Because it lies in one piece at one address, a keyframe is a copy of
// the used part, and going back to it is copying it back: exact, whatever libvterm keeps inside.
// free() does nothing; VtermAdapter begins anew before the arena can run out.
class VtermArena {
public:
  static constexpr size_t kBytes = 1024 * 1024;

  VtermArena() : bytes_(kBytes) {}
  VtermArena(const VtermArena&) = delete;
  VtermArena& operator=(const VtermArena&) = delete;

  void* take(size_t size) noexcept;  // zeroed; fatal() when there is no more
  void clear() noexcept { used_ = 0; }
  size_t used() const { return used_; }
  std::span<const uint8_t> contents() const { return {bytes_.data(), used_}; }
  void restore(std::span<const uint8_t> contents);

private:
  std::vector<uint8_t> bytes_;
  size_t used_ = 0;
};

}  // namespace sallyport
