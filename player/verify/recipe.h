// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sallyport {

// RECIPE.txt of an evidence file: how somebody checks it who does not trust this program, with
// bash, coreutils, openssl, age and zstd. Its indented lines are the commands.
std::string recipe_text(const std::string& recording);

}  // namespace sallyport
