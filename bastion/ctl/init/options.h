// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace sallyport {

struct InitOptions {
  std::string directory;  // of the configuration; absolute
  bool development = false;
  std::vector<std::string> recipients;
  std::string issuer;
  std::string client_id;
  std::vector<std::string> listen;
  std::string node;
  // Where the rest lies. A system's bastion has its places in /var/lib and /run; one of a
  // directory of its own has "state" and "run" in there.
  std::string state_directory;
  std::string runtime_directory;
};

}  // namespace sallyport
