// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/recording/facts_file.h"
#include "shared/recording/file_name.h"

#include <optional>
#include <string>
#include <utility>

namespace sallyport::stored {

// The folder of facts, one file per recording, its owner's alone. Nothing is synced here: stored
// does that for the whole file system (syncfs).
class FactsFolder {
public:
  static Result<FactsFolder> open(const std::string& path);  // makes it, mode 0700

  // Whole or not at all, under another name first. Errc::invalid: there are some of it already.
  Status write_new(const RecordingName& recording, const FactsFile& facts);
  // nullopt: there are none. Errc::corrupt: not facts, or those of another recording.
  Result<std::optional<FactsFile>> read(const RecordingName& recording) const;
  // Also where there are none.
  Status remove(const RecordingName& recording) const;
  // Some that cannot be read are some.
  bool has(const RecordingName& recording) const;

private:
  FactsFolder(UniqueFd folder, std::string path)
      : folder_(std::move(folder)), path_(std::move(path)) {}
  std::string in_folder(const std::string& name) const { return path_ + "/" + name; }

  UniqueFd folder_;
  std::string path_;
};

}  // namespace sallyport::stored
