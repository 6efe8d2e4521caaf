// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace sallyport {

// A folder that a log is copied to. Names are below it.
class LogCopy {
public:
  // Makes it where it is missing, and locks it for as long as this lives. Errc::invalid: it is, by
  // whatever name, `kept_out` or in it.
  static Result<LogCopy> open(const std::string& folder, const std::string& kept_out);

  std::string path(const std::string& name) const { return (root_ / name).string(); }
  bool has(const std::string& name) const;
  // Appears whole; one that has these bytes is left alone.
  Status put(const std::string& name, std::string_view bytes) const;
  void remove(const std::string& name) const;  // a folder with what is in it
  Status sync() const;

private:
  LogCopy() = default;

  std::filesystem::path root_;
  UniqueFd folder_;
};

}  // namespace sallyport
