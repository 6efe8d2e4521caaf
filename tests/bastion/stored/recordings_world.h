// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/recordings_folder.h"
#include "shared/evidence/tile_log.h"
#include "shared/recording/writer.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <sys/stat.h>

#include <string>
#include <vector>

namespace sallyport::stored {

// A folder of recordings and a log beside it, as stored has them.
struct RecordingsWorld {
  TestFolder root;
  RecordingsFolder folder = open_folder(root / "recordings");
  std::string log = root / "log";

  static RecordingsFolder open_folder(const std::string& path) {
    auto folder = RecordingsFolder::open(path);
    REQUIRE(folder);
    return std::move(*folder);
  }

  // What monitor and stored do, up to the descriptor.
  struct Begun {
    RecordingName name;
    Sha256Digest first_head;
    RecordingWriter writer;
  };
  Begun begin(const RecordingName& name) {
    auto prepared = new_recording(
        {name.session, name.channel, "node", 1000, {age_generate_identity().recipient()}});
    REQUIRE(prepared);
    auto file = folder.create(name, prepared->header);
    REQUIRE(file);
    const Sha256Digest first_head = prepared->first_head;
    auto writer = RecordingWriter::begin(std::move(*file), std::move(*prepared), "{\"version\":3}");
    REQUIRE(writer);
    return {name, first_head, std::move(*writer)};
  }

  static LogEntry start_entry(const Begun& begun) {
    LogEntry entry;
    entry.recording = begun.name;
    entry.hash = begun.first_head;
    return entry;
  }
  static LogEntry end_entry(const Begun& begun) {
    LogEntry entry;
    entry.kind = LogEntry::Kind::end;
    entry.recording = begun.name;
    entry.count = begun.writer.frames();
    entry.hash = begun.writer.chain_head();
    entry.reason = "closed";
    return entry;
  }

  void append(const std::vector<LogEntry>& entries) {
    auto opened = TileLog::open(log, {});
    REQUIRE(opened);
    REQUIRE(opened->append(entries));
  }
};

}  // namespace sallyport::stored
