// SPDX-License-Identifier: Apache-2.0
//
// sallyportd is gate: it accepts and starts, parses nothing and holds nothing. Who may talk to
// whom:
//
//   user ══ front ── monitor ── back ══ target      per session; gate passes the descriptors
//                    monitor ── authd               who is this, and what may happen?
//                    monitor ── stored              a file to append to
//   gate ── authd, gate ── keyd                     is this grant true? one signature for it
//   keyd ── authd, stored ── authd                  is this grant true?
//   sallyportctl ── authd, keyd                     administration
//   witness ── stored                               the log's checkpoints, for others to remember
#include "bastion/gate/gate.h"
#include "bastion/gate/listeners.h"
#include "bastion/gate/spawn.h"
#include "shared/base/log.h"
#include "shared/ipc/sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

namespace {

using namespace sallyport;

// Two per session; the usual 1024 would end before limits.max_sessions does.
constexpr uint64_t kMaxDescriptors = 64 * 1024;
constexpr size_t kMaxHostKeys = 8;

int refuse(const Error& error) {
  log_error("cannot start", {{"why", error.message}});
  return 1;
}

// Opened while we may read them; the processes that need them get the descriptor.
Result<std::vector<UniqueFd>> open_host_keys(const std::vector<std::string>& files) {
  std::vector<UniqueFd> keys;
  for (const std::string& file : files) {
    UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
      return errno_error(file);
    }
    if ((info.st_mode & 077) != 0) {
      return Error{Errc::invalid, file + " can be read by others; run: chmod 600 " + file};
    }
    keys.push_back(std::move(fd));
  }
  if (keys.empty()) {
    return Error{Errc::invalid, "no host key; run sallyportctl init"};
  }
  if (keys.size() > kMaxHostKeys) {
    return Error{Errc::invalid, "more than 8 host keys; one of a kind is enough"};
  }
  return keys;
}

int run(const std::string& config_path, bool without_daemons) {
  auto config = load_config(config_path);
  if (!config) {
    std::cerr << config.error().message << "\n";
    return 1;
  }
  auto libexec = gate::libexec_directory();
  if (!libexec) {
    return refuse(libexec.error());
  }
  auto host_keys = open_host_keys(config->host_key_files);
  if (!host_keys) {
    return refuse(host_keys.error());
  }
  UniqueFd jump_key;
  if (!config->jump_key_file.empty()) {
    auto opened = open_host_keys({config->jump_key_file});
    if (!opened) {
      return refuse(opened.error());
    }
    jump_key = std::move(opened->front());
  }
  // The port opens last: whoever can connect finds everything there.
  gate::Daemons daemons;
  const Status up = without_daemons ? ok() : daemons.start(*config, *libexec);
  auto listeners =
      up ? gate::open_listeners(config->listen) : Result<std::vector<UniqueFd>>(up.error());
  if (!listeners) {
    daemons.stop();
    return refuse(listeners.error());
  }
  drop_to_user(kSessionUser);
  EventLoop loop;
  gate::Gate gate(loop, *config, std::move(*listeners), std::move(*host_keys), std::move(jump_key),
                  *libexec, std::move(daemons));
  return gate.run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sallyport, an SSH bastion: accepts the users and starts everything else"};
  std::string config_path = kDefaultConfigPath;
  bool without_daemons = false;
  app.add_option("--config", config_path, "configuration file or directory")->capture_default_str();
  app.add_flag("--no-daemons", without_daemons,
               "authd, keyd and stored run already (as units of systemd)");
  app.set_version_flag("--version", "sallyport " SALLYPORT_VERSION);
  CLI11_PARSE(app, argc, argv);
  log_start("gate");
  harden_process();
  limit_descriptors(kMaxDescriptors);
  return run(config_path, without_daemons);
}
