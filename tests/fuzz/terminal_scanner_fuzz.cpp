// SPDX-License-Identifier: Apache-2.0
//
// Whatever comes in, what reaches libvterm is safe for it, comes out the same however it is cut,
// and the grid behind stays in its bounds. The first byte chooses the size and the cuts.
#include "shared/base/log.h"
#include "shared/terminal/emulator.h"
#include "tests/shared/terminal/safe_output.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace sallyport;

namespace {

void require(bool holds, std::string_view what) {
  if (!holds) {
    log_error(what);
    std::abort();
  }
}

std::string scan(std::string_view bytes, size_t step) {
  Scanner scanner;
  std::string out;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, step);
    scanner.feed(part, [&](std::string_view safe) {
      require(safe.size() <= kScannerWriteBytes, "a write is too long");
      require(what_libvterm_cannot_hold(safe).empty(), "a write is not safe");
      out += safe;
    });
    bytes.remove_prefix(part.size());
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const unsigned choice = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  require(scan(bytes, bytes.size()) == scan(bytes, 1 + choice % 7), "cuts change the output");

  Emulator emulator(2 + static_cast<int>(choice % 90), 2 + static_cast<int>(choice % 30));
  const size_t half = bytes.size() / 2;
  emulator.feed(bytes.substr(0, half));
  const auto keyframe = emulator.save();
  emulator.resize(static_cast<int>(choice % 50), static_cast<int>(choice % 13));
  emulator.feed(bytes.substr(half));
  emulator.restore(keyframe);
  emulator.feed(bytes.substr(half));
  for (int row = 0; row < emulator.grid().rows(); ++row) {
    require(is_valid_utf8(emulator.grid().row_text(row)), "a row is not UTF-8");
    for (const Cell& cell : emulator.grid().row(row)) {
      require(cell.width <= 2, "a cell is too wide");
    }
  }
  const CursorState& cursor = emulator.cursor();
  require(cursor.row >= 0 && cursor.row < emulator.grid().rows() && cursor.column >= 0 &&
              cursor.column < emulator.grid().columns(),
          "the cursor left the screen");
  return 0;
}
