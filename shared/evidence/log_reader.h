// SPDX-License-Identifier: Apache-2.0
//
// A whole log, read by somebody who trusts none of its files. The root is computed from the
// entries; the tiles of hashes are compared with it. Where the entries do not make the root that
// was signed but the tiles do, the tiles say which entries were changed, and the others still
// count.
#pragma once

#include "shared/base/result.h"
#include "shared/evidence/checkpoint.h"
#include "shared/evidence/erasure_order.h"
#include "shared/evidence/log_entry.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

struct LogPlace {
  uint64_t index = 0;
  uint64_t time_ms = 0;
};
struct LoggedHead {
  uint64_t index = 0;  // of the heads entry
  uint64_t frames = 0;
  Sha256Digest head{};
};

// What the log says of one recording.
struct LoggedRecording {
  struct Start : LogPlace {
    Sha256Digest head{};
  };
  struct End : LogPlace {
    uint64_t frames = 0;
    Sha256Digest head{};
    std::string reason;
  };
  struct Erasure : LogPlace {
    Sha256Digest order{};
    std::shared_ptr<const SignedErasureOrder> says;  // none: it cannot be read, and is a fault
  };
  std::optional<Start> start;
  std::optional<End> end;           // the first; a second is a fault
  std::optional<Erasure> erasure;   // the first
  std::optional<Erasure> deletion;  // the first whose order wants the file deleted
  std::vector<LoggedHead> heads;    // of recordings that were asked for; as they stand in the log
  uint64_t last_frames = 0;         // of all heads, asked for or not
};

struct ClockStep {  // an entry is older than the one before it
  LogPlace place;
  uint64_t back_ms = 0;
};

struct LogQuestions {
  // Of which recordings the heads are kept; none: of none. They are 48 bytes each, one for every
  // 30 s of a recording.
  std::function<bool(const RecordingName&)> wants_heads;
  // Heads files that none of those needs are read nevertheless, and checked.
  bool every_heads_file = false;
  // Sizes at which the root is asked for.
  std::set<uint64_t> sizes;
};

struct LogContents {
  std::string note;  // the checkpoint's bytes; who signed it is for the caller to check
  Checkpoint checkpoint;
  uint64_t entries = 0;     // that were read
  bool root_holds = false;  // entries, or else tiles, make the checkpoint's root
  std::map<RecordingName, LoggedRecording> recordings;
  std::set<RecordingName> unsigned_starts;  // behind the checkpoint: logged, and not yet signed
  std::vector<std::pair<Sha256Digest, uint64_t>> audits;  // hash, index; sorted
  std::map<uint64_t, Sha256Digest> roots;                 // of the sizes that were asked for
  std::vector<ClockStep> clock_steps;
  // What is wrong with it as a whole, and what it says wrongly of one recording.
  std::vector<std::string> faults;
  std::map<RecordingName, std::vector<std::string>> faults_of;
  uint64_t more_faults = 0;  // left out: at most 200 of the log and 4 of each recording are listed
};

inline constexpr uint64_t kClockStepMs = 1000;  // less is no step

// An error only where there is no checkpoint to begin with; whatever else is wrong is a fault, and
// reading goes on. Memory: about 300 bytes for each recording in the log, and the heads.
Result<LogContents> read_log(const std::string& folder, const LogQuestions& questions);

// A file that is named by its own SHA-256, "heads" or "orders". Errc::not_found, Errc::corrupt.
Result<std::string> read_hashed_file(const std::string& folder, const std::string& kind,
                                     const Sha256Digest& hash);

}  // namespace sallyport
