// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/event.h"
#include "shared/base/result.h"
#include "shared/recording/header.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

// The header key "sallyport" of a recording's asciicast: what the bastion knew when the channel was
// opened. docs/formats/brec.md has the meaning of each. A text that is empty is left out of the
// JSON, and comes back empty. All but `command` come from authd's grant or from the connection
// itself, never from what the client typed.
struct SessionFacts {
  std::string who;          // the person as policy names it
  std::string issuer;       // of the ID token
  std::string subject;      // the issuer's stable name for the person
  std::string target;       // inventory name
  std::string login;        // account on the target
  std::string address;      // the client's, "192.0.2.1:50022"
  std::string fingerprint;  // "SHA256:..." of the key that the client proved; empty without one
  std::string kind;         // "shell", "exec", "subsystem", "local-forward", ...
  std::string command;      // of exec, as the client sent it; a subsystem; where a connection goes
  std::string session;      // 32 hex digits
  uint32_t channel = 0;     // as in the file's header and name
  std::string part;         // "keystrokes", or empty: as in the file's header and name
  std::string node;         // as in the file's header
  bool pty = false;
  bool operator==(const SessionFacts&) const = default;
};

// Bytes that are not UTF-8 (a command may have some) become U+FFFD.
std::string facts_json(const SessionFacts& facts);

// Keys that it does not know are ignored. Errc::protocol: not an object, or a key of another type.
Result<SessionFacts> parse_facts(std::string_view json);

// No tag covers the file's header, but the first line of the text repeats it: session, channel,
// node and start, to the second. False: the line does not have them all. Errc::corrupt: it has
// others.
Result<bool> proves_header(const AsciicastHeader& line, const RecordingHeader& header);

}  // namespace sallyport
