// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/stream_digest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

constexpr std::array<std::string_view, 3> kNames = {"input", "output", "error"};  // by direction

}  // namespace

std::string digest_json(const StreamDigest& digest) {
  nlohmann::ordered_json json;
  json["stream"] = kNames.at(static_cast<size_t>(digest.stream));
  json["bytes"] = digest.bytes;
  json["sha256"] = digest.sha256;
  json["next"] = digest.next;
  return json.dump();
}

std::optional<StreamDigest> parse_digest(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    const auto name = std::find(kNames.begin(), kNames.end(), json.at("stream").get<std::string>());
    if (name == kNames.end()) {
      return std::nullopt;
    }
    return StreamDigest{static_cast<ByteDirection>(name - kNames.begin()), json.at("bytes"),
                        json.at("sha256"), json.at("next")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace sallyport
