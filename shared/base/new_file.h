// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct FileOwner {
  uid_t user;
  gid_t group;
};

// A new file, whole or not at all, on disk when this returns: it is written under another name in
// the same folder and gets its own last, with its mode and owner. A name that exists is an error,
// and what has it stays as it is.
Status write_new_file(const std::string& path, std::string_view bytes, mode_t mode = 0600,
                      std::optional<FileOwner> owner = std::nullopt);

// A name that came or went in its folder, onto the disk. The file is there; where a folder cannot
// be synced, the file system does it in its own time.
void sync_folder_of(const std::string& path);

}  // namespace sallyport
