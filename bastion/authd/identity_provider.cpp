// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/identity_provider.h"

#include "shared/base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

namespace sallyport {

namespace {

constexpr size_t kMaxSecretBytes = 64 * 1024;

// Without the newline that editors leave at the end. Group may read it (0640, root:authd), others
// may not.
Result<SecretBytes> read_secret(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    return errno_error("reading " + path);
  }
  if (!S_ISREG(status.st_mode) || (status.st_mode & S_IRWXO) != 0) {
    return Error{Errc::io, path + ": must be a file that others cannot read; chmod 0600 it"};
  }
  SecretBytes buffer(kMaxSecretBytes);
  const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
  if (size < 0) {
    return errno_error("reading " + path);
  }
  std::string_view text(buffer.view().substr(0, static_cast<size_t>(size)));
  while (text.ends_with('\n') || text.ends_with('\r')) {
    text.remove_suffix(1);
  }
  return SecretBytes(text);
}

Result<ClientAuthentication> authentication_of(const std::string& name) {
  static const std::map<std::string, ClientAuthentication> names = {
      {"none", ClientAuthentication::none},
      {"basic", ClientAuthentication::basic},
      {"basic_raw", ClientAuthentication::basic_raw},
      {"post", ClientAuthentication::post},
      {"private_key_jwt", ClientAuthentication::private_key_jwt}};
  const auto found = names.find(name);
  if (found == names.end()) {
    return Error{Errc::invalid, "identity.client_authentication: \"" + name + "\" is unknown"};
  }
  return found->second;
}

}  // namespace

std::string credential_path(const IdentityConfig& identity) {
  if (identity.client_authentication == "none") {
    return "";
  }
  return identity.client_authentication == "private_key_jwt" ? identity.client_key_file
                                                             : identity.client_secret_file;
}

Result<ClientCredential> read_client_credential(const IdentityConfig& identity) {
  ClientCredential credential{credential_path(identity), {}};
  if (credential.path.empty()) {
    return credential;
  }
  auto bytes = read_secret(credential.path);
  if (!bytes) {
    return bytes.error();
  }
  credential.bytes = std::move(*bytes);
  return credential;
}

Result<std::shared_ptr<Provider>> make_provider(const OauthLibrary& library, const Config& config,
                                                const ClientCredential& credential) {
  const IdentityConfig& identity = config.identity;
  const auto authentication = authentication_of(identity.client_authentication);
  if (!authentication) {
    return authentication.error();
  }
  ProviderSettings settings;
  settings.issuer = identity.issuer;
  settings.discovery_url = identity.discovery_url;
  settings.client_id = identity.client_id;
  settings.client_authentication = *authentication;
  settings.http.ca_file = identity.ca_file;
  settings.http.proxy = identity.proxy;
  settings.scopes = identity.scopes;
  settings.groups_claim = identity.groups_claim;
  settings.name_claim = identity.name_claim;
  settings.login_time_limit = config.login.deadline;
  (*authentication == ClientAuthentication::private_key_jwt ? settings.client_key_jwk
                                                            : settings.client_secret) =
      SecretBytes(credential.bytes.span());
  auto provider = Provider::create(library, std::move(settings));
  if (!provider) {
    return provider.error();
  }
  return std::shared_ptr<Provider>(std::move(*provider));
}

}  // namespace sallyport
