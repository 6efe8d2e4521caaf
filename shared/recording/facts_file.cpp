// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/facts_file.h"

#include "shared/base/hex.h"
#include "shared/crypto/random.h"
#include "shared/recording/file_name.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

using Json = nlohmann::ordered_json;

struct TextField {
  const char* key;
  std::string RecordingFacts::*member;
};

constexpr std::array<TextField, 11> kTextFields = {{
    {"recording", &RecordingFacts::recording},
    {"person", &RecordingFacts::person},
    {"agent", &RecordingFacts::agent},
    {"issuer", &RecordingFacts::issuer},
    {"subject", &RecordingFacts::subject},
    {"target", &RecordingFacts::target},
    {"login", &RecordingFacts::login},
    {"address", &RecordingFacts::address},
    {"fingerprint", &RecordingFacts::fingerprint},
    {"roles", &RecordingFacts::roles},
    {"kind", &RecordingFacts::kind},
}};

std::string dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string event_json(const RecordingFacts& facts) {
  Json json = Json::object();
  for (const TextField& field : kTextFields) {
    json[field.key] = facts.*field.member;
  }
  json["start_ms"] = facts.start_ms;
  return dump(json);
}

Error not_facts(std::string_view name, const std::string& why) {
  return Error{Errc::corrupt, std::string(name) + ": " + why};
}

}  // namespace

Result<FactsFile> make_facts_file(const RecordingFacts& facts) {
  if (!parse_recording_id(facts.recording)) {
    return Error{Errc::invalid, "facts of a recording without a name"};
  }
  FactsFile file;
  random_fill(file.salt);
  file.event = event_json(facts);
  if (encode_facts_file(file).size() > kMaxFactsBytes) {
    return Error{Errc::limit, facts.recording + ": who and where are longer than " +
                                  std::to_string(kMaxFactsBytes) + " bytes"};
  }
  return file;
}

Sha256Digest commitment(const FactsFile& file) {
  return Sha256().update(file.salt).update(as_bytes(file.event)).finish();
}

std::string encode_facts_file(const FactsFile& file) {
  Json json = Json::object();
  json["salt"] = to_hex(file.salt);
  json["event"] = file.event;
  return dump(json) + "\n";
}

Result<FactsFile> parse_facts_file(std::string_view text, std::string_view name) {
  if (text.empty() || text.size() > kMaxFactsBytes) {
    return not_facts(name, text.empty() ? "empty" : "longer than a file of facts may be");
  }
  try {
    const auto json = Json::parse(text);
    const auto salt = from_hex(json.at("salt").get<std::string>());
    FactsFile file;
    if (!salt || salt->size() != file.salt.size()) {
      return not_facts(name, "its salt is not 32 hexadecimal digits");
    }
    std::copy(salt->begin(), salt->end(), file.salt.begin());
    file.event = json.at("event").get<std::string>();
    const std::string same = encode_facts_file(file);
    if (text != same && text != std::string_view(same).substr(0, same.size() - 1)) {
      return not_facts(name, "not as stored writes it");
    }
    return file;
  } catch (const nlohmann::json::exception& e) {
    return not_facts(name, e.what());
  }
}

Result<RecordingFacts> parse_facts_event(std::string_view event, std::string_view name) {
  if (event.size() > kMaxFactsBytes) {
    return not_facts(name, "its event is longer than a file of facts may be");
  }
  try {
    const auto json = Json::parse(event);
    RecordingFacts facts;
    for (const TextField& field : kTextFields) {
      facts.*field.member = json.at(field.key).get<std::string>();
    }
    // get() would convert any number, also one for which that is undefined.
    const Json& start = json.at("start_ms");
    facts.start_ms = start.is_number_unsigned() ? start.get<uint64_t>() : 0;
    if (event_json(facts) != event) {
      return not_facts(name, "its event is not as stored writes it");
    }
    if (!parse_recording_id(facts.recording)) {
      return not_facts(name, "its event names no recording");
    }
    return facts;
  } catch (const nlohmann::json::exception& e) {
    return not_facts(name, std::string("its event: ") + e.what());
  }
}

}  // namespace sallyport
