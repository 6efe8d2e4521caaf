// SPDX-License-Identifier: Apache-2.0
//
// The development identity provider: lets whoever knows one password (without --password-file,
// anybody on this machine) sign in as one of two made-up people. So it listens on loopback only,
// and it refuses to start for a configuration that is not itself marked as a development one.
#include "bastion/dev_idp/http.h"
#include "bastion/dev_idp/provider.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/ipc/sandbox.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <fstream>
#include <iostream>
#include <thread>

namespace sallyport {
namespace {

constexpr std::string_view kLoopback = "http://127.0.0.1:";

Result<uint16_t> port_of_issuer(const std::string& issuer) {
  uint16_t port = 0;
  if (issuer.starts_with(kLoopback)) {
    const char* end = issuer.data() + issuer.size();
    const auto parsed = std::from_chars(issuer.data() + kLoopback.size(), end, port);
    if (parsed.ec == std::errc() && parsed.ptr == end && port >= 1024 &&
        issuer == std::string(kLoopback) + std::to_string(port)) {
      return port;
    }
  }
  return Error{Errc::denied,
               "identity.issuer must be http://127.0.0.1:PORT with a port of 1024 "
               "or more; this provider is for development on one machine"};
}

Status check_development(const Config& config) {
  if (!config.development) {
    return Error{Errc::denied,
                 "the configuration does not say \"development\": true; anybody can "
                 "sign in here, so this provider serves no other"};
  }
  if (config.identity.client_authentication != "none") {
    return Error{Errc::denied, "identity.client_authentication must be \"none\" for this provider"};
  }
  return ok();
}

// Blocks SIGTERM and SIGINT in every thread that starts later; the main thread waits for them.
sigset_t block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The first line of the file; "" where no file was named.
Result<std::string> read_password(const std::string& path) {
  std::string password;
  if (path.empty()) {
    return password;
  }
  std::ifstream file(path);
  if (!std::getline(file, password) || password.empty()) {
    return Error{Errc::io, path + ": no password can be read there"};
  }
  return password;
}

Status run(const std::string& config_path, const std::string& password_file,
           ProviderSettings settings) {
  const Result<Config> config = load_config(config_path);
  if (!config) {
    return config.error();
  }
  if (Status status = check_development(*config); !status) {
    return status;
  }
  const Result<uint16_t> port = port_of_issuer(config->identity.issuer);
  if (!port) {
    return port.error();
  }
  Result<std::string> password = read_password(password_file);
  if (!password) {
    return password.error();
  }
  drop_to_user("nobody");
  settings.issuer = config->identity.issuer;
  settings.client_id = config->identity.client_id;
  Result<SigningKey> key = SigningKey::make();
  if (!key) {
    return key.error();
  }
  DevProvider provider(std::move(settings), std::move(*key));
  DevHttp http(provider, "127.0.0.1:" + std::to_string(*port), std::move(*password));
  if (Status status = http.bind(*port); !status) {
    return status;
  }
  const sigset_t signals = block_end_signals();
  std::thread server([&http] { http.serve(); });
  log_info("listening", {{"issuer", config->identity.issuer}});
  int signal = 0;
  sigwait(&signals, &signal);
  http.stop();
  server.join();
  return ok();
}

}  // namespace
}  // namespace sallyport

int main(int argc, char** argv) {
  sallyport::log_start("dev-idp");
  sallyport::harden_process();
  CLI::App app("Sallyport's development identity provider: loopback only, two made-up people");
  std::string config = sallyport::kDefaultConfigPath;
  std::string password_file;
  sallyport::ProviderSettings settings;
  int lifetime_s = 300;
  int interval_s = 1;
  app.add_option("--config", config, "the bastion's configuration, file or directory");
  app.add_option("--password-file", password_file,
                 "a file whose first line people must type to sign in");
  app.add_option("--code-lifetime", lifetime_s, "seconds until a code runs out")
      ->check(CLI::Range(1, 3600));
  app.add_option("--interval", interval_s, "seconds between two polls")->check(CLI::Range(1, 60));
  CLI11_PARSE(app, argc, argv);
  settings.code_lifetime = std::chrono::seconds(lifetime_s);
  settings.interval = std::chrono::seconds(interval_s);
  const sallyport::Status status = sallyport::run(config, password_file, std::move(settings));
  if (!status) {
    std::cerr << "sallyport-dev-idp: " << status.error().message << "\n";
    return 1;
  }
  return 0;
}
