// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/config.h"
#include "shared/config/json_tree.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// What load_config() found, in the order of the files. `config` is there when nothing is wrong;
// warnings are what works but is hardly meant, such as a target that nobody can reach yet.
// `with_errors` is there when something is wrong, and it is still known where the bastion's folders
// are: every file is JSON, or one that is names runtime_directory. What is wrong or was not read
// has its default, so this is to find running daemons and their files by, and for nothing else.
struct ConfigReport {
  std::optional<Config> config;
  std::optional<Config> with_errors;
  std::vector<Finding> errors;
  std::vector<Finding> warnings;
  std::string text() const;  // the errors, one per line
};
ConfigReport check_config(const std::string& path);

// The same, as if `file`, one of the directory `path`, already had this text.
ConfigReport check_config_with(const std::string& path, const std::string& file,
                               const std::string& text);

// The same for one file's text that is already in memory; relative paths are relative to the
// folder of `file`. For tests and the fuzzer.
ConfigReport check_config_text(const std::string& file, std::string_view text);

// The files that `path` stands for, in the order in which they are read.
Result<std::vector<std::string>> list_config_files(const std::string& path);

inline constexpr size_t kMaxConfigFileBytes = size_t{8} * 1024 * 1024;

}  // namespace sallyport
