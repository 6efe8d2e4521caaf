// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/settings.h"
#include "shared/recording/file_name.h"

#include <optional>
#include <string>

namespace sallyport {

// The folder of the log: the one in the settings, or "log" beside the folder of recordings.
std::string log_folder_beside(const std::string& recordings, const Settings& settings);
std::string log_folder_for(const std::string& recording_path, const Settings& settings);

// What a recording's header says it is; none where there is no good header.
std::optional<RecordingName> name_in_header(const std::string& path);

}  // namespace sallyport
