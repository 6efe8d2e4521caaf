// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/policy.h"

#include "shared/base/names.h"
#include "shared/base/printable.h"
#include "shared/ipc/messages.h"

#include <algorithm>
#include <set>

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

Error no_login(const TypedName& wish, const std::vector<const RoleConfig*>& roles) {
  std::set<std::string> logins;
  for (const RoleConfig* role : roles) {
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
  uint32_t bits = 0;
  for (const std::string& channel : role.channels) {
    bits |= channel == "shell"  ? static_cast<uint32_t>(Allowed::shell)
            : channel == "exec" ? static_cast<uint32_t>(Allowed::exec)
                                : 0U;
  }
  return bits;
}

}  // namespace

Result<Right> decide(const Config& config, const std::vector<std::string>& groups,
                     const TypedName& wish) {
  std::vector<const RoleConfig*> roles;
  for (const auto& [name, role] : config.roles) {
    if (is_given_to(role, groups) && reaches(role, wish.target)) {
      roles.push_back(&role);
    }
  }
  if (roles.empty() || !config.targets.contains(wish.target)) {
    return no_role(wish.target, groups);
  }
  Right right{wish.target, wish.login, 0};
  for (const RoleConfig* role : roles) {
    if (right.login.empty()) {
      right.login = default_login(*role);
    }
  }
  bool login_allowed = false;
  for (const RoleConfig* role : roles) {
    if (!right.login.empty() && allows_login(*role, right.login)) {
      login_allowed = true;
      right.allowed |= channel_bits(*role);
    }
  }
  if (!login_allowed) {
    return no_login(wish, roles);
  }
  return right;
}

}  // namespace sallyport
