// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/keyscan.h"

#include "bastion/ctl/program.h"

#include <sstream>

namespace sallyport {

Result<std::vector<PublicKeyLine>> scan_host_keys(const HostPort& address) {
  const auto scan = run_program({"ssh-keyscan", "-T", "10", "-t", "ed25519,ecdsa,rsa", "-p",
                                 std::to_string(address.port), "--", address.host},
                                "openssh-client", ProgramErrors::hidden);
  if (!scan) {
    return scan.error();
  }
  std::vector<PublicKeyLine> keys;
  std::istringstream lines(scan->output);
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    if (line.starts_with('#') || space == std::string::npos) {
      continue;
    }
    if (auto key = parse_public_key_line(line.substr(space + 1))) {
      keys.push_back(std::move(*key));
    }
  }
  if (keys.empty()) {
    return Error{Errc::io,
                 address.text() + " shows no host key; is an SSH server listening there?"};
  }
  return keys;
}

}  // namespace sallyport
