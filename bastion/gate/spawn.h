// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace sallyport::gate {

// Where the other executables lie: libexec/ beside bin/ in the build tree, libexec/sallyport/
// beside sbin/ when installed.
Result<std::string> libexec_directory();

// What a new process gets: descriptors 3, 4, ... in this order and standard error, nothing else.
struct Program {
  std::string path;
  std::string shown_as;  // argv[0], as ps shows it
  std::vector<std::string> arguments;
  std::vector<int> descriptors;
  std::string user{};  // to become, when we are root; "" keeps ours
  bool keep_environment = false;
  bool dies_with_us = false;  // SIGTERM when gate goes (PR_SET_PDEATHSIG)
};
Result<pid_t> spawn(const Program& program);

// Within a forked child: becomes the program, or _exit(127).
[[noreturn]] void become(const Program& program);

}  // namespace sallyport::gate
