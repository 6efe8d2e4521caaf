// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/index/index.h"

#include <string>
#include <vector>

namespace sallyport::stored {

// "<number, 32 digits>-0".
std::string sample_id(uint64_t number);

// A recording of ada's on web1 that runs; it began `number` seconds after kSampleStart.
inline constexpr uint64_t kSampleStart = 1'800'000'000'000;
RecordingEntry sample_entry(uint64_t number);

Index open_index(const std::string& path);  // REQUIREs that it opens
void put_all(Index& index, const std::vector<RecordingEntry>& entries);
std::vector<RecordingEntry> find_all(const Index& index, const RecordingsFind& wanted = {});
std::vector<std::string> ids_of(const std::vector<RecordingEntry>& entries);

}  // namespace sallyport::stored
