// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct Place {
  std::string file;  // "": not a matter of one file
  unsigned line = 1;
};

// One thing that is wrong, or doubtful, in a configuration file.
struct Finding {
  Place place;
  std::string key;   // "roles.ops.logins[1]"; "" for a syntax error
  std::string text;  // what is wrong; what to do

  std::string line() const;  // "FILE:LINE: KEY: TEXT", printable
};

// A JSON document of which every part knows where it stands: nlohmann's own values do not.
struct JsonNode {
  enum class Kind { null, boolean, number, text, list, object };
  Kind kind = Kind::null;
  Place place;
  std::string name;  // of an object's member
  bool boolean = false;
  std::optional<uint64_t> whole;  // a number that is whole and not negative
  std::string text;
  std::vector<JsonNode> children;  // of a list or an object, in the file's order
};

inline constexpr unsigned kMaxJsonDepth = 16;

// JSON with // and /* */ comments. Syntax errors, keys that stand twice and too deep nesting are
// added to `findings`; nullopt when nothing can be made of the text. Does not throw.
std::optional<JsonNode> parse_json_tree(const std::string& file, std::string_view text,
                                        std::vector<Finding>& findings);

// Adds the members of `from` to `into`; both are objects. A value given in both is a finding.
void merge_json_tree(JsonNode& into, JsonNode from, std::vector<Finding>& findings,
                     const std::string& key = "");

}  // namespace sallyport
