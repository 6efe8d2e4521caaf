// SPDX-License-Identifier: Apache-2.0
#include "player/verify/facts_check.h"

#include "player/files.h"
#include "shared/base/printable.h"
#include "shared/recording/facts_file.h"

#include <algorithm>
#include <filesystem>

namespace sallyport {

Result<RecordedFacts> parse_recorded_facts(std::string_view text, const std::string& recording) {
  const auto file = parse_facts_file(text, "facts of " + recording);
  if (!file) {
    return file.error();
  }
  const auto facts = parse_facts_event(file->event, "facts of " + recording);
  if (!facts) {
    return facts.error();
  }
  if (facts->recording != recording) {
    return Error{Errc::corrupt, "facts of another recording, " + printable(facts->recording)};
  }
  return RecordedFacts{commitment(*file), file->event};
}

std::optional<uint64_t> find_audit(const LogContents& log, const Sha256Digest& hash) {
  const auto found =
      std::lower_bound(log.audits.begin(), log.audits.end(), std::pair(hash, uint64_t{0}));
  return found != log.audits.end() && found->first == hash ? std::optional(found->second)
                                                           : std::nullopt;
}

std::string facts_path(const std::string& log_folder, const std::string& recording) {
  const auto folder = std::filesystem::absolute(log_folder + "/").lexically_normal();
  return (folder.parent_path().parent_path() / "facts" / (recording + ".json")).string();
}

void check_facts(const std::string& log_folder, const std::string& recording,
                 const LogContents& log, Findings& findings) {
  const std::string path = facts_path(log_folder, recording);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return;
  }
  const auto text = read_small_file(path);
  const auto facts =
      text ? parse_recorded_facts(*text, recording) : Result<RecordedFacts>(text.error());
  if (!facts) {
    return findings.add(Level::wrong, printable(path, 1000) + ": " + facts.error().message);
  }
  const auto found = find_audit(log, facts->hash);
  const auto name = parse_recording_id(recording);
  if (!found && name && !log.recordings.contains(*name)) {
    return;  // their entry would be signed with the recording's start
  }
  if (!found) {
    return findings.add(Level::wrong, "The facts beside it (" + printable(path, 1000) +
                                          ") are not in the log: they were changed");
  }
  findings.add(Level::proven,
               "The facts beside it are those of entry " + std::to_string(*found) + " of the log");
}

}  // namespace sallyport
