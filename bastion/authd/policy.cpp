// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/policy.h"

#include "shared/base/names.h"
#include "shared/base/printable.h"
#include "shared/ipc/messages.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace sallyport {

namespace {

constexpr size_t kMaxNamesShown = 10;
constexpr const char* kWhomToAsk = "; ask an administrator of this bastion";

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool is_given_to(const RoleConfig& role, const std::vector<std::string>& groups) {
  return contains(role.groups, "*") ||
         std::any_of(groups.begin(), groups.end(),
                     [&](const auto& group) { return contains(role.groups, group); });
}

bool reaches(const RoleConfig& role, const std::string& target) {
  return std::any_of(role.targets.begin(), role.targets.end(),
                     [&](const auto& glob) { return glob_matches(glob, target); });
}

std::string default_login(const RoleConfig& role) {
  if (!role.default_login.empty()) {
    return role.default_login;
  }
  const auto first = std::find_if(role.logins.begin(), role.logins.end(),
                                  [](const auto& login) { return login != "*"; });
  return first == role.logins.end() ? "" : *first;
}

bool allows_login(const RoleConfig& role, const std::string& login) {
  return contains(role.logins, "*") || contains(role.logins, login) || role.default_login == login;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxNamesShown); ++i) {
    text += (i == 0 ? "" : ", ") + printable(names[i], 64);
  }
  if (names.size() > kMaxNamesShown) {
    text += " and " + std::to_string(names.size() - kMaxNamesShown) + " more";
  }
  return text;
}

Error no_role(const std::string& target, const std::vector<std::string>& groups) {
  const std::string who = groups.empty() ? "you are in no group" : "your groups: " + listed(groups);
  return Error{Errc::denied, "no role of yours reaches " + target + " (" + who + ")" + kWhomToAsk};
}

Error no_login(const TypedName& wish, const std::map<std::string, const RoleConfig*>& roles) {
  std::set<std::string> logins;
  for (const auto& [name, role] : roles) {
    logins.insert(role->logins.begin(), role->logins.end());
  }
  logins.erase("*");
  if (wish.login.empty()) {
    return Error{Errc::denied, "no role of yours has a default login on " + wish.target +
                                   ": type LOGIN@" + wish.target};
  }
  return Error{Errc::denied, "no role of yours allows login " + wish.login + " on " + wish.target +
                                 " (allowed there: " + listed({logins.begin(), logins.end()}) +
                                 ")" + kWhomToAsk};
}

uint32_t channel_bits(const RoleConfig& role) {
  static const std::map<std::string_view, Allowed> kBits = {
      {"shell", Allowed::shell},
      {"exec", Allowed::exec},
      {"sftp", Allowed::sftp},
      {"subsystem", Allowed::subsystem},
      {"local-forward", Allowed::local_forward},
      {"remote-forward", Allowed::remote_forward},
      {"agent", Allowed::agent},
      {"x11", Allowed::x11}};
  uint32_t bits = 0;
  for (const std::string& channel : role.channels) {
    const auto found = kBits.find(channel);
    bits |= found == kBits.end() ? 0U : static_cast<uint32_t>(found->second);
  }
  return bits;
}

// What several roles allow together, and the most that any of them records.
void add_role(Right& right, const std::string& name, const RoleConfig& role) {
  right.roles.push_back(name);
  const uint32_t bits = channel_bits(role);
  right.allowed |= bits;
  if (allows(bits, Allowed::local_forward)) {
    right.forward_to.insert(right.forward_to.end(), role.forward_to.begin(), role.forward_to.end());
  }
  if (allows(bits, Allowed::remote_forward)) {
    right.listen_on.insert(right.listen_on.end(), role.listen_on.begin(), role.listen_on.end());
  }
  constexpr uint64_t kMib = 1024 * 1024;
  const auto bytes = [](uint32_t mib) {
    return mib == kRecordEverythingMib ? UINT64_MAX : mib * kMib;
  };
  right.stream_bytes = std::max(right.stream_bytes, bytes(role.record_streams_mib));
  right.forward_bytes = std::max(right.forward_bytes, bytes(role.record_forwards_mib));
  right.record_keystrokes = right.record_keystrokes || role.record_keystrokes;
}

bool is_subset(const std::vector<std::string>& some, const std::vector<std::string>& of) {
  return std::all_of(some.begin(), some.end(), [&](const auto& one) { return contains(of, one); });
}

}  // namespace

Result<Right> decide(const Config& config, const std::vector<std::string>& groups,
                     const TypedName& wish) {
  std::map<std::string, const RoleConfig*> roles;
  for (const auto& [name, role] : config.roles) {
    if (is_given_to(role, groups) && reaches(role, wish.target)) {
      roles.emplace(name, &role);
    }
  }
  if (roles.empty() || !config.targets.contains(wish.target)) {
    return no_role(wish.target, groups);
  }
  Right right{.target = wish.target, .login = wish.login};
  for (const auto& [name, role] : roles) {
    if (right.login.empty()) {
      right.login = default_login(*role);
    }
  }
  bool login_allowed = false;
  for (const auto& [name, role] : roles) {
    if (!right.login.empty() && allows_login(*role, right.login)) {
      login_allowed = true;
      add_role(right, name, *role);
    }
  }
  if (!login_allowed) {
    return no_login(wish, roles);
  }
  return right;
}

bool is_within(const Right& right, const Right& other) {
  return (right.allowed & ~other.allowed) == 0 && is_subset(right.forward_to, other.forward_to) &&
         is_subset(right.listen_on, other.listen_on);
}

Result<std::string> find_jump_target(const Config& config, const std::vector<std::string>& groups,
                                     const std::string& host, uint16_t port) {
  const std::string number = std::to_string(port);
  const bool is_v6 = host.find(':') != std::string::npos;
  const std::string address = (is_v6 ? "[" + host + "]:" : host + ":") + number;
  const auto is_reached = [&](const std::string& name) {
    return std::any_of(config.roles.begin(), config.roles.end(), [&](const auto& role) {
      return is_given_to(role.second, groups) && reaches(role.second, name);
    });
  };
  const auto named = config.targets.find(host);
  if (named != config.targets.end() &&
      (port == 22 || named->second.address.ends_with(":" + number))) {
    return is_reached(host) ? Result(host) : no_role(printable(address, 80), groups);
  }
  for (const auto& [name, target] : config.targets) {
    if (target.address == address && is_reached(name)) {
      return name;
    }
  }
  return no_role(printable(address, 80), groups);
}

}  // namespace sallyport
