// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/recording/file_name.h"

#include <string>

namespace sallyport::stored {

// Legal holds: what is held is neither erased nor deleted, by nobody's order and by no retention.
// One file for each recording, with the reason; not in the index, which can be lost.
class LegalHolds {
public:
  static Result<LegalHolds> open(const std::string& path);  // makes it, mode 0750

  // On disk when this returns. What is held for another reason is refused, and keeps the first.
  Status hold(const RecordingName& recording, const std::string& reason);
  Status release(const RecordingName& recording);

  // Also where that cannot be known now.
  bool is_held(const RecordingName& recording) const;
  // Of one that is held; an error where its file cannot be read.
  Result<std::string> reason_of(const RecordingName& recording) const;

private:
  explicit LegalHolds(std::string path) : path_(std::move(path)) {}
  std::string path_of(const RecordingName& recording) const;

  std::string path_;
};

}  // namespace sallyport::stored
