// SPDX-License-Identifier: Apache-2.0
//
// sallyport-authd: who may enter. The only process that talks to the identity provider, and the
// only one that knows what its answers mean.
#include "bastion/authd/identity_provider.h"
#include "bastion/authd/server.h"
#include "shared/base/log.h"
#include "shared/ipc/sandbox.h"

#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <string>

namespace sallyport {
namespace {

constexpr uint64_t kMaxDescriptors = 16 * 1024;

template <class T>
T need(Result<T> result) {
  if (!result) {
    fatal(result.error().message);
  }
  return std::move(*result);
}

void notify_reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const uint64_t microseconds =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
  ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds)).c_str());
}

int run(const std::string& config_path) {
  log_start("authd");
  harden_process();
  limit_descriptors(kMaxDescriptors);
  auto config = std::make_shared<const Config>(need(load_config(config_path)));
  const SecretBytes seal_key = need(read_key_file(config->seal_key_file, "seal.key"));
  ClientCredential credential = need(read_client_credential(config->identity));
  drop_to_user(kAuthdUser);

  EventLoop loop;
  Server* serving = nullptr;
  loop.on_signals({SIGTERM, SIGINT, SIGHUP}, [&](int signal) {
    if (signal != SIGHUP) {
      loop.stop();
    } else if (serving != nullptr) {
      notify_reloading();
      serving->reload();
      ::sd_notify(0, "READY=1");
    }
  });
  const auto library = need(OauthLibrary::create());
  auto provider = need(make_provider(*library, *config, credential));
  Server::Parts parts{
      config,
      *library,
      std::move(credential),
      std::move(provider),
      need(RememberedKeys::open(config->state_path("authd") + "/keys.sqlite", seal_key)),
      Callers::of_this_process()};
  const std::string socket = config->socket_path("authd");
  Server server(loop, std::move(parts), need(listen_peer(socket)));
  serving = &server;
  ::sd_notify(0, "READY=1");
  log_info("started", {{"socket", socket}, {"issuer", config->identity.issuer}});
  loop.run();
  log_info("stopping");
  ::unlink(socket.c_str());
  if (!server.stop()) {
    // A call to the identity provider still runs, and the library must not go before it.
    ::_exit(0);
  }
  return 0;
}

}  // namespace
}  // namespace sallyport

int main(int argc, char** argv) {
  std::string config_path = sallyport::kDefaultConfigPath;
  CLI::App app{"Sallyport's identity daemon; started by sallyportd or systemd"};
  app.add_option("--config", config_path, "configuration file or directory");
  CLI11_PARSE(app, argc, argv);
  return sallyport::run(config_path);
}
