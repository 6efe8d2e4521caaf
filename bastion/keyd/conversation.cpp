// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/conversation.h"

#include "bastion/keyd/private_key.h"
#include "shared/base/log.h"

#include <openssl/crypto.h>

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <optional>

namespace sallyport {

namespace {

constexpr size_t kMaxQueuedBytes = 1024 * 1024;

VaultEntry entry_of(const VaultKey& key) {
  return VaultEntry{key.name, authorized_keys_line(key.public_key, "sallyport:" + key.name),
                    fingerprint(key.public_key.blob), key.added_ms};
}

std::optional<KeyType> key_type(const std::string& algorithm) {
  if (algorithm == "ed25519") {
    return KeyType::ed25519;
  }
  if (algorithm == "ecdsa") {
    return KeyType::ecdsa_p256;
  }
  return algorithm == "rsa" ? std::optional(KeyType::rsa_3072) : std::nullopt;
}

std::optional<LogSigner::Request> request_of(const SignCheckpoint& message) {
  LogSigner::Request request{message.size, {}, MerkleProof(message.proof.size()), message.previous};
  const auto take = [](const std::string& bytes, Sha256Digest& hash) {
    const bool fits = bytes.size() == hash.size();
    std::copy_n(bytes.begin(), fits ? hash.size() : 0, hash.begin());
    return fits;
  };
  bool whole = take(message.root, request.root);
  for (size_t i = 0; i < message.proof.size(); ++i) {
    whole = whole && take(message.proof[i], request.proof[i]);
  }
  return whole ? std::optional(std::move(request)) : std::nullopt;
}

CheckpointSigned signed_answer(LogSigner& signer, const LogSigner::Request& request) {
  auto note = signer.sign(request);
  if (!note) {
    log_error("checkpoint_refused",
              {{"size", std::to_string(request.size)}, {"why", note.error().message}});
    return CheckpointSigned{false, note.error().message, ""};
  }
  return CheckpointSigned{true, "", std::move(*note)};
}

// The receive buffer of a Peer is plain memory and is used again and again: a private key that
// came in a message goes from there as soon as it was read.
void wipe(Received& received) {
  OPENSSL_cleanse(const_cast<uint8_t*>(received.body.data()), received.body.size());
}

}  // namespace

KeyDaemon::Conversation::Conversation(KeyDaemon& daemon, uint64_t number, UniqueFd socket,
                                      Caller caller)
    : daemon_(daemon), number_(number), peer_(std::move(socket)), caller_(caller) {
  daemon_.loop_.watch(peer_.fd(), EPOLLIN, [this](uint32_t events) { on_ready(events); });
}

KeyDaemon::Conversation::~Conversation() {
  daemon_.loop_.unwatch(peer_.fd());
}

void KeyDaemon::Conversation::on_ready(uint32_t events) {
  Status status = (events & EPOLLOUT) != 0 ? peer_.flush() : ok();
  if (status) {
    status = read_messages();
  }
  if (status) {
    return watch_writes();
  }
  if (status.error().message != "closed") {
    log_warning("client_dropped", {{"why", status.error().message}});
  }
  daemon_.close_conversation(number_);  // destroys this object
}

Status KeyDaemon::Conversation::read_messages() {
  using Self = Conversation;
  static constexpr std::array kTable = {
      allow<&Self::answer_ask_signer>(in(Caller::session, Caller::own_user), Times::many),
      allow<&Self::answer_vault_add>(in(Caller::administrator, Caller::own_user), Times::many),
      allow<&Self::answer_vault_generate>(in(Caller::administrator, Caller::own_user), Times::many),
      allow<&Self::answer_vault_remove>(in(Caller::administrator, Caller::own_user), Times::many),
      allow<&Self::answer_vault_list>(in(Caller::administrator, Caller::own_user), Times::many),
      allow<&Self::answer_log_state>(in(Caller::administrator, Caller::stored, Caller::own_user),
                                     Times::many),
      allow<&Self::answer_sign_checkpoint>(in(Caller::stored, Caller::own_user), Times::many),
  };
  return receive_all(peer_, [this](Received& received) {
    Status answered = dispatch<Self>(std::span(kTable), *this, caller_, seen_, received);
    wipe(received);
    return answered;
  });
}

template <class Message>
Status KeyDaemon::Conversation::send(const Message& message, std::vector<int> fds) {
  if (peer_.queued_bytes() > kMaxQueuedBytes) {
    return Error{Errc::limit, "does not read its answers"};
  }
  return peer_.send(message, std::move(fds));
}

void KeyDaemon::Conversation::watch_writes() {
  daemon_.loop_.change(peer_.fd(), peer_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

Status KeyDaemon::Conversation::answer_ask_signer(const AskSigner& message) {
  daemon_.confirm_and_sign(number_, message.grant, message.session);
  return ok();
}

void KeyDaemon::Conversation::send_signer(const Id& session, const Result<UniqueFd>& signer) {
  const auto sent = signer ? send(Signer{session, true, ""}, {signer->get()})
                           : send(Signer{session, false, signer.error().message});
  if (!sent) {
    log_warning("signer_not_sent", {{"session", session.hex()}, {"why", sent.error().message}});
  }
  watch_writes();
}

Status KeyDaemon::Conversation::answer_vault_add(const VaultAdd& message) {
  const auto key = import_key(message.pkcs8.span());
  return answer_added(key ? daemon_.vault_.add(message.name, **key) : key.error(), "added");
}

Status KeyDaemon::Conversation::answer_vault_generate(const VaultGenerate& message) {
  const auto type = key_type(message.algorithm);
  if (!type) {
    return send(Answer{false, "a key's type is ed25519, ecdsa or rsa"});
  }
  return answer_added(daemon_.vault_.add(message.name, *generate_key(*type)), "generated");
}

Status KeyDaemon::Conversation::answer_added(const Result<VaultKey>& added, const char* how) {
  if (!added) {
    return send(Answer{false, added.error().message});
  }
  const VaultEntry entry = entry_of(*added);
  log_info("vault_key_added",
           {{"name", entry.name}, {"fingerprint", entry.fingerprint}, {"how", how}});
  if (const auto sent = send(entry); !sent) {
    return sent;
  }
  return send(Answer{true, "key " + entry.name + " " + how});
}

Status KeyDaemon::Conversation::answer_vault_remove(const VaultRemove& message) {
  const auto removed = daemon_.vault_.remove(message.name);
  if (!removed) {
    return send(Answer{false, removed.error().message});
  }
  log_info("vault_key_removed", {{"name", message.name}});
  return send(Answer{true, "key " + message.name + " removed"});
}

Status KeyDaemon::Conversation::answer_vault_list(const VaultList&) {
  const auto listing = daemon_.vault_.list();
  if (!listing) {
    return send(Answer{false, listing.error().message});
  }
  for (const VaultKey& key : listing->keys) {
    if (const auto sent = send(entry_of(key)); !sent) {
      return sent;
    }
  }
  const auto& unreadable = listing->unreadable;
  for (const std::string& why : unreadable) {
    log_error("vault_file_unreadable", {{"why", why}});
  }
  std::string text = unreadable.empty() ? "" : unreadable.front();
  if (unreadable.size() > 1) {
    text += "; and " + std::to_string(unreadable.size() - 1) + " more, see keyd's log";
  }
  return send(Answer{true, text});
}

// Asks the log's signer in its thread; what it says goes to this conversation, if it is still
// there.
template <class Reply>
Status KeyDaemon::Conversation::ask_log(std::function<Reply(LogSigner&)> question) {
  auto job = [&daemon = daemon_, number = number_,
              question = std::move(question)](LogSigner& signer) -> LogThread::Completion {
    return [&daemon, number, reply = question(signer)] {
      const auto asked = daemon.conversations_.find(number);
      if (asked == daemon.conversations_.end()) {
        return;
      }
      if (const auto sent = asked->second->send(reply); !sent) {
        log_warning("log_answer_not_sent", {{"why", sent.error().message}});
      }
      asked->second->watch_writes();
    };
  };
  return daemon_.log_.submit(std::move(job)) ? ok()
                                             : Error{Errc::limit, "asks more than the disk takes"};
}

Status KeyDaemon::Conversation::answer_log_state(const LogState&) {
  return ask_log<LogStateIs>([](LogSigner& signer) {
    const auto note = signer.last_note();
    return note ? LogStateIs{signer.verifier().text(), *note, ""}
                : LogStateIs{signer.verifier().text(), "", note.error().message};
  });
}

Status KeyDaemon::Conversation::answer_sign_checkpoint(const SignCheckpoint& message) {
  auto request = request_of(message);
  if (!request) {
    return send(CheckpointSigned{false, "a hash of the log is 32 bytes", ""});
  }
  return ask_log<CheckpointSigned>([request = std::move(*request)](LogSigner& signer) {
    return signed_answer(signer, request);
  });
}

}  // namespace sallyport
