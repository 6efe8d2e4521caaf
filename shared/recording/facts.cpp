// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/facts.h"

#include <array>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

struct TextField {
  const char* key;
  std::string SessionFacts::*member;
};

constexpr std::array<TextField, 12> kTextFields = {{
    {"who", &SessionFacts::who},
    {"issuer", &SessionFacts::issuer},
    {"subject", &SessionFacts::subject},
    {"target", &SessionFacts::target},
    {"login", &SessionFacts::login},
    {"address", &SessionFacts::address},
    {"fingerprint", &SessionFacts::fingerprint},
    {"kind", &SessionFacts::kind},
    {"command", &SessionFacts::command},
    {"session", &SessionFacts::session},
    {"node", &SessionFacts::node},
    {"part", &SessionFacts::part},
}};

}  // namespace

std::string facts_json(const SessionFacts& facts) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const TextField& field : kTextFields) {
    if (!(facts.*field.member).empty()) {
      json[field.key] = facts.*field.member;
    }
  }
  json["channel"] = facts.channel;
  json["pty"] = facts.pty;
  return json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

Result<SessionFacts> parse_facts(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    SessionFacts facts;
    for (const TextField& field : kTextFields) {
      if (json.contains(field.key)) {
        facts.*field.member = json.at(field.key).get<std::string>();
      }
    }
    facts.channel = json.at("channel").get<uint32_t>();
    facts.pty = json.at("pty").get<bool>();
    return facts;
  } catch (const nlohmann::json::exception& e) {
    return Error{Errc::protocol, std::string("the header key \"sallyport\": ") + e.what()};
  }
}

Result<bool> proves_header(const AsciicastHeader& line, const RecordingHeader& header) {
  const auto facts = parse_facts(line.sallyport);
  if (!facts || facts->session.empty() || facts->node.empty() || !line.timestamp) {
    return false;
  }
  const char* other = facts->session != header.session.hex()                             ? "session"
                      : facts->channel != header.channel                                 ? "channel"
                      : facts->part != name_of(header.part)                              ? "part"
                      : facts->node != header.node                                       ? "node"
                      : static_cast<uint64_t>(*line.timestamp) != header.start_ms / 1000 ? "start"
                                                                                         : nullptr;
  if (other != nullptr) {
    return Error{Errc::corrupt, std::string("the recording's header was changed: its ") + other +
                                    " is not the one inside the encryption"};
  }
  return true;
}

}  // namespace sallyport
