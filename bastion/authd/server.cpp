// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/server.h"

#include "shared/base/log.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sallyport {

namespace {
constexpr size_t kWorkers = 8;
constexpr size_t kMaxWaitingJobs = 256;
constexpr std::chrono::seconds kPatienceAtTheEnd{2};
constexpr size_t kMaxAnswerBytes = 64 * 1024;  // a broken configuration has many findings
}  // namespace

Server::Server(EventLoop& loop, Parts parts, UniqueFd listener)
    : loop_(loop),
      library_(parts.library),
      credential_(std::move(parts.credential)),
      provider_(std::move(parts.provider)),
      keys_(std::move(parts.keys)),
      callers_(parts.callers),
      login_context_{std::move(parts.config), keys_, pending_},
      workers_(loop, kWorkers, kMaxWaitingJobs),
      listener_(loop, std::move(listener),
                [this](UniqueFd socket, uid_t user) { admit(std::move(socket), user); }) {}

void Server::admit(UniqueFd socket, uid_t user) {
  if (!callers_.knows(user)) {
    return log_warning("stranger_refused", {{"uid", std::to_string(user)}});
  }
  const uint64_t number = next_connection_++;
  connections_.emplace(number,
                       std::make_unique<Connection>(*this, number, std::move(socket), user));
}

void Server::drop(uint64_t connection) {
  // Out of the table first: what its destructor causes must not find it there.
  const auto node = connections_.extract(connection);
}

size_t Server::end_sessions(const std::function<bool(const Admission&)>& is_over,
                            const std::string& why) {
  const auto ended = grants_.end(is_over);
  for (const uint64_t connection : ended) {
    const auto found = connections_.find(connection);
    if (found != connections_.end()) {
      found->second->revoke(why);
    }
  }
  return ended.size();
}

void Server::renew(const Renewal& renewal) {
  const Config& config = *login_context_.config;
  grants_.renew(renewal);
  const size_t ended = end_sessions(
      [&](const Admission& who) {
        return who.issuer == renewal.issuer && who.subject == renewal.subject &&
               !still_stands(who, config);
      },
      "your groups at the identity provider have changed and give you no right to this session any "
      "more");
  if (ended > 0) {
    log_info("person_renewed",
             {{"subject", renewal.subject}, {"sessions_ended", std::to_string(ended)}});
  }
}

size_t Server::end_sign_ins(const std::string& fingerprint) {
  return static_cast<size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [&](const auto& entry) { return entry.second->end_sign_in(fingerprint); }));
}

// The file may have been root's, who we are no more: then the secret that we have goes on.
Result<ClientCredential> Server::read_credential_again(const IdentityConfig& identity) const {
  auto credential = read_client_credential(identity);
  const bool is_out_of_reach = !credential && ::access(credential_.path.c_str(), R_OK) != 0;
  if (is_out_of_reach && credential_.path == credential_path(identity)) {
    return ClientCredential{credential_.path, SecretBytes(credential_.bytes.span())};
  }
  return credential;
}

Status Server::take_up(Config config) {
  auto credential = read_credential_again(config.identity);
  if (!credential) {
    return credential.error();
  }
  auto provider = make_provider(library_, config, *credential);
  if (!provider) {
    return provider.error();
  }
  login_context_.config = std::make_shared<const Config>(std::move(config));
  credential_ = std::move(*credential);
  provider_ = std::move(*provider);
  return ok();
}

Answer Server::reload() {
  const std::shared_ptr<const Config> old = login_context_.config;
  auto loaded = load_config(old->path);
  const Status taken = loaded ? take_up(std::move(*loaded)) : Status(loaded.error());
  if (!taken) {
    log_error("reload_failed", {{"error", taken.error().message}});
    return {false, taken.error().message.substr(0, kMaxAnswerBytes)};
  }
  const Config& config = *login_context_.config;
  const size_t ended =
      end_sessions([&](const Admission& who) { return !still_stands(who, config); },
                   "the bastion's configuration gives you no right to this session any more");
  std::string text = "reloaded; " + std::to_string(ended) + " session(s) ended";
  if (config.state_directory != old->state_directory ||
      config.runtime_directory != old->runtime_directory ||
      config.seal_key_file != old->seal_key_file) {
    text += "; directories and keys are taken up at the next start";
  }
  log_info("reloaded", {{"sessions_ended", std::to_string(ended)}});
  return {true, text};
}

bool Server::stop() {
  connections_.clear();
  return workers_.stop(kPatienceAtTheEnd);
}

}  // namespace sallyport
