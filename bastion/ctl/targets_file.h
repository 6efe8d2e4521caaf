// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/config.h"

#include <map>
#include <string>

namespace sallyport {

// DIRECTORY/targets.json: the targets that sallyportctl keeps, and what `target import` has brought
// beside them. The files that people write are
// never touched. From open() to the object's end nobody else changes it (a lock on the directory).
class TargetsFile {
public:
  // config_path must be a directory: of a single file, targets.json would not be a part.
  static Result<TargetsFile> open(const std::string& config_path);

  std::map<std::string, TargetConfig>& targets() { return targets_; }
  std::map<std::string, HostCaConfig>& host_cas() { return host_cas_; }
  std::vector<std::string>& revoked_host_keys() { return revoked_; }
  const std::string& path() const { return path_; }

  // Refuses what would not load; then temporary file, fsync, rename, fsync of the directory.
  Status save();

private:
  Status read();
  std::string text() const;
  Status replace_file(const std::string& text) const;

  std::string directory_;
  std::string path_;
  UniqueFd lock_;
  std::map<std::string, TargetConfig> targets_;
  std::map<std::string, HostCaConfig> host_cas_;
  std::vector<std::string> revoked_;
};

}  // namespace sallyport
