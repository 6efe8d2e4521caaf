// SPDX-License-Identifier: Apache-2.0
#include "shared/base/names.h"
#include "shared/config/address.h"
#include "shared/config/host_key.h"
#include "shared/config/nearest.h"
#include "shared/config/read_tree.h"
#include "shared/config/values.h"
#include "shared/crypto/age.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

namespace sallyport {

namespace {

constexpr size_t kMaxSocketPathBytes = 107;  // sockaddr_un

class TogetherCheck {
public:
  TogetherCheck(Config& config, const Places& places, ConfigReport& report)
      : config_(config), places_(places), report_(report) {}

  void all() {
    default_node();
    secure_url("identity.issuer", config_.identity.issuer);
    secure_url("identity.discovery_url", config_.identity.discovery_url);
    issuer_form();
    client_authentication();
    scopes();
    times();
    socket_paths();
    recipients();
    erasure();
    witnesses();
    roles();
    revoked();
    targets();
  }

private:
  Place place(const KeyPath& key) const {
    const auto at = places_.find(key);
    return at != places_.end() ? at->second : Place{config_.path, 1};
  }
  bool given(const KeyPath& key) const { return places_.contains(key); }
  void error(const KeyPath& key, std::string text) {
    report_.errors.push_back({place(key), key.text(), std::move(text)});
  }
  void warn(const KeyPath& key, std::string text) {
    report_.warnings.push_back({place(key), key.text(), std::move(text)});
  }

  // Without "node": the first part of the host's name.
  void default_node() {
    if (!config_.node.empty() || given("node")) {
      return;
    }
    char name[256] = {};
    ::gethostname(name, sizeof name - 1);
    std::string node(name);
    node = node.substr(0, std::min(node.find('.'), kMaxNodeBytes));
    config_.node = is_valid_name(node) ? node : "sallyport";
  }

  void secure_url(const KeyPath& key, const std::string& value) {
    const auto url = parse_url(value);
    if (!url || url->scheme == "https") {
      return;  // what is no URL was reported when it was read
    }
    if (!config_.development || !is_loopback(url->host)) {
      error(key, "\"" + value +
                     "\" must begin with https://; http:// is for a loopback address with "
                     "\"development\": true");
    }
  }

  void issuer_form() {
    if (config_.identity.issuer.find('?') != std::string::npos) {
      error("identity.issuer", "has a query; an issuer has none (RFC 8414 section 2)");
    }
  }

  void client_authentication() {
    const auto& identity = config_.identity;
    const std::string& how = identity.client_authentication;
    const bool by_secret = how == "basic" || how == "basic_raw" || how == "post";
    if (by_secret && identity.client_secret_file.empty() && !given("identity.client_secret_file")) {
      error("identity.client_authentication",
            "\"" + how + "\" needs identity.client_secret_file, a file with the client's secret");
    }
    if (how == "private_key_jwt" && identity.client_key_file.empty() &&
        !given("identity.client_key_file")) {
      error("identity.client_authentication",
            "\"" + how + "\" needs identity.client_key_file, a file with the client's key as JWK");
    }
    if (!by_secret && !identity.client_secret_file.empty()) {
      warn("identity.client_secret_file", "is not used with client_authentication \"" + how + "\"");
    }
  }

  void scopes() {
    const auto& scopes = config_.identity.scopes;
    if (std::find(scopes.begin(), scopes.end(), "openid") == scopes.end()) {
      error("identity.scopes", "must contain \"openid\": without it there is no ID token");
    }
  }

  void times() {
    if (config_.login.grace < config_.login.deadline) {
      warn("login.grace_s",
           "is shorter than login.deadline_s: a connection ends while its code "
           "could still be approved");
    }
  }

  void socket_paths() {
    const std::string longest = config_.socket_path("stored");
    if (longest.size() > kMaxSocketPathBytes) {
      error("runtime_directory", "is too long: \"" + longest +
                                     "\" would be a socket's path, and "
                                     "those have at most 107 bytes");
    }
  }

