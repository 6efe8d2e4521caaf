// SPDX-License-Identifier: Apache-2.0
//
// What may stand in the configuration, as tables: one line per key. Reading, the list of known
// keys, suggestions and the test that holds config/sallyport.schema.json against the code all come
// from here. A new key is a new line, a line in the schema, and one in the example.
#pragma once

#include "shared/config/config.h"
#include "shared/config/values.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sallyport {

struct Ignored {};  // a key for editors, "$schema"

template <class Owner>
using Field = std::variant<Ignored (*)(Owner&), bool& (*)(Owner&), std::string& (*)(Owner&),
                           uint32_t& (*)(Owner&), std::chrono::seconds& (*)(Owner&),
                           std::vector<std::string>& (*)(Owner&), LoginConfig::Prompt& (*)(Owner&),
                           LoginConfig::Enrolment& (*)(Owner&),
                           std::map<std::string, RoleConfig>& (*)(Owner&),
                           std::map<std::string, TargetConfig>& (*)(Owner&),
                           std::map<std::string, HostCaConfig>& (*)(Owner&),
                           std::map<std::string, WitnessConfig>& (*)(Owner&)>;

template <class Owner>
struct Directive {
  std::string_view key;  // dotted, below the owner
  Field<Owner> field;
  ValueCheck check = nullptr;                   // of a text, or of each text of a list
  std::span<const std::string_view> choices{};  // the only texts allowed; for an enum in its order
  uint32_t min = 0;                             // of a number
  uint32_t max = UINT32_MAX;
  bool is_path = false;              // relative to the file that it stands in
  std::string_view if_missing = {};  // not empty: the key must be there; says how to get it
};

// The tables for Config, RoleConfig, TargetConfig, HostCaConfig and WitnessConfig.
template <class Owner>
std::span<const Directive<Owner>> directives();

// All of them flat, roles as "roles.*.groups", for the schema's test and for suggestions.
struct DirectiveSummary {
  std::string key;
  std::string type;  // JSON schema's: boolean, string, integer, array, object
  std::vector<std::string> choices;
  uint32_t min = 0;
  uint32_t max = 0;
  bool required = false;
};
std::vector<DirectiveSummary> list_directives();

}  // namespace sallyport
