// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/typed_name.h"

#include "shared/base/names.h"
#include "shared/base/printable.h"

namespace sallyport {

Result<TypedName> parse_typed_name(std::string_view typed) {
  const size_t separator = typed.find_first_of("@%+");
  const bool has_login = separator != std::string_view::npos;
  const std::string_view login = has_login ? typed.substr(0, separator) : std::string_view();
  const std::string_view target = has_login ? typed.substr(separator + 1) : typed;
  if (!is_valid_name(target) || (has_login && !is_valid_name(login))) {
    return Error{Errc::invalid, "\"" + printable(typed, 80) +
                                    "\" names no target: type LOGIN@TARGET or TARGET, each of "
                                    "letters, digits, '.', '_' and '-'"};
  }
  return TypedName{std::string(login), std::string(target)};
}

}  // namespace sallyport
