// SPDX-License-Identifier: Apache-2.0
//
// What the player and its emulator say to each other over a socketpair. The player holds the key
// and the auditor's terminal; the emulator (sallyport-play-screen) parses what was recorded and
// may be taken over by it, so everything that comes back is checked cell by cell.
//
//   message = u32 body length | u8 type | body          integers little-endian
//
// The player asks, the emulator answers `look` and `take_lines`, and nothing else ever. A wrong
// type, length or value ends the emulator; the player starts another one.
#pragma once

#include "shared/base/result.h"
#include "shared/terminal/cell.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

enum class ScreenMessage : uint8_t {
  feed = 1,        // bytes
  resize = 2,      // u16 columns, u16 rows
  reset = 3,       // u16 columns, u16 rows: a fresh terminal; keyframes stay
  save = 4,        // u32 slot: keep a keyframe
  restore = 5,     // u32 slot, which was saved
  drop = 6,        // u32 slot
  look = 7,        // answered by picture
  keep_lines = 8,  // u8: from now on keep lines as they scroll off
  take_lines = 9,  // u8: also one whose end is still on the screen; answered by lines
  picture = 65,
  lines = 66,
};

inline constexpr size_t kScreenHeaderBytes = 5;
inline constexpr size_t kMaxFeedBytes = 4 * 1024;  // what these make fits in an answer
inline constexpr size_t kMaxAnswerBytes = 8 * 1024 * 1024;
inline constexpr uint32_t kMaxKeyframes = 4096;

// A screen at one moment: plain values, nothing to interpret.
struct Picture {
  int columns = 0;
  int rows = 0;
  int cursor_row = 0;
  int cursor_column = 0;
  bool cursor_visible = false;
  bool alternate = false;
  bool reversed = false;
  std::vector<Cell> cells;       // rows * columns
  std::vector<uint8_t> wrapped;  // per row: goes on in the next one
  const Cell& at(int row, int column) const {
    return cells[static_cast<size_t>(row) * static_cast<size_t>(columns) +
                 static_cast<size_t>(column)];
  }
};

// Header and body in one.
std::vector<uint8_t> screen_message(ScreenMessage type, std::span<const uint8_t> body);
std::vector<uint8_t> screen_message(ScreenMessage type, std::initializer_list<uint16_t> values);
std::vector<uint8_t> screen_slot_message(ScreenMessage type, uint32_t slot);

struct ScreenHeader {
  uint32_t length;
  uint8_t type;
};
ScreenHeader parse_screen_header(std::span<const uint8_t, kScreenHeaderBytes> bytes);

std::vector<uint8_t> encode_picture(const Picture& picture);
Result<Picture> decode_picture(std::span<const uint8_t> body);
std::vector<uint8_t> encode_lines(const std::vector<std::string>& lines);
Result<std::vector<std::string>> decode_lines(std::span<const uint8_t> body);

uint32_t read_le(std::span<const uint8_t> bytes);  // at most 4 bytes

}  // namespace sallyport
