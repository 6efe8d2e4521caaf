// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints as witnesses keep them (docs/formats/log.md, "Witnesses"): many notes in one text.
#pragma once

#include "shared/evidence/checkpoint.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// The notes of a text, in its order: text lines, an empty line, signature lines, and so on; the
// next one begins after an empty line or without one. Lines of syslog that hold a checkpoint are
// notes, too. What is neither is passed over, a note that was torn in the middle included. What
// comes out has the form of a note and no more.
std::vector<std::string> split_notes(std::string_view text);

// A checkpoint on one line: "sallyport-checkpoint ORIGIN SIZE ROOT SIGNATURE", with the base64 of
// the note's own lines. Of a note with a signature of its origin.
Result<std::string> checkpoint_line(std::string_view note);
// The note, where a line ends with one.
std::optional<std::string> note_of_line(std::string_view line);

}  // namespace sallyport