  void recipients() {
    two_groups("recording.", config_.recipients, config_.second_recipients);
    two_groups("recording.keystrokes.", config_.key_recipients, config_.second_key_recipients);
    if (config_.key_recipients.empty() && !config_.second_key_recipients.empty()) {
      error("recording.keystrokes.second_recipients",
            "needs recording.keystrokes.recipients, the first of the two persons");
    }
  }

  void erasure() {
    const auto& approvers = config_.erasure.approvers;
    if (approvers.empty() && given("recording.erasure.approvals")) {
      error("recording.erasure.approvals",
            "needs recording.erasure.approvers, the keys of those who sign");
    } else if (!approvers.empty() && approvers.size() < config_.erasure.approvals) {
      error("recording.erasure.approvers", "are fewer than recording.erasure.approvals (" +
                                               std::to_string(config_.erasure.approvals) +
                                               "): nothing could be erased");
    }
    std::set<std::string> seen;
    for (const std::string& approver : approvers) {
      const auto key = parse_public_key_line(approver);
      if (key && !seen.insert(key->text()).second) {
        error("recording.erasure.approvers",
              "has the key " + key->fingerprint() + " twice: it signs once; leave one of them out");
      }
    }
  }

  void two_groups(const std::string& where, const std::vector<std::string>& first,
                  const std::vector<std::string>& second) {
    const KeyPath first_key("", where + "recipients");
    const KeyPath second_key("", where + "second_recipients");
    count_recipients(first_key, first);
    count_recipients(second_key, second);
    if (second.empty() && given(second_key)) {
      error(second_key,
            "is empty: one person alone could read recordings; name the second person's "
            "recipients, or leave the key out");
    }
    for (const std::string& one : second) {
      if (std::find(first.begin(), first.end(), one) != first.end()) {
        error(second_key, one + " is in " + first_key.text() +
                              " too: that person alone could read recordings; name each recipient "
                              "in one of the two");
      }
    }
  }

  void count_recipients(const KeyPath& key, const std::vector<std::string>& recipients) {
    if (recipients.size() > kAgeMaxStanzas) {
      error(key, "has " + std::to_string(recipients.size()) + " recipients; at most " +
                     std::to_string(kAgeMaxStanzas) + " fit into the header of a recording");
    }
    std::set<std::string> seen;
    const auto again =
        std::find_if(recipients.begin(), recipients.end(),
                     [&](const std::string& one) { return !seen.insert(one).second; });
    if (again != recipients.end()) {
      error(key, "has " + *again + " twice: that is one reader; leave one of them out");
    }
  }

  void witnesses() {
    for (const auto& [name, witness] : config_.witnesses) {
      const std::string owner = "log.witnesses." + name;
      witness_kind(owner, witness);
      if (!witness.command.empty() && !witness.command.front().starts_with('/')) {
        error({owner, "command"}, "must begin with the whole path of a program, \"/usr/bin/...\"");
      }
      if (!witness.url.empty() && witness.key.empty() && !given({owner, "key"})) {
        error({owner, "url"},
              "needs \"key\", by which the witness signs; its operator publishes it");
      }
      if (witness.url.empty() && (given({owner, "key"}) || given({owner, "ca_file"}))) {
        error({owner, ""}, "has a key or ca_file without a url");
      }
      secure_url({owner, "url"}, witness.url);
      if (witness.file.starts_with(config_.state_path("stored") + "/") ||
          witness.file.starts_with(config_.state_path("keyd") + "/")) {
        error({owner, "file"}, "lies in a folder that it is to be a witness of; put it elsewhere");
      }
    }
  }

  void witness_kind(const std::string& owner, const WitnessConfig& witness) {
    const std::pair<const char*, bool> kinds[] = {{"file", !witness.file.empty()},
                                                  {"command", !witness.command.empty()},
                                                  {"syslog", witness.syslog},
                                                  {"url", !witness.url.empty()}};
    std::string there;
    int count = 0;
    bool tried = false;
    for (const auto& [kind, is_there] : kinds) {
      tried = tried || given({owner, kind});
      if (is_there) {
        there += (count++ > 0 ? " and " : "") + std::string(kind);
      }
    }
    if (count > 1) {
      error({owner, ""}, "is of several kinds (" + there + "); make it a witness for each");
    } else if (count == 0 && (!tried || report_.errors.empty())) {
      error({owner, ""},
            "says not where checkpoints go: \"file\", \"command\", \"syslog\": true or \"url\"");
    }
  }

