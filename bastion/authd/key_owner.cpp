// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/key_owner.h"

#include <string_view>

namespace sallyport {

namespace {
constexpr std::string_view kSubject = "subject:";
}  // namespace

bool is_owner(const RememberedKey& key, const Person& person) {
  if (key.has_logged_in()) {
    return key.issuer == person.issuer && key.subject == person.subject;
  }
  const std::string_view expected = key.registered_for;
  if (expected.starts_with(kSubject)) {
    return expected.substr(kSubject.size()) == person.subject;
  }
  return !expected.empty() && expected == person.name;
}

}  // namespace sallyport
