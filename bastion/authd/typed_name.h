// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>
#include <string_view>

namespace sallyport {

// What was typed before the bastion's name: a wish, never the source of who this is (R1).
struct TypedName {
  std::string login;  // "": the role's default login
  std::string target;

  std::string text() const { return login.empty() ? target : login + "@" + target; }
};

// "root@web1", "root%web1", "root+web1" or "web1". Errc::invalid with one line for the person.
Result<TypedName> parse_typed_name(std::string_view typed);

}  // namespace sallyport