  void roles() {
    if (config_.roles.empty() && !given("roles")) {
      warn("roles", "is missing: nobody reaches anything");
    }
    for (auto& [name, role] : config_.roles) {
      const std::string owner = "roles." + name;
      default_login({owner, "default_login"}, role);
      keystrokes({owner, "record_keystrokes"}, role);
      for (const auto& pattern : role.targets) {
        const bool reaches =
            std::any_of(config_.targets.begin(), config_.targets.end(),
                        [&](const auto& target) { return glob_matches(pattern, target.first); });
        if (!reaches) {
          warn({owner, "targets"},
               "\"" + pattern + "\" matches no target" + did_you_mean(pattern, target_names()));
        }
      }
    }
  }

  void keystrokes(const KeyPath& key, const RoleConfig& role) {
    if (role.record_keystrokes && config_.key_recipients.empty()) {
      error(key,
            "needs recording.keystrokes.recipients: name who may read what this role's people "
            "type (`sallyport-play keygen` makes a key)");
    }
  }

  void default_login(const KeyPath& key, RoleConfig& role) {
    const auto& logins = role.logins;
    const bool any = std::find(logins.begin(), logins.end(), "*") != logins.end();
    const bool listed = std::find(logins.begin(), logins.end(), role.default_login) != logins.end();
    if (!role.default_login.empty() && !any && !listed) {
      error(key, "\"" + role.default_login + "\" is not among the role's logins" +
                     did_you_mean(role.default_login, logins));
    }
    if (role.default_login.empty() && !given(key)) {
      const auto first = std::find_if(logins.begin(), logins.end(),
                                      [](const std::string& login) { return login != "*"; });
      role.default_login = first != logins.end() ? *first : "";
    }
  }

  std::vector<std::string> target_names() const {
    std::vector<std::string> names;
    for (const auto& [name, target] : config_.targets) {
      names.push_back(name);
    }
    return names;
  }

  bool is_revoked(const std::string& key) const {
    const auto& revoked = config_.revoked_host_keys;
    return std::find(revoked.begin(), revoked.end(), key) != revoked.end();
  }

  // A revoked key is no pin and no CA, whatever file names it.
  void revoked() {
    for (auto& [name, target] : config_.targets) {
      const KeyPath pins("targets." + name, "host_keys");
      if (std::erase_if(target.host_keys, [&](const auto& key) { return is_revoked(key); }) > 0) {
        warn(pins, "has a key of revoked_host_keys, which is not accepted; remove it");
      }
    }
    std::erase_if(config_.host_cas, [&](const auto& ca) {
      const bool gone = is_revoked(ca.second.key);
      if (gone) {
        warn({"host_cas." + ca.first, "key"},
             "is among revoked_host_keys, so it is not used; remove it");
      }
      return gone;
    });
  }

  void targets() {
    for (const auto& [name, target] : config_.targets) {
      const KeyPath itself("targets." + name, "");
      if (target.host_keys.empty() && !given({itself.owner, "host_keys"})) {
        warn(itself, "has no host_keys, so it is refused; `sallyportctl target add " + name +
                         " ADDRESS --scan` pins them");
      }
      if (target.key.empty() && !given({itself.owner, "key"})) {
        warn(itself,
             "has no key, so nobody can log in there; name a key of the vault "
             "(`sallyportctl vault list`)");
      }
    }
  }

  Config& config_;
  const Places& places_;
  ConfigReport& report_;
};

}  // namespace

void check_together(Config& config, const Places& places, ConfigReport& report) {
  TogetherCheck(config, places, report).all();
}

}  // namespace sallyport
