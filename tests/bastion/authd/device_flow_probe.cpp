// SPDX-License-Identifier: Apache-2.0
// device_flow_probe SETTINGS: one login against a real provider, for
// tests/e2e/test_oidc_providers.py. SETTINGS is a JSON object; each event is one JSON line on
// stdout: prompt, poll, and at the end person, denied, expired or error.
#include "bastion/authd/oidc/device_flow.h"
#include "bastion/authd/oidc/person.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace {

using namespace sallyport;
using nlohmann::json;

void report(json event) {
  std::cout << event.dump() << std::endl;
}

int report_error(const Error& error) {
  report({{"event", "error"}, {"message", error.message}});
  return 1;
}

ClientAuthentication authentication(const std::string& name) {
  const std::pair<const char*, ClientAuthentication> names[] = {
      {"none", ClientAuthentication::none},
      {"basic", ClientAuthentication::basic},
      {"basic_raw", ClientAuthentication::basic_raw},
      {"post", ClientAuthentication::post},
      {"private_key_jwt", ClientAuthentication::private_key_jwt}};
  for (const auto& [text, kind] : names) {
    if (name == text) {
      return kind;
    }
  }
  throw std::invalid_argument(name);
}

ProviderSettings read_settings(const json& from) {
  ProviderSettings settings;
  settings.issuer = from.at("issuer");
  settings.discovery_url = from.value("discovery_url", "");
  settings.client_id = from.at("client_id");
  settings.client_authentication = authentication(from.value("authentication", "none"));
  settings.client_secret = SecretBytes(std::string_view(from.value("secret", "")));
  settings.client_key_jwk = SecretBytes(std::string_view(from.value("key", "")));
  settings.http.ca_file = from.value("ca_file", "");
  settings.scopes = from.value("scopes", settings.scopes);
  settings.groups_claim = from.value("groups_claim", settings.groups_claim);
  settings.login_time_limit = std::chrono::seconds(from.value("login_time_limit", 180));
  return settings;
}

int report_person(Provider& provider, const Tokens& tokens) {
  const auto person = identify_person(provider, tokens);
  if (!person) {
    return report_error(person.error());
  }
  report({{"event", "person"},
          {"issuer", person->issuer},
          {"subject", person->subject},
          {"name", person->name},
          {"groups", person->groups},
          {"groups_present", person->groups_present},
          {"claims", json::parse(person->claims)}});
  return 0;
}

int log_in(Provider& provider) {
  DeviceFlow flow(provider);
  const auto prompt = flow.start();
  if (!prompt) {
    return report_error(prompt.error());
  }
  report({{"event", "prompt"},
          {"user_code", prompt->user_code},
          {"verification_uri", prompt->verification_uri}});
  while (true) {
    std::this_thread::sleep_until(flow.next_poll());
    const DeviceFlow::Answer answer = flow.poll();
    if (const auto* tokens = std::get_if<Tokens>(&answer)) {
      return report_person(provider, *tokens);
    }
    if (const auto* error = std::get_if<Error>(&answer)) {
      return report_error(*error);
    }
    if (!std::holds_alternative<DeviceFlow::Pending>(answer)) {
      report(
          {{"event", std::holds_alternative<DeviceFlow::Denied>(answer) ? "denied" : "expired"}});
      return 0;
    }
    report({{"event", "poll"}, {"interval", flow.interval().count()}});
  }
}

int run(const char* settings) {
  log_start("device_flow_probe");
  const auto library = OauthLibrary::create();
  if (!library) {
    return report_error(library.error());
  }
  const auto provider = Provider::create(**library, read_settings(json::parse(settings)));
  return provider ? log_in(**provider) : report_error(provider.error());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return argc == 2 ? run(argv[1]) : 2;
  } catch (const std::exception& error) {
    return report_error({Errc::invalid, error.what()});
  }
}
