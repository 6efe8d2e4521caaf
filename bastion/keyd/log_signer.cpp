// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/log_signer.h"

#include "bastion/keyd/vault_files.h"
#include "shared/base/hex.h"
#include "shared/crypto/sealed.h"

#include <openssl/err.h>

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace sallyport {

namespace {

constexpr const char* kKeyFile = "log.key";
constexpr const char* kStateFile = "log.state";
constexpr const char* kContext = "log key";
constexpr size_t kKeyBytes = 32;

Result<Ed25519Signature> ed25519_sign(EVP_PKEY& key, std::string_view message) {
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  Ed25519Signature signature{};
  size_t size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, &key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, as_bytes(message).data(),
                     message.size()) != 1 ||
      size != signature.size()) {
    ERR_clear_error();
    return Error{Errc::internal, "OpenSSL cannot sign with the log's key"};
  }
  return signature;
}

// Nothing was signed with this state's key that a log could be held to. Without the key itself it
// cannot be verified; it only has to tell a first start that was cut short from a lost key.
bool is_of_empty_log(std::span<const uint8_t> note_bytes) {
  const auto note = parse_note(as_text(note_bytes));
  const auto checkpoint = note ? parse_checkpoint(note->text) : Result<Checkpoint>(note.error());
  return checkpoint && checkpoint->size == 0;
}

}  // namespace

Result<LogSigner> LogSigner::open(const std::string& folder, std::span<const uint8_t> vault_key,
                                  const std::string& name) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    return errno_error("opening keyd's folder " + folder);
  }
  LogSigner signer(std::move(fd), folder);
  const auto sealed = read_small_file(signer.folder_.get(), kKeyFile);
  if (!sealed && sealed.error().code != Errc::not_found) {
    return sealed.error();
  }
  const Status opened =
      sealed ? signer.open_key(vault_key, *sealed, name) : signer.make_key(vault_key, name);
  if (!opened) {
    return opened.error();
  }
  if (auto state = signer.read_state()) {
    signer.last_ = std::move(*state);
  }
  return signer;
}

Status LogSigner::take_key(EvpKey key, const std::string& name) {
  size_t size = verifier_.key.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), verifier_.key.data(), &size) != 1) {
    ERR_clear_error();
    return Error{Errc::internal, "OpenSSL cannot make the log's key"};
  }
  key_ = std::move(key);
  verifier_.name = name;
  return ok();
}

Status LogSigner::open_key(std::span<const uint8_t> vault_key, std::span<const uint8_t> sealed,
                           const std::string& name) {
  const auto key = open_sealed(vault_key, kContext, sealed);
  if (!key || key->size() != kKeyBytes) {
    return Error{
        Errc::corrupt,
        path_ + "/" + kKeyFile +
            ": damaged, or sealed with another vault key; restore it from a backup, or "
            "give the vault key that it was sealed with. It is the key that auditors know"};
  }
  return take_key(
      EvpKey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key->data(), key->size())),
      name);
}

Status LogSigner::make_key(std::span<const uint8_t> vault_key, const std::string& name) {
  const auto state = read_small_file(folder_.get(), kStateFile);
  if (state ? !is_of_empty_log(*state) : state.error().code != Errc::not_found) {
    return Error{Errc::corrupt,
                 path_ + "/" + kKeyFile + " is missing, and " + kStateFile +
                     " says that it has signed; restore it from a backup. To begin a new log with "
                     "a new key, move log.state and stored's folder \"log\" away"};
  }
  EvpKey made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  SecretBytes raw(kKeyBytes);
  size_t size = raw.size();
  if (!made || EVP_PKEY_get_raw_private_key(made.get(), raw.data(), &size) != 1) {
    ERR_clear_error();
    return Error{Errc::internal, "OpenSSL cannot make the log's key"};
  }
  if (Status taken = take_key(std::move(made), name); !taken) {
    return taken;
  }
  auto empty = signed_note({name, 0, empty_tree_root()});
  if (!empty) {
    return empty.error();
  }
  if (Status written = write_state(std::move(*empty)); !written) {
    return written;
  }
  return write_new_file(folder_.get(), kKeyFile, seal_bytes(vault_key, kContext, raw.span()));
}

