// SPDX-License-Identifier: Apache-2.0
#include "tests/bastion/stored/index_sample.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <iterator>

namespace sallyport::stored {

std::string sample_id(uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(32 - digits.size(), '0') + digits + "-0";
}

RecordingEntry sample_entry(uint64_t number) {
  RecordingEntry entry;
  entry.recording = sample_id(number);
  entry.person = "ada@example.com";
  entry.issuer = "https://idp.example";
  entry.subject = "s-1";
  entry.target = "web1";
  entry.login = "root";
  entry.address = "192.0.2.1:50022";
  entry.fingerprint = "SHA256:abc";
  entry.kind = "shell";
  entry.start_ms = kSampleStart + number * 1000;
  return entry;
}

Index open_index(const std::string& path) {
  auto index = Index::open(path);
  INFO((index ? "" : index.error().message));
  REQUIRE(index);
  return std::move(*index);
}

void put_all(Index& index, const std::vector<RecordingEntry>& entries) {
  const std::vector<IndexChange> changes(entries.begin(), entries.end());
  const auto written = index.write(changes);
  REQUIRE(written);
  REQUIRE(*written == 0);
}

std::vector<RecordingEntry> find_all(const Index& index, const RecordingsFind& wanted) {
  auto found = index.find(wanted);
  INFO((found ? "" : found.error().message));
  REQUIRE(found);
  return std::move(*found);
}

std::vector<std::string> ids_of(const std::vector<RecordingEntry>& entries) {
  std::vector<std::string> ids;
  std::transform(entries.begin(), entries.end(), std::back_inserter(ids),
                 [](const RecordingEntry& entry) { return entry.recording; });
  return ids;
}

}  // namespace sallyport::stored
