// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/segments.h"

#include "shared/recording/format.h"

#include <nlohmann/json.hpp>

namespace sallyport {

void SegmentList::add(const Segment& segment) {
  if (segments_.size() >= brec::kMaxSegments) {
    size_t kept = 0;
    for (size_t i = 0; i < segments_.size(); i += 2) {
      segments_[kept++] = segments_[i];
    }
    segments_.resize(kept);
  }
  segments_.push_back(segment);
}

std::string encode_end_record(const EndRecord& record) {
  std::string json = "{\"frames\":" + std::to_string(record.frames) +
                     ",\"raw\":" + std::to_string(record.raw_bytes) +
                     ",\"end_us\":" + std::to_string(record.end_us) + ",\"chain\":\"" +
                     record.chain + "\",\"segments\":[";
  for (const Segment& s : record.segments.all()) {
    if (json.back() == ']') {
      json += ',';
    }
    json += '[' + std::to_string(s.t_us) + ',' + std::to_string(s.offset) + ',' +
            std::to_string(s.raw_offset) + ',' + std::to_string(s.number) + ']';
  }
  return json + "]}";
}

Result<EndRecord> decode_end_record(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    EndRecord record;
    record.frames = json.at("frames").get<uint64_t>();
    record.raw_bytes = json.at("raw").get<uint64_t>();
    record.end_us = json.at("end_us").get<uint64_t>();
    record.chain = json.at("chain").get<std::string>();
    for (const auto& entry : json.at("segments")) {
      record.segments.add(Segment{entry.at(0).get<uint64_t>(), entry.at(1).get<uint64_t>(),
                                  entry.at(2).get<uint64_t>(), entry.at(3).get<uint64_t>()});
    }
    return record;
  } catch (const nlohmann::json::exception& e) {
    return Error{Errc::corrupt, std::string("end record: ") + e.what()};
  }
}

}  // namespace sallyport
