// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace sallyport {

// A channel may have two recordings, each a file of its own: what went through it, and what was
// typed on it (docs/formats/brec.md, Keystrokes).
enum class RecordingPart : uint8_t { channel = 0, keystrokes = 1, last_ = keystrokes };

// As the header key "sallyport" of a recording has it: "", "keystrokes".
constexpr const char* name_of(RecordingPart part) {
  return part == RecordingPart::keystrokes ? "keystrokes" : "";
}

}  // namespace sallyport
