// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/reindex.h"

#include "bastion/stored/index_row.h"
#include "bastion/stored/recovery.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"

#include <map>

namespace sallyport::stored {

namespace {

// What only the facts say; they are gone when the recording was erased.
RecordingEntry begin_row(const LogEntry& start, const FactsFolder& folder) {
  RecordingFacts facts;
  facts.recording = recording_id(start.recording);
  facts.start_ms = start.time_ms;
  const auto file = folder.read(start.recording);
  if (!file) {
    log_warning("facts cannot be read", {{"why", file.error().message}});
  } else if (*file) {
    const auto known = parse_facts_event((*file)->event, facts.recording);
    facts = known ? *known : facts;
  }
  return index_row(facts, 0);
}

void take_end(const LogEntry& end, RecordingEntry& row) {
  row.state = end.reason == "killed" || end.reason == "lost" || end.reason == "failed"
                  ? RecordingState::cut_off
                  : RecordingState::ended;
  row.end_ms = end.time_ms;
  row.frames = end.count;
  row.reason = end.reason;
  row.chain_head = std::string(as_text(end.hash));
}

void look_at_file(const RecordingsFolder& folder, const RecordingName& name, bool is_running,
                  RecordingEntry& row) {
  row.bytes = folder.bytes_of(name);
  if (row.bytes == 0 && row.state != RecordingState::erased) {
    row.state = folder.is_set_aside(name) ? RecordingState::set_aside : RecordingState::missing;
  } else if (row.state == RecordingState::running && !is_running) {
    row.state = RecordingState::cut_off;
  }
}

}  // namespace

Result<std::vector<RecordingEntry>> rows_from_files(const std::string& log_folder,
                                                    uint64_t log_size, const FactsFolder& facts,
                                                    const RecordingsFolder& folder,
                                                    const LegalHolds& holds,
                                                    const std::set<RecordingName>& running) {
  std::map<RecordingName, RecordingEntry> rows;
  const Status read = for_each_entry(log_folder, log_size, [&](const LogEntry& entry) {
    if (entry.kind == LogEntry::Kind::start) {
      rows.emplace(entry.recording, begin_row(entry, facts));
    } else if (const auto row = rows.find(entry.recording);
               entry.kind == LogEntry::Kind::end && row != rows.end()) {
      take_end(entry, row->second);
    } else if (entry.kind == LogEntry::Kind::erase && row != rows.end()) {
      row->second.state = RecordingState::erased;
    }
  });
  if (!read) {
    return read.error();
  }
  std::vector<RecordingEntry> out;
  out.reserve(rows.size());
  for (auto& [name, row] : rows) {
    look_at_file(folder, name, running.contains(name), row);
    row.hold = holds.is_held(name);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace sallyport::stored
