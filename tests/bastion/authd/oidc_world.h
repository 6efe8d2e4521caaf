// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/provider.h"
#include "tests/bastion/authd/scripted_server.h"

#include <memory>
#include <string>

namespace sallyport::test {

// What every OIDC test shares in one process: the server (a child, so it comes first) and
// liboauth2, which may be started once.
struct OidcWorld {
  ScriptedServer server;
  std::unique_ptr<OauthLibrary> library;

  static OidcWorld& get();

  // Serves a discovery document for this issuer, with endpoints below it.
  void serve_discovery(const std::string& name);
  std::string issuer(const std::string& name) const { return server.url("/" + name); }
  ProviderSettings settings(const std::string& name) const;

private:
  OidcWorld();
};

// A clock that stands still until it is told.
struct FakeClock {
  std::chrono::sys_seconds wall{std::chrono::seconds(1'800'000'000)};
  SteadyTime steady{std::chrono::hours(100)};

  void advance(std::chrono::seconds by) {
    wall += by;
    steady += by;
  }
  OidcClock clock() {
    return {[this] { return wall; }, [this] { return steady; }};
  }
};

}  // namespace sallyport::test
