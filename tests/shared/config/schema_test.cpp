// SPDX-License-Identifier: Apache-2.0
//
// config/sallyport.schema.json says in JSON schema what the directive tables say in C++. Neither is
// made from the other, so that both stay readable; this test holds them together.
#include "shared/config/directives.h"
#include "tests/support/catch.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

using namespace sallyport;
using nlohmann::json;

namespace {

json load_schema() {
  std::ifstream file(std::string(SALLYPORT_CONFIG_DIR) + "/sallyport.schema.json");
  return json::parse(file);
}

json resolved(const json& schema, json node) {
  if (node.contains("$ref")) {
    const auto target = node["$ref"].get<std::string>().substr(1);
    json merged = schema.at(json::json_pointer(target));
    node.erase("$ref");
    merged.update(node);
    return merged;
  }
  return node;
}

struct SchemaKey {
  json node;
  bool required;
};

// Flat, as list_directives(): groups vanish into dotted keys, roles and targets become "*".
void flatten(const json& schema, const json& object, const std::string& prefix, bool required,
             std::map<std::string, SchemaKey>& out) {
  CHECK((object.value("additionalProperties", json(true)) == json(false)));
  const auto needed = object.value("required", std::set<std::string>{});
  for (const auto& [name, raw] : object.at("properties").items()) {
    const json node = resolved(schema, raw);
    const std::string key = prefix + name;
    INFO(key);
    CHECK_FALSE(node.value("description", "").empty());
    const bool must = required && needed.contains(name);
    if (node.value("type", "") != "object") {
      out[key] = {node, must};
    } else if (node.contains("properties")) {
      flatten(schema, node, key + ".", must, out);
    } else {
      out[key] = {node, must};
      flatten(schema, resolved(schema, node.at("additionalProperties")), key + ".*.", true, out);
    }
  }
}

}  // namespace

TEST_CASE("the schema and the directive tables know the same keys", "[config]") {
  const json schema = load_schema();
  std::map<std::string, SchemaKey> in_schema;
  flatten(schema, schema, "", true, in_schema);
  for (const auto& directive : list_directives()) {
    INFO(directive.key);
    const auto found = in_schema.extract(directive.key);
    REQUIRE_FALSE(found.empty());
    const auto& [node, required] = found.mapped();
    CHECK(node.at("type") == directive.type);
    CHECK(required == directive.required);
    const json& value = directive.type == "array" ? resolved(schema, node.at("items")) : node;
    CHECK(value.value("enum", std::vector<std::string>{}) == directive.choices);
    if (directive.type == "integer") {
      CHECK(node.at("minimum") == directive.min);
      CHECK(node.at("maximum") == directive.max);
    }
    if (directive.type == "array") {
      CHECK((node.value("minItems", 0) == 1) == directive.required);
    }
  }
  for (const auto& [key, rest] : in_schema) {
    FAIL_CHECK("the schema knows " << key << ", the code does not");
  }
}

TEST_CASE("the schema's defaults are those of config.h", "[config]") {
  const Config config;
  const json schema = load_schema();
  const auto at = [&](const std::string& path) { return schema.at(json::json_pointer(path)); };
  CHECK(at("/properties/listen/default") == json(config.listen));
  CHECK(at("/properties/environment/default") == json(config.environment));
  CHECK(at("/properties/state_directory/default") == config.state_directory);
  CHECK(at("/properties/runtime_directory/default") == config.runtime_directory);
  CHECK(at("/properties/limits/properties/max_sessions/default") == config.max_sessions);
  CHECK(at("/properties/limits/properties/max_unauthenticated/default") ==
        config.max_unauthenticated);
  CHECK(at("/properties/identity/properties/scopes/default") == json(config.identity.scopes));
  CHECK(at("/properties/login/properties/remember_s/default") == config.login.remember.count());
  CHECK(at("/properties/login/properties/deadline_s/default") == config.login.deadline.count());
  CHECK(at("/properties/login/properties/grace_s/default") == config.login.grace.count());
  CHECK(at("/definitions/role/properties/channels/default") == json(RoleConfig{}.channels));
}
