// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/key_owner.h"

#include <string_view>

namespace sallyport {

namespace {
constexpr std::string_view kSubject = "subject:";

// `claims` is compact JSON, in which a quote within a string is escaped: this finds members only.
bool is_unverified_email(const Person& person) {
  return person.name.find('@') != std::string::npos &&
         (person.claims.find(R"("email_verified":false)") != std::string::npos ||
          person.claims.find(R"("email_verified":"false")") != std::string::npos);
}
}  // namespace

bool is_owner(const RememberedKey& key, const Person& person) {
  if (key.has_logged_in()) {
    return key.issuer == person.issuer && key.subject == person.subject;
  }
  const std::string_view expected = key.registered_for;
  if (expected.starts_with(kSubject)) {
    return expected.substr(kSubject.size()) == person.subject;
  }
  return !expected.empty() && expected == person.name && !is_unverified_email(person);
}

}  // namespace sallyport
