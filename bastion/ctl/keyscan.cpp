// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/keyscan.h"

#include "bastion/ctl/program.h"
#include "shared/base/hex.h"

#include <ctime>
#include <sstream>

namespace sallyport {

namespace {

Result<std::string> keyscan(const HostPort& address, std::vector<std::string> options) {
  std::vector<std::string> words = {"ssh-keyscan", "-T", "10", "-t", "ed25519,ecdsa,rsa"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"-p", std::to_string(address.port), "--", address.host});
  auto scan = run_program(words, "openssh-client", ProgramErrors::hidden);
  if (!scan) {
    return scan.error();
  }
  return std::move(scan->output);
}

// Each is "TYPE BASE64", without the host in front of it that keys have.
std::vector<HostCertificate> read_certificates(const std::string& output) {
  std::vector<HostCertificate> out;
  std::istringstream words(output);
  for (std::string word; words >> word;) {
    if (!is_certificate_type(word) || !(words >> word)) {
      continue;
    }
    const auto blob = from_base64(word);
    if (auto certificate = blob ? parse_host_certificate(*blob) : Error{Errc::invalid, ""}) {
      out.push_back(std::move(*certificate));
    }
  }
  return out;
}

}  // namespace

Result<std::vector<PublicKeyLine>> scan_host_keys(const HostPort& address) {
  const auto output = keyscan(address, {});
  if (!output) {
    return output.error();
  }
  std::vector<PublicKeyLine> keys;
  std::istringstream lines(*output);
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

Result<Certified> scan_certified_keys(const std::map<std::string, HostCaConfig>& cas,
                                      const std::string& name, const HostPort& address) {
  const TargetNames names(name, address);
  if (cas_for(cas, names).empty()) {
    return Certified{};
  }
  const auto output = keyscan(address, {"-c"});
  if (!output) {
    return output.error();
  }
  return certified_keys(cas, names, read_certificates(*output),
                        static_cast<uint64_t>(std::time(nullptr)));
}

}  // namespace sallyport
