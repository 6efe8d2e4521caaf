// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/person.h"
#include "bastion/authd/remembered_keys.h"

namespace sallyport {

// Is this person the one whom the key is bound to: by an earlier login (issuer and subject, also
// when its time has run out), or by an administrator who registered it ("subject:..." or a name)?
// The name is Person's, which is never an e-mail address that the provider calls unverified.
bool is_owner(const RememberedKey& key, const Person& person);

}  // namespace sallyport
