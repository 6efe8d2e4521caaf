// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/clock.h"
#include "shared/http/http_client.h"
#include "bastion/authd/oidc/key_set.h"
#include "bastion/authd/oidc/metadata.h"
#include "bastion/authd/oidc/oauth_library.h"
#include "bastion/authd/oidc/provider_settings.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace sallyport {

// One identity provider: its discovery document and keys, fetched when needed and kept for an hour,
// and the requests we send it. All calls block, for at most the HTTP timeout each, and may come
// from any thread; those that find their answer cached do not wait for one that fetches. When a
// document cannot be had, the error is repeated for 5 s rather than asked for again.
class Provider {
public:
  static Result<std::unique_ptr<Provider>> create(const OauthLibrary& library,
                                                  ProviderSettings settings, OidcClock clock = {});

  const ProviderSettings& settings() const { return settings_; }
  const OidcClock& clock() const { return clock_; }
  const OauthLibrary& library() const { return library_; }

  Result<std::shared_ptr<const Metadata>> metadata();

  // The key that this token's header asks for. A kid that we do not know makes us fetch the keys
  // again, at most once a minute, whoever asks.
  Result<std::string> key_for(const JwsHeader& header);
  // After a signature that `key` does not verify: some providers put a new key in the old one's
  // place, under its kid or under none. Fetches under the same rule; nullopt where no other key is
  // there for this header.
  std::optional<std::string> replaced_key_for(const JwsHeader& header, const std::string& key);

  // A form to the device or the token endpoint, with our client authentication. Any status is a
  // reply; redirects are not followed.
  Result<HttpReply> post(const std::string& url, HttpForm form);
  Result<HttpReply> get_with_token(const std::string& url, const SecretBytes& access_token);

private:
  // A document and when it was fetched, or the error that fetching it gave.
  template <class T>
  struct Cached {
    std::shared_ptr<const T> value;
    std::optional<Error> error;
    SteadyTime tried{};
  };
  enum class Refresh { when_stale, for_unknown_key };

  Provider(const OauthLibrary& library, ProviderSettings settings, OidcClock clock)
      : library_(library), settings_(std::move(settings)), clock_(std::move(clock)) {}

  template <class T, class Fetch>
  Result<std::shared_ptr<const T>> refresh(Cached<T>& cached, Refresh why, Fetch fetch);
  template <class T>
  bool is_usable(const Cached<T>& cached, Refresh why) const;
  Result<std::shared_ptr<const KeySet>> keys(Refresh why);
  Result<std::string> fetch(const std::string& url, size_t max_bytes) const;

  const OauthLibrary& library_;
  const ProviderSettings settings_;
  const OidcClock clock_;
  std::mutex state_;     // guards the two below; never held while fetching
  std::mutex fetching_;  // one fetch at a time
  Cached<Metadata> metadata_;
  Cached<KeySet> keys_;
};

}  // namespace sallyport
