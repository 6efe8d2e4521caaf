// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/learn.h"

#include "bastion/ctl/host_keys/known_hosts.h"
#include "bastion/ctl/program.h"
#include "shared/base/printable.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

namespace sallyport {

namespace {

constexpr const char* kAlias = "target";
constexpr int kSshFailed = 255;

class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sallyport.XXXXXX").string();
    path_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
      std::filesystem::remove_all(path_, ignored);
    }
  }
  std::string operator/(const char* name) const { return path_ + "/" + name; }
  explicit operator bool() const { return !path_.empty(); }

private:
  std::string path_;
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string type_of(const std::string& line) {
  return line.substr(0, line.find(' '));
}

// This type first, so that it is the one that is proven; the others after it, since the client
// learns only what it would accept.
std::string algorithms(const std::string& first) {
  std::string out;
  for (const std::string type : {first.c_str(), "ssh-ed25519", "ecdsa-sha2-nistp256",
                                 "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}) {
    const std::string names = type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
    if (out.find(names) == std::string::npos) {
      out += (out.empty() ? "" : ",") + names;
    }
  }
  return out;
}

std::vector<std::string> ssh_command(const LearnFrom& from, const std::string& type,
                                     const std::string& known_hosts, const std::string& log) {
  std::vector<std::string> words = {"ssh", "-F", "none", "-a", "-x", "-T", "-E", log};
  const std::vector<std::string> options = {"BatchMode=yes",
                                            "StrictHostKeyChecking=yes",
                                            "UpdateHostKeys=yes",
                                            "CheckHostIP=no",
                                            "UserKnownHostsFile=" + known_hosts,
                                            "GlobalKnownHostsFile=/dev/null",
                                            "HashKnownHosts=no",
                                            "VerifyHostKeyDNS=no",
                                            "KnownHostsCommand=none",
                                            "ControlPath=none",
                                            "ProxyCommand=none",
                                            "ConnectTimeout=10",
                                            "ServerAliveInterval=5",
                                            "ClearAllForwardings=yes",
                                            "LogLevel=ERROR",
                                            "HostKeyAlias=target",
                                            "HostKeyAlgorithms=" + algorithms(type)};
  for (const std::string& option : options) {
    words.insert(words.end(), {"-o", option});
  }
  if (!from.identity.empty()) {
    words.insert(words.end(), {"-o", "IdentitiesOnly=yes", "-i", from.identity});
  }
  words.insert(words.end(), {"-l", from.login, "-p", std::to_string(from.address.port), "--",
                             from.address.host, "true"});
  return words;
}

// nullopt: the key of this type is not the pinned one.
Result<std::optional<std::vector<PublicKeyLine>>> learn_by(const LearnFrom& from,
                                                           const std::string& type) {
  const TemporaryFolder folder;
  const std::string known_hosts = folder / "known_hosts";
  const std::string log = folder / "log";
  std::ofstream file(known_hosts);
  for (const std::string& pin : from.pinned) {
    file << kAlias << ' ' << pin << '\n';
  }
  file.close();
  if (!folder || !file) {
    return Error{Errc::io, "a temporary folder for known_hosts cannot be made"};
  }
  const auto ssh = run_program(ssh_command(from, type, known_hosts, log), "openssh-client",
                               ProgramErrors::hidden);
  if (!ssh) {
    return ssh.error();
  }
  if (ssh->status == kSshFailed) {
    const std::string said = read(log);
    if (said.find("Host key verification failed") != std::string::npos) {
      return std::optional<std::vector<PublicKeyLine>>{};
    }
    return Error{Errc::io, "ssh " + from.login + "@" + from.address.text() + ": " +
                               printable(said.substr(0, said.find_last_not_of("\r\n") + 1))};
  }
  std::vector<PublicKeyLine> keys;
  for (auto& entry : parse_known_hosts(read(known_hosts)).entries) {
    keys.push_back(std::move(entry.key));
  }
  return std::optional(std::move(keys));
}

}  // namespace

Result<std::vector<PublicKeyLine>> learn_host_keys(const LearnFrom& from) {
  std::set<std::string> types;
  std::transform(from.pinned.begin(), from.pinned.end(), std::inserter(types, types.end()),
                 type_of);
  for (const std::string& type : types) {
    auto learnt = learn_by(from, type);
    if (!learnt) {
      return learnt.error();
    }
    if (*learnt) {
      return std::move(**learnt);
    }
  }
  return Error{Errc::denied, from.address.text() + " has proven no pinned host key"};
}

}  // namespace sallyport
