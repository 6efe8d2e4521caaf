// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/config.h"

#include <map>
#include <string>

namespace sallyport {

// DIRECTORY/targets.json: the targets that sallyportctl keeps. The files that people write are
// never touched. From open() to the object's end nobody else changes it (a lock on the directory).
class TargetsFile {
public:
  // config_path must be a directory: of a single file, targets.json would not be a part.
  static Result<TargetsFile> open(const std::string& config_path);

  std::map<std::string, TargetConfig>& targets() { return targets_; }
  const std::string& path() const { return path_; }

  // Refuses what would not load; then temporary file, fsync, rename, fsync of the directory.
  Status save();

private:
  std::string text() const;
  Status replace_file(const std::string& text) const;

  std::string directory_;
  std::string path_;
  UniqueFd lock_;
  std::map<std::string, TargetConfig> targets_;
};

}  // namespace sallyport
