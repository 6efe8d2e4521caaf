// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/recording/file_name.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport::stored {

// The folder of recordings. Names are made of identifiers only (R14), files are new and
// append-only. Who has a file's descriptor holds its lock (flock), and so does everybody to whom
// the descriptor is passed: a file whose lock is free has no writer any more, whoever died.
class RecordingsFolder {
public:
  static Result<RecordingsFolder> open(const std::string& path);  // makes it, mode 0750

  // O_APPEND, O_EXCL, mode 0640, locked; begins with these bytes.
  Result<UniqueFd> create(const RecordingName& name, std::span<const uint8_t> header);
  void remove(const RecordingName& name);  // one that create() has made and nobody else has seen

  Result<std::vector<std::string>> file_names() const;  // all that stands there, whatever it is
  // Out of the folder, into `set-aside` beside it; says where it is now.
  Result<std::string> set_aside(const std::string& file_name);
  bool is_set_aside(const RecordingName& name) const;

  Result<uint64_t> free_bytes() const;                 // for us
  uint64_t bytes_of(const RecordingName& name) const;  // 0: there is none
  std::string path_of(const RecordingName& name) const;
  const std::string& path() const { return path_; }
  int fd() const { return folder_.get(); }

private:
  RecordingsFolder(UniqueFd folder, std::string path)
      : folder_(std::move(folder)), path_(std::move(path)) {}

  UniqueFd folder_;
  std::string path_;
};

}  // namespace sallyport::stored
