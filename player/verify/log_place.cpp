// SPDX-License-Identifier: Apache-2.0
#include "player/verify/log_place.h"

#include "player/verify/file_check.h"
#include "shared/recording/walker.h"

#include <filesystem>

namespace sallyport {

namespace fs = std::filesystem;

std::string log_folder_beside(const std::string& recordings, const Settings& settings) {
  if (!settings.log.empty()) {
    return settings.log;
  }
  const fs::path whole = fs::absolute(recordings + "/").lexically_normal();
  return (whole.parent_path().parent_path() / "log").string();
}

std::string log_folder_for(const std::string& recording_path, const Settings& settings) {
  return log_folder_beside(fs::absolute(recording_path).parent_path().string(), settings);
}

std::optional<RecordingName> name_in_header(const std::string& path) {
  auto source = open_path(path)();
  if (!source) {
    return std::nullopt;
  }
  const auto walker = RecordingWalker::open(std::move(*source));
  return walker ? std::optional(walker->header().name()) : std::nullopt;
}

}  // namespace sallyport
