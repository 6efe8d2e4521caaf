// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace sallyport::witness {

struct CommandOutput {
  int status = 0;  // the exit status; 128 + n after signal n
  std::string output;
  std::string error_line;  // the first line of its standard error, printable
};

// Runs a program in a process group of its own, without a shell, with `input` as its standard
// input. When the time is over, or `cancelled` is set, the group is killed and it is an error. What
// it leaves running after its own end is not waited for.
Result<CommandOutput> run_command(const std::vector<std::string>& arguments,
                                  const std::string& input, std::chrono::milliseconds patience,
                                  const std::atomic<bool>& cancelled);

}  // namespace sallyport::witness
