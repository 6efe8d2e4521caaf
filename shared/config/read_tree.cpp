// SPDX-License-Identifier: Apache-2.0
#include "shared/config/read_tree.h"

#include "shared/base/names.h"
#include "shared/config/directives.h"
#include "shared/config/nearest.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <type_traits>

namespace sallyport {

namespace {

using Kind = JsonNode::Kind;

const char* kind_name(Kind kind) {
  constexpr const char* kNames[] = {"null",   "true or false", "a number",
                                    "a text", "a list",        "an object"};
  return kNames[static_cast<size_t>(kind)];
}

std::string join_key(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

// What is said of a value, with the value before it, unless that is a secret.
std::string quoted(const std::string& value, const std::string& text) {
  const auto advice = advice_on_secret(value);
  return advice ? *advice : "\"" + value + "\" " + text;
}

std::string quoted_list(std::span<const std::string_view> choices) {
  std::string out;
  for (const auto choice : choices) {
    out += (out.empty() ? "\"" : ", \"") + std::string(choice) + "\"";
  }
  return out;
}

class TreeReader {
public:
  TreeReader(Places& places, std::vector<Finding>& errors) : places_(places), errors_(errors) {}

  // One owner: the configuration itself, a role, a target. `path` is where the owner stands.
  template <class Owner>
  void read_owner(const JsonNode& object, const std::string& path, Owner& owner) {
    read_members(object, path, "", owner);
    for (const auto& directive : directives<Owner>()) {
      const KeyPath key(path, std::string(directive.key));
      if (!directive.if_missing.empty() && !places_.contains(key)) {
        report(nearest_place(key, object.place), key.text(),
               "is missing; " + std::string(directive.if_missing));
      }
    }
  }

private:
  void report(const Place& place, const std::string& key, std::string text) {
    errors_.push_back({place, key, std::move(text)});
  }

  // Of the innermost object around the key that is there.
  Place nearest_place(KeyPath path, const Place& owner) const {
    std::string& key = path.key;
    while (!key.empty()) {
      key.resize(key.rfind('.') == std::string::npos ? 0 : key.rfind('.'));
      if (const auto at = places_.find(path); at != places_.end()) {
        return at->second;
      }
    }
    return owner;
  }

  bool expect(const JsonNode& node, Kind kind, const std::string& path) {
    if (node.kind != kind) {
      report(node.place, path,
             std::string("must be ") + kind_name(kind) + ", not " + kind_name(node.kind));
    }
    return node.kind == kind;
  }

  // `group` is the dotted prefix within the owner's table: "identity." while inside of it.
  template <class Owner>
  void read_members(const JsonNode& object, const std::string& path, const std::string& group,
                    Owner& owner) {
    for (const auto& member : object.children) {
      const std::string key = group + member.name;
      const std::string member_path = join_key(path, key);
      const auto table = directives<Owner>();
      // "login.enrolment" as one name would be a second spelling, which no rule against giving a
      // key twice sees.
      const bool has_dot = member.name.find('.') != std::string::npos;
      const auto exact = std::find_if(table.begin(), table.end(), [&](const auto& directive) {
        return !has_dot && directive.key == key;
      });
      const bool is_group = !member.name.empty() && !has_dot &&
                            std::any_of(table.begin(), table.end(), [&](const auto& directive) {
                              return directive.key.starts_with(key + ".");
                            });
      if (exact != table.end()) {
        places_.emplace(KeyPath(path, key), member.place);
        std::visit([&](auto field) { set(field(owner), member, member_path, *exact); },
                   exact->field);
      } else if (!is_group) {
        report(member.place, member_path, "is not known" + suggestion<Owner>(key, group));
      } else if (expect(member, Kind::object, member_path)) {
        places_.emplace(KeyPath(path, key), member.place);
        read_members(member, path, key + ".", owner);
      }
    }
  }

  // The nearest key of the same group, or the same name in another group.
  template <class Owner>
  static std::string suggestion(const std::string& key, const std::string& group) {
    std::set<std::string> here;
    const std::string name = key.substr(group.size());
    for (const auto& directive : directives<Owner>()) {
      std::string known(directive.key);
      if (known == key) {
        const size_t dot = name.find('.');
        return "; write \"" + name.substr(0, dot) + "\": {\"" + name.substr(dot + 1) + "\": ...}";
      }
      if (known.ends_with("." + name)) {
        return "; did you mean \"" + known + "\"?";
      }
      if (known.starts_with(group)) {
        known.erase(0, group.size());
        here.insert(known.substr(0, known.find('.')));
      }
    }
    here.erase("$schema");
    const std::vector<std::string> candidates(here.begin(), here.end());
    if (auto near = did_you_mean(name, candidates); !near.empty()) {
      return near;
    }
    std::string all;
    for (const auto& candidate : candidates) {
      all += (all.empty() ? "" : ", ") + candidate;
    }
    return "; known here: " + all;
  }

  template <class Owner>
  void set(Ignored, const JsonNode& node, const std::string& path, const Directive<Owner>&) {
    expect(node, Kind::text, path);
  }
  template <class Owner>
  void set(bool& field, const JsonNode& node, const std::string& path, const Directive<Owner>&) {
    if (expect(node, Kind::boolean, path)) {
      field = node.boolean;
    }
  }
  template <class Owner>
  void set(uint32_t& field, const JsonNode& node, const std::string& path,
           const Directive<Owner>& directive) {
    if (!expect(node, Kind::number, path)) {
      return;
    }
    if (!node.whole || *node.whole < directive.min || *node.whole > directive.max) {
      report(node.place, path,
             "must be a whole number from " + std::to_string(directive.min) + " to " +
                 std::to_string(directive.max));
      return;
    }
    field = static_cast<uint32_t>(*node.whole);
  }
  template <class Owner>
  void set(std::chrono::seconds& field, const JsonNode& node, const std::string& path,
           const Directive<Owner>& directive) {
    auto count = static_cast<uint32_t>(field.count());
    set(count, node, path, directive);
    field = std::chrono::seconds(count);
  }
  template <class Owner>
  void set(std::string& field, const JsonNode& node, const std::string& path,
           const Directive<Owner>& directive) {
    if (auto value = read_text(node, path, directive)) {
      field = std::move(*value);
    }
  }
  template <class Owner, class Choice>
  requires std::is_enum_v<Choice>
  void set(Choice& field, const JsonNode& node, const std::string& path,
           const Directive<Owner>& directive) {
    if (const auto value = read_text(node, path, directive)) {
      const auto& choices = directive.choices;
      const auto at = std::find(choices.begin(), choices.end(), *value);
      field = static_cast<Choice>(at - choices.begin());
    }
  }
  template <class Owner>
  void set(std::vector<std::string>& field, const JsonNode& node, const std::string& path,
           const Directive<Owner>& directive) {
    if (!expect(node, Kind::list, path)) {
      return;
    }
    if (node.children.empty() && !directive.if_missing.empty()) {
      report(node.place, path, "is empty; " + std::string(directive.if_missing));
    }
    field.clear();
    for (size_t i = 0; i < node.children.size(); ++i) {
      const std::string item_path = path + "[" + std::to_string(i) + "]";
      if (auto value = read_text(node.children[i], item_path, directive)) {
        field.push_back(std::move(*value));
      }
    }
  }
  template <class Owner, class Item>
  void set(std::map<std::string, Item>& field, const JsonNode& node, const std::string& path,
           const Directive<Owner>&) {
    if (!expect(node, Kind::object, path)) {
      return;
    }
    for (const auto& member : node.children) {
      const std::string member_path = join_key(path, member.name);
      std::string name = member.name;
      if (const auto valid = check_name(name); !valid) {
        report(member.place, path, quoted(name, valid.error().message));
      } else if (expect(member, Kind::object, member_path)) {
        places_.emplace(KeyPath(member_path, ""), member.place);
        read_owner(member, member_path, field[name]);
      }
    }
  }

  template <class Owner>
  std::optional<std::string> read_text(const JsonNode& node, const std::string& path,
                                       const Directive<Owner>& directive) {
    if (!expect(node, Kind::text, path)) {
      return std::nullopt;
    }
    std::string value = node.text;
    const auto& choices = directive.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
      report(node.place, path,
             quoted(value, "is none of " + quoted_list(choices) +
                               did_you_mean(value, {choices.begin(), choices.end()})));
      return std::nullopt;
    }
    if (value.find('\0') != std::string::npos) {
      report(node.place, path, "contains a NUL character");
      return std::nullopt;
    }
    if (directive.check != nullptr) {
      if (const auto good = directive.check(value); !good) {
        report(node.place, path, quoted(value, good.error().message));
        return std::nullopt;
      }
    }
    if (directive.is_path) {
      const auto folder = std::filesystem::path(node.place.file).parent_path();
      value = (folder / value).lexically_normal().string();
    }
    return value;
  }

  Places& places_;
  std::vector<Finding>& errors_;
};

}  // namespace

Config read_tree(const JsonNode& root, Places& places, std::vector<Finding>& errors) {
  Config config;
  TreeReader(places, errors).read_owner(root, "", config);
  return config;
}

}  // namespace sallyport
