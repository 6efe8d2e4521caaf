// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/recording_part.h"
#include "shared/base/result.h"
#include "shared/recording/file_name.h"

#include <string>
#include <vector>

namespace sallyport {

// A file that exists is that file. Otherwise at least 6 hexadecimal digits are the beginning of a
// session's id, with "-CHANNEL" one channel of it, among the recordings in that folder; with "k" at
// the end what was typed there. Where several fit, the error lists them and says what to type.
Result<std::string> locate_recording(const std::string& name, const std::string& folder);

// Whether such a name is that of this recording; a session's beginning alone also names what was
// typed in it.
bool is_named(const RecordingName& recording, const std::string& name);

// All recordings of that part in that folder, by their names, in their order.
Result<std::vector<std::string>> all_recordings(const std::string& folder, RecordingPart part);

}  // namespace sallyport
