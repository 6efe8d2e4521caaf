// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>
#include <vector>

namespace sallyport {

struct ProgramOutput {
  int status = 0;  // the exit status; 128 + n after signal n
  std::string output;
};

// Runs a program from PATH and waits for it; no shell, standard input empty, standard error ours or
// none. An error when it cannot be started; `package` says which one has it.
enum class ProgramErrors { shown, hidden };
Result<ProgramOutput> run_program(const std::vector<std::string>& arguments,
                                  const std::string& package,
                                  ProgramErrors errors = ProgramErrors::shown);

}  // namespace sallyport
