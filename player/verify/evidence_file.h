// SPDX-License-Identifier: Apache-2.0
//
// One file that proves one recording, anywhere. A ustar archive of:
//
//   RECIPE.txt          how to check it all with stock tools (recipe.h)
//   <recording>.brec    as it lies in the folder of recordings
//   checkpoint          of the log, signed
//   log-key.txt         the verifier's key that the exporter knew; nobody has to believe it
//   start.entry         a line of the log; and with each such line
//   start.tlog-proof    that it is in the checkpoint's tree
//   end.entry           or, while it runs,
//   head.entry          the last head, and heads.txt: the file that the entry names
//   erase.entry         of an erased one, and order.txt: the order that the entry names
//   facts.entry         and facts.json: who, where, by which key
#pragma once

#include "player/verify/findings.h"
#include "player/verify/ustar.h"
#include "shared/evidence/log_reader.h"

#include <string>
#include <vector>

namespace sallyport {

inline constexpr char kRecipeName[] = "RECIPE.txt";

// Begins like one; whether it is a good one shows when it is opened.
bool is_evidence_file(const std::string& path);

// What an evidence file says of its recording, as if it had been read from a log.
struct OpenedEvidence {
  RecordingName recording;
  TarMember file;
  LogContents log;    // the proven entries only; root_holds
  Findings findings;  // inclusion, facts; not the signature
};
// Errc::corrupt: not an evidence file. What is merely wrong in it is in the findings.
Result<OpenedEvidence> open_evidence(ByteSource& source);

// What no evidence file shows of itself: that the log says nothing else of its recording. `whole`:
// the log as somebody has it, in `folder`.
void compare_with_log(const LogContents& whole, const std::string& folder,
                      OpenedEvidence& evidence);

}  // namespace sallyport
