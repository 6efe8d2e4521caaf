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

bool has_facts(const LogContents& log, const LoggedRecording::Start& start,
               const Sha256Digest& hash) {
  return std::binary_search(log.audits.begin(), log.audits.end(),
                            std::pair(hash, facts_index(start)));
}

std::string facts_path(const std::string& log_folder, const std::string& recording) {
  const auto folder = std::filesystem::absolute(log_folder + "/").lexically_normal();
  return (folder.parent_path().parent_path() / "facts" / (recording + ".json")).string();
}

void check_facts(const std::string& log_folder, const std::string& recording,
                 const LogContents& log, Findings& findings) {
  const auto name = parse_recording_id(recording);
  const auto known = name ? log.recordings.find(*name) : log.recordings.end();
  const LoggedRecording* logged =
      known != log.recordings.end() && known->second.start ? &known->second : nullptr;
  const std::string path = facts_path(log_folder, recording);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    const bool others_are_there =
        std::filesystem::exists(std::filesystem::path(path).parent_path(), ignored);
    if (logged != nullptr && !logged->erasure && others_are_there) {
      findings.add(Level::open, "Who it was: its facts (" + printable(path, 1000) +
                                    ") are missing, and no erasure of it was logged");
    }
    return;
  }
  const auto text = read_small_file(path);
  const auto facts =
      text ? parse_recorded_facts(*text, recording) : Result<RecordedFacts>(text.error());
  if (!facts) {
    return findings.add(Level::wrong, printable(path, 1000) + ": " + facts.error().message);
  }
  if (logged == nullptr) {
    return;  // their entry would be signed with the recording's start
  }
  if (!has_facts(log, *logged->start, facts->hash)) {
    return findings.add(Level::wrong,
                        "The facts beside it (" + printable(path, 1000) +
                            ") are not those that were logged with its start: they were changed");
  }
  findings.add(Level::proven,
               "The facts beside it are those that were logged with its start (entry " +
                   std::to_string(facts_index(*logged->start)) + " of the log)");
}

}  // namespace sallyport
