// SPDX-License-Identifier: Apache-2.0
//
// witness: shows the node log's checkpoints to those who remember them elsewhere. It sees what is
// public of the log and nothing else; the network and other programs are its business alone, so
// that stored has neither.
#include "bastion/witness/keeper.h"
#include "shared/base/log.h"
#include "shared/ipc/sandbox.h"

#include <curl/curl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

namespace {

using namespace sallyport;

int serve(const Config& config) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    fatal("libcurl cannot start");
  }
  EventLoop loop;
  loop.on_signals({SIGTERM, SIGINT}, [&loop](int) { loop.stop(); });
  witness::Keeper keeper(loop, config);
  ::sd_notify(0, "READY=1");
  log_info("started", {{"witnesses", std::to_string(config.witnesses.size())}});
  loop.run();
  if (!keeper.stop()) {
    ::_exit(0);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sallyport's link to the witnesses of its log; sallyportd or systemd starts it"};
  std::string config_path = kDefaultConfigPath;
  app.add_option("--config", config_path, "configuration file or directory");
  CLI11_PARSE(app, argc, argv);
  log_start("witness");
  harden_process();
  const auto config = load_config(config_path);
  if (!config) {
    log_error("cannot start", {{"why", config.error().message}});
    return 1;
  }
  if (config->witnesses.empty()) {
    log_info("no witness is configured (log.witnesses)");
    ::sd_notify(0, "READY=1");
    return 0;
  }
  drop_to_user(kWitnessUser);
  return serve(*config);
}
