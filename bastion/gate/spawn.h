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
// Its environment is a setting of glibc's memcpy.
struct Program {
  std::string path;
  std::string shown_as;  // argv[0], as ps shows it
  std::vector<std::string> arguments;
  std::vector<int> descriptors;
  std::string user{};  // to become, when we are root; "" keeps ours
  bool keep_environment = false;
  // The read end of a pipe of its own, which becomes standard input: SIGTERM when the write end
  // closes, so when gate goes. PR_SET_PDEATHSIG would not do: the kernel asks whether the one that
  // dies may signal the child, and a gate that has dropped root may not.
  int lifeline = -1;
};
Result<pid_t> spawn(const Program& program);

}  // namespace sallyport::gate
