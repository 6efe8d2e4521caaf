// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/verify/file_check.h"

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// What is in a folder of recordings. Listed before the log is read: then each file that is listed
// has its start in the log, and what began meanwhile is nobody's business.
struct FolderListing {
  std::set<RecordingName> recordings;
  std::vector<std::string> others;  // names of files that are no recording's
};
Result<FolderListing> list_folder(const std::string& folder);

// A recording that the log, or a fault of it, names, and whose file is not there.
FileVerdict verdict_of_missing(const RecordingName& name, const LogContents& log);

// Every file of the folder, and every recording of the log that has none; each handed over as soon
// as it is known, in the order of their ids.
using TakeVerdict = std::function<void(const FileVerdict&)>;
void check_folder(const std::string& folder, const FolderListing& listing, const LogContents* log,
                  std::span<const AgeIdentity> identities, const TakeVerdict& take);

}  // namespace sallyport
