// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/import_plan.h"

#include "bastion/ctl/host_keys/certified.h"
#include "bastion/ctl/host_keys/host_patterns.h"
#include "shared/base/hex.h"
#include "shared/config/values.h"
#include "shared/crypto/sha256.h"

#include <algorithm>

namespace sallyport {

namespace {

using Marker = KnownHost::Marker;
using Texts = std::vector<std::string>;

bool has(const Texts& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string ca_name(const PublicKeyLine& key) {
  const auto digest = sha256(as_bytes(key.text()));
  return "ca-" + to_hex(std::span(digest).first(4));
}

class Planner {
public:
  Planner(const KnownHosts& file, const Config& config) : file_(file), config_(config) {}

  ImportPlan plan() {
    for (const auto& entry : file_.entries) {
      if (entry.marker == Marker::revoked) {
        revoke(entry);
      }
    }
    for (const auto& entry : file_.entries) {
      if (entry.marker != Marker::revoked) {
        use(entry);
      }
    }
    for (const auto& [line, why] : file_.unreadable) {
      plan_.not_used[why].push_back(line);
    }
    return std::move(plan_);
  }

private:
  void used(const KnownHost& entry, const std::string& what) {
    plan_.used.push_back("line " + std::to_string(entry.line) + ": " + entry.key.type + " " +
                         entry.key.fingerprint() + " " + what);
  }
  void not_used(const KnownHost& entry, const std::string& why) {
    plan_.not_used[why].push_back(entry.line);
  }
  bool is_revoked(const std::string& key) const {
    return has(config_.revoked_host_keys, key) || has(plan_.revoked, key);
  }

  void revoke(const KnownHost& entry) {
    const std::string key = entry.key.text();
    if (is_revoked(key)) {
      return not_used(entry, "revoked already");
    }
    plan_.revoked.push_back(key);
    std::string where;
    for (const auto& [name, target] : config_.targets) {
      if (has(target.host_keys, key)) {
        plan_.unpins[name].push_back(key);
        where += (where.empty() ? "" : ", ") + name;
      }
    }
    used(entry, where.empty() ? "is revoked" : "IS REVOKED AND WAS PINNED for " + where);
  }

  void use(const KnownHost& entry) {
    if (is_revoked(entry.key.text())) {
      not_used(entry, "the key is revoked");
    } else if (entry.marker == Marker::cert_authority) {
      add_ca(entry);
    } else {
      pin(entry);
    }
  }

  void pin(const KnownHost& entry) {
    const std::string key = entry.key.text();
    std::string where;
    bool named = false;
    for (const auto& [name, target] : config_.targets) {
      if (names_target(entry, name, target)) {
        named = true;
        if (!has(target.host_keys, key) && !has(plan_.pins[name], key)) {
          plan_.pins[name].push_back(key);
          where += (where.empty() ? "" : ", ") + name;
        }
      }
    }
    std::erase_if(plan_.pins, [](const auto& pins) { return pins.second.empty(); });
    if (where.empty()) {
      not_used(entry, named ? "pinned already" : "names no target of the inventory");
    } else {
      used(entry, "for " + where);
    }
  }

  static bool names_target(const KnownHost& entry, const std::string& name,
                           const TargetConfig& target) {
    const auto address = parse_host_port(target.address, kSshPort);
    if (!address) {
      return false;
    }
    const TargetNames names(name, *address);
    return std::any_of(names.known_hosts.begin(), names.known_hosts.end(),
                       [&](const auto& host) { return host_field_matches(entry.hosts, host); });
  }

  void add_ca(const KnownHost& entry) {
    Texts patterns = split_patterns(entry.hosts);
    if (!std::all_of(patterns.begin(), patterns.end(),
                     [](auto& pattern) { return check_host_pattern(pattern).has_value(); }) ||
        patterns.empty()) {
      return not_used(entry, "the patterns of this CA cannot be read (hashed, perhaps)");
    }
    std::string name = ca_name(entry.key);
    for (const auto& [known, ca] : config_.host_cas) {
      name = ca.key == entry.key.text() ? known : name;
    }
    const auto known = config_.host_cas.find(name);
    HostCaConfig ca =
        known != config_.host_cas.end() ? known->second : HostCaConfig{{}, entry.key.text()};
    if (const auto planned = plan_.host_cas.find(name); planned != plan_.host_cas.end()) {
      ca = planned->second;
    }
    const size_t before = ca.patterns.size();
    std::copy_if(patterns.begin(), patterns.end(), std::back_inserter(ca.patterns),
                 [&](const auto& pattern) { return !has(ca.patterns, pattern); });
    if (ca.patterns.size() == before) {
      return not_used(entry, "a host CA already");
    }
    plan_.host_cas[name] = std::move(ca);
    used(entry, "is the host CA " + name + " for " + entry.hosts);
  }

  const KnownHosts& file_;
  const Config& config_;
  ImportPlan plan_;
};

}  // namespace

ImportPlan plan_import(const KnownHosts& file, const Config& config) {
  return Planner(file, config).plan();
}

std::string list_lines(const std::vector<size_t>& lines) {
  std::string out = lines.size() == 1 ? "line " : "lines ";
  for (size_t i = 0; i < lines.size(); ++i) {
    const size_t first = i;
    while (i + 1 < lines.size() && lines[i + 1] == lines[i] + 1) {
      ++i;
    }
    out += (first == 0 ? "" : ", ") + std::to_string(lines[first]);
    if (i > first) {
      out += (i == first + 1 ? ", " : "-") + std::to_string(lines[i]);
    }
  }
  return out;
}

}  // namespace sallyport
