// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/event.h"
#include "shared/base/result.h"
#include "shared/crypto/age_keys.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// An event code of the player's own: bytes of a channel that is not text; data says how many and
// where to, never what.
inline constexpr char kBytesNote = 'B';
inline constexpr uint32_t kMaxHeaderSize = 10000;  // columns, rows; the emulator clamps further

struct SourceFacts {
  int columns = 80;
  int rows = 24;
  bool is_keystrokes = false;  // what was typed on a channel, not what went through it
  bool has_terminal = true;    // without one a line feed alone begins a new line
  std::optional<int64_t> start_ms;
  std::optional<uint64_t> duration_us;
  std::string title;
  AsciicastHeader header;
};

enum class EventForm {
  exact,     // for the emulator: the bytes as they were
  readable,  // for other players' files: as the asciicast text has them
};

// A recording or an asciicast file as a row of events. Reads forwards in batches; between two
// batches it may be possible to mark the place and to come back to it later.
class EventSource {
public:
  virtual ~EventSource() = default;
  virtual const SourceFacts& facts() const = 0;

  // Appends the next events; false at the end, where ending() says more. Nothing comes after an
  // error. What was given out before is checked and stays good.
  virtual Result<bool> next(std::vector<AsciicastEvent>& out) = 0;

  // A place to come back to; none where reading cannot begin. The beginning is mark 0.
  virtual std::optional<uint32_t> mark() = 0;
  virtual Status return_to(uint32_t mark) = 0;

  // "" for an ordinary end, else how it is incomplete.
  virtual std::string ending() const { return ""; }
};

// By what the file says of itself. An asciicast file needs no identity.
Result<std::unique_ptr<EventSource>> open_source(const std::string& path,
                                                 const std::vector<std::string>& identity_files,
                                                 EventForm form);

// age identities of the auditor, of all files together; errors say how to get them.
Result<std::vector<AgeIdentity>> read_identities(const std::vector<std::string>& identity_files);

// Why a recording does not open: with the file's name, and with what to do.
Error cannot_open(const std::string& path, const Error& error);

bool is_brec_file(const std::string& path);

// Fills what is known from an asciicast header, our own key included.
void take_header(const AsciicastHeader& header, SourceFacts& facts);

Result<std::unique_ptr<EventSource>> open_cast_source(const std::string& path, EventForm form);
Result<std::unique_ptr<EventSource>> open_brec_source(const std::string& path,
                                                      std::vector<AgeIdentity> identities,
                                                      EventForm form);

}  // namespace sallyport