// What it says may leave keyd, so it is on disk first: a crash may have come before the fsync.
Result<LogSigner::Signed> LogSigner::read_state() const {
  const std::string path = path_ + "/" + kStateFile;
  const auto bytes = read_small_file(folder_.get(), kStateFile);
  if (!bytes) {
    return bytes.error().code != Errc::not_found
               ? bytes.error()
               : Error{Errc::not_found,
                       path + " is missing, so keyd does not know what it has signed"};
  }
  std::string note(as_text(*bytes));
  auto checkpoint = open_checkpoint(note, verifier_);
  if (!checkpoint) {
    return Error{Errc::corrupt,
                 path + ": " + checkpoint.error().message +
                     "; keyd signs nothing until it is restored from a backup, or removed: then "
                     "stored's last checkpoint counts. If the node was renamed, give it its old "
                     "name back"};
  }
  const UniqueFd fd(::openat(folder_.get(), kStateFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return errno_error(path);
  }
  if (Status synced = sync_folder(folder_.get()); !synced) {
    return synced.error();
  }
  return Signed{std::move(*checkpoint), std::move(note)};
}

Result<std::string> LogSigner::last_note() const {
  const auto state = last_ ? Result(*last_) : read_state();
  if (!state) {
    return state.error();
  }
  return state->checkpoint.size == 0 ? std::string() : state->note;
}

// What the log must continue: the last that this key has signed, as far as anybody knows.
Result<Checkpoint> LogSigner::base_for(const Request& request) {
  auto previous = open_checkpoint(request.previous, verifier_);
  if (!last_) {
    auto state = read_state();
    if (state) {
      last_ = std::move(*state);
    } else if (state.error().code != Errc::not_found) {
      return state.error();
    } else if (!previous) {
      return Error{Errc::not_found, state.error().message +
                                        ", and stored has no checkpoint that this key has signed; "
                                        "restore one of them from a backup"};
    }
  }
  const bool is_newer = previous && (!last_ || previous->size > last_->checkpoint.size);
  return is_newer ? std::move(previous) : Result(last_->checkpoint);
}

Result<std::string> LogSigner::sign(const Request& request) {
  const auto base = base_for(request);
  if (!base) {
    return base.error();
  }
  const std::string sizes =
      std::to_string(request.size) + " entries, " + std::to_string(base->size) + " were signed";
  if (request.size < base->size) {
    return Error{Errc::denied, "the log was rolled back: it has " + sizes};
  }
  if (!proves_consistency(request.proof, base->size, base->root, request.size, request.root)) {
    return Error{Errc::denied,
                 "the log does not continue the one that was signed before: it has " + sizes};
  }
  auto next = signed_note({verifier_.name, request.size, request.root});
  if (!next) {
    return next.error();
  }
  if (!last_ || !(last_->checkpoint == next->checkpoint)) {
    if (Status written = write_state(std::move(*next)); !written) {
      return written.error();
    }
  }
  return last_->note;
}

Result<LogSigner::Signed> LogSigner::signed_note(Checkpoint checkpoint) const {
  auto note = sign_checkpoint(checkpoint, verifier_, [this](std::string_view message) {
    return ed25519_sign(*key_, message);
  });
  return note ? Result(Signed{std::move(checkpoint), std::move(*note)})
              : Result<Signed>(note.error());
}

Status LogSigner::write_state(Signed next) {
  Status written = replace_small_file(folder_.get(), kStateFile, as_bytes(next.note));
  if (written) {
    last_ = std::move(next);
  }
  return written;
}

}  // namespace sallyport
