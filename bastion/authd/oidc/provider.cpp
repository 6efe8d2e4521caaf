// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/provider.h"

#include "bastion/authd/oidc/client_auth.h"
#include "shared/base/printable.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;

constexpr auto kLifetime = 1h;
constexpr auto kPauseAfterFailure = 5s;
constexpr auto kPauseBetweenUnknownKeys = 60s;
constexpr size_t kMaxDiscoveryBytes = 256 * 1024;
constexpr size_t kMaxKeySetBytes = 512 * 1024;

}  // namespace

Result<std::unique_ptr<Provider>> Provider::create(const OauthLibrary& library,
                                                   ProviderSettings settings, OidcClock clock) {
  if (Status status = check_provider_settings(settings); !status) {
    return status.error();
  }
  return std::unique_ptr<Provider>(new Provider(library, std::move(settings), std::move(clock)));
}

template <class T>
bool Provider::is_usable(const Cached<T>& cached, Refresh why) const {
  const auto age = clock_.steady() - cached.tried;
  if (cached.error) {
    return age < kPauseAfterFailure;
  }
  const auto limit = why == Refresh::for_unknown_key ? kPauseBetweenUnknownKeys : kLifetime;
  return cached.value != nullptr && age < limit;
}

template <class T, class Fetch>
Result<std::shared_ptr<const T>> Provider::refresh(Cached<T>& cached, Refresh why, Fetch fetch) {
  const auto answer = [&]() -> std::optional<Result<std::shared_ptr<const T>>> {
    const std::lock_guard lock(state_);
    if (!is_usable(cached, why)) {
      return std::nullopt;
    }
    return cached.error ? Result<std::shared_ptr<const T>>(*cached.error) : cached.value;
  };
  if (auto known = answer()) {
    return *std::move(known);
  }
  const std::lock_guard one_at_a_time(fetching_);
  if (auto known = answer()) {  // another thread has fetched it while we waited
    return *std::move(known);
  }
  Result<T> fetched = fetch();
  const std::lock_guard lock(state_);
  cached.tried = clock_.steady();
  cached.error = fetched ? std::nullopt : std::optional(fetched.error());
  cached.value = fetched ? std::make_shared<const T>(*std::move(fetched)) : nullptr;
  return cached.error ? Result<std::shared_ptr<const T>>(*cached.error) : cached.value;
}

Result<std::string> Provider::fetch(const std::string& url, size_t max_bytes) const {
  HttpRequest request;
  request.url = url;
  request.max_reply_bytes = max_bytes;
  auto reply = http_call(settings_.http, request);
  if (!reply) {
    return reply.error();
  }
  if (reply->status != 200) {
    return Error{Errc::io, printable(url) + ": HTTP status " + std::to_string(reply->status)};
  }
  return std::move(reply->body);
}

Result<std::shared_ptr<const Metadata>> Provider::metadata() {
  return refresh(metadata_, Refresh::when_stale, [this]() -> Result<Metadata> {
    auto document = fetch(discovery_url(settings_), kMaxDiscoveryBytes);
    return document ? parse_metadata(*document, settings_.issuer)
                    : Result<Metadata>(document.error());
  });
}

Result<std::shared_ptr<const KeySet>> Provider::keys(Refresh why) {
  const auto where = metadata();  // before refresh(): both take fetching_
  if (!where) {
    return where.error();
  }
  return refresh(keys_, why, [&]() -> Result<KeySet> {
    auto document = fetch((*where)->jwks_uri, kMaxKeySetBytes);
    return document ? KeySet::parse(*document) : Result<KeySet>(document.error());
  });
}

Result<std::string> Provider::key_for(const JwsHeader& header) {
  Result<std::string> key = Error{Errc::not_found, {}};
  for (const Refresh why : {Refresh::when_stale, Refresh::for_unknown_key}) {
    const auto set = keys(why);
    if (!set) {
      return set.error();
    }
    key = (*set)->choose(header);
    if (key || key.error().code != Errc::not_found) {
      return key;
    }
  }
  return key;
}

std::optional<std::string> Provider::replaced_key_for(const JwsHeader& header,
                                                      const std::string& key) {
  const auto set = keys(Refresh::for_unknown_key);
  const auto now = set ? (*set)->choose(header) : Result<std::string>(set.error());
  return now && *now != key ? std::optional(*now) : std::nullopt;
}

Result<HttpReply> Provider::post(const std::string& url, HttpForm form) {
  const auto where = metadata();
  HttpRequest request;
  request.url = url;
  const Status authenticated =
      where
          ? add_client_authentication(library_, settings_, (*where)->token_endpoint, form, request)
          : Status(where.error());
  request.body = authenticated ? form_encode(form) : "";
  auto reply =
      authenticated ? http_call(settings_.http, request) : Result<HttpReply>(authenticated.error());
  wipe(request.body);
  for (auto& [name, value] : form) {
    wipe(value);
  }
  for (std::string& header : request.headers) {
    wipe(header);
  }
  return reply;
}

Result<HttpReply> Provider::get_with_token(const std::string& url,
                                           const SecretBytes& access_token) {
  HttpRequest request;
  request.url = url;
  request.headers.push_back(std::string("Authorization: Bearer ").append(access_token.view()));
  auto reply = http_call(settings_.http, request);
  wipe(request.headers.front());
  return reply;
}

}  // namespace sallyport
