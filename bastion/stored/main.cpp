// SPDX-License-Identifier: Apache-2.0
//
// stored: the folder of recordings. It opens, and the monitors append; it can delete, and cannot
// read or forge what is written there.
#include "bastion/stored/server.h"
#include "shared/base/log.h"
#include "shared/ipc/sandbox.h"

#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <csignal>

namespace {

using namespace sallyport;

// One per session.
constexpr uint64_t kMaxDescriptors = 64 * 1024;

int refuse(const Error& error) {
  log_error("cannot start", {{"why", error.message}});
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sallyport's keeper of recordings; sallyportd or systemd starts it"};
  std::string config_path = kDefaultConfigPath;
  app.add_option("--config", config_path, "configuration file or directory");
  CLI11_PARSE(app, argc, argv);
  log_start("stored");
  harden_process();
  limit_descriptors(kMaxDescriptors);
  const auto config = load_config(config_path);
  if (!config) {
    return refuse(config.error());
  }
  drop_to_user(kStoredUser);
  EventLoop loop;
  loop.on_signals({SIGTERM, SIGINT}, [&loop](int) { loop.stop(); });
  auto folder = stored::RecordingsFolder::open(config->recordings_path());
  if (!folder) {
    return refuse(folder.error());
  }
  auto listener = listen_peer(config->socket_path("stored"));
  if (!listener) {
    return refuse(listener.error());
  }
  stored::Server server(loop, *config, std::move(*folder), std::move(*listener));
  ::sd_notify(0, "READY=1");
  loop.run();
  return 0;
}
