// SPDX-License-Identifier: Apache-2.0
//
// The file of the index: found sound, or begun anew. All that it says can be said again by the
// recordings, the facts and the log, so a damaged file is nothing to stop for.
#pragma once

#include "shared/base/result.h"
#include "shared/sqlite/database.h"

#include <string>

namespace sallyport::stored {

struct IndexFile {
  SqliteDatabase database;
  bool is_new = false;  // it has no rows because it was begun just now
};

// Of the current version, in WAL mode; older ones are migrated. A damaged file, or one of somebody
// else, is set aside and logged. Errc::invalid: a newer version of us has written it, so it stays
// as it is. Errc::io: the disk; try again later. Reads all of the file.
Result<IndexFile> open_index_file(const std::string& path);

// Renames it to "<path>.damaged", in place of what has that name, with its -wal. No connection may
// be open.
Status set_index_aside(const std::string& path, const std::string& why);

}  // namespace sallyport::stored
