// SPDX-License-Identifier: Apache-2.0
//
// A log in a folder, published as stored does it, with a checkpoint that nobody signs.
#pragma once

#include "shared/base/hex.h"
#include "shared/evidence/tile_log.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::test {

// The entries of make_vectors.py.
inline LogEntry audit_entry(uint64_t number) {
  LogEntry entry;
  entry.kind = LogEntry::Kind::audit;
  entry.time_ms = 1700000000000 + number;
  entry.hash = sha256(as_bytes(std::to_string(number)));
  return entry;
}

inline std::vector<LogEntry> audit_entries(uint64_t first, uint64_t end) {
  std::vector<LogEntry> entries;
  for (uint64_t i = first; i < end; ++i) {
    entries.push_back(audit_entry(i));
  }
  return entries;
}

// In the bytes of a bundle.
inline size_t entry_bytes(uint64_t number) {
  return 2 + log_entry_text(audit_entry(number)).size();
}

// The root over the first `size` audit entries, without a log.
inline Sha256Digest audit_root(uint64_t size) {
  MerkleFrontier frontier;
  for (uint64_t i = 0; i < size; ++i) {
    frontier.append(leaf_hash(as_bytes(log_entry_text(audit_entry(i)))));
  }
  return frontier.root();
}

inline std::map<std::string, std::string> files_of(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      std::ifstream in(entry.path(), std::ios::binary);
      files[std::filesystem::relative(entry.path(), folder)] = {std::istreambuf_iterator<char>(in),
                                                                {}};
    }
  }
  return files;
}

class TestLog {
public:
  TestLog() { std::filesystem::create_directory(folder()); }
  // A copy, for what damages it.
  TestLog(const TestLog& other) : last(other.last) {
    std::filesystem::copy(other.folder(), folder(), std::filesystem::copy_options::recursive);
  }
  TestLog& operator=(const TestLog&) = delete;

  std::string folder() const { return home_ / "log"; }
  std::string operator/(const std::string& name) const { return folder() + "/" + name; }
  std::map<std::string, std::string> files() const { return files_of(folder()); }

  Result<TileLog> open() const { return TileLog::open(folder(), last); }
  TileLog opened() const {
    auto log = open();
    INFO((log ? "" : log.error().message));
    REQUIRE(log);
    return std::move(*log);
  }
  void publish(TileLog& log) {
    const TileFiles tiles = log.files();
    REQUIRE(write_tile_files(folder(), tiles));
    last = Checkpoint{"test", tiles.size, tiles.root};
    remove_obsolete(folder(), tiles);
  }
  // Up to so many audit entries, of which the first `to_publish` are.
  void fill(uint64_t entries, uint64_t to_publish) {
    TileLog log = opened();
    REQUIRE(log.append(audit_entries(log.size(), to_publish)));
    publish(log);
    REQUIRE(log.append(audit_entries(log.size(), entries)));
  }

  std::optional<Checkpoint> last;

private:
  TestFolder home_;
};

}  // namespace sallyport::test
