// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/config/config.h"

#include <functional>
#include <string>

namespace sallyport {

// What every command of sallyportctl shares. A command's callback sets `run`, which main() calls
// when the whole command line has been understood: an error is printed as one line and is exit
// status 1; a command line that makes no sense is 2.
struct Ctl {
  std::string config_path = kDefaultConfigPath;  // --config
  std::function<Status()> run;
  int finding = 0;  // a command that says more by its exit status, with an error or without

  Result<Config> config() const { return load_config(config_path); }

  // For a command that only talks to running daemons, or looks at their files: a configuration that
  // was broken since they started must not keep anybody from ending a session. With errors in it
  // only its folders are to be used, and a line on standard error has said so.
  Result<Config> config_of_running() const;
};

}  // namespace sallyport
