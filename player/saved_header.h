// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/recording/header.h"

#include <optional>
#include <string>

namespace sallyport {

// A recording's header as it was, in FILE.rewrap beside it, for as long as its envelope is being
// replaced. Where that was interrupted the file may open for nobody; this one still does.
std::string saved_header_path(const std::string& recording);

// On disk when it returns ok. What an earlier rewrap left goes first.
Status save_header(const std::string& recording, int recording_fd, const RecordingHeader& header);

// None: there is none, or not of this recording.
std::optional<RecordingHeader> read_saved_header(const std::string& recording,
                                                 const RecordingHeader& header);

Status remove_saved_header(const std::string& recording);

}  // namespace sallyport
