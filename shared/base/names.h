// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace sallyport {

// R4: names from outside (login, target, vault key, role) come from one character set and are
// refused at the door: letters, digits, '.', '_', '-'; 1 to 64 of them; not beginning with '.' or
// '-'. So no name can be a path, an option, a list or a piece of another language.
bool is_valid_name(std::string_view name);

// '*' stands for any run of characters, '?' for one; everything else for itself.
bool glob_matches(std::string_view pattern, std::string_view name);

}  // namespace sallyport
