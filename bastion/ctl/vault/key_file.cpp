// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/key_file.h"

#include "bastion/ctl/vault/openssh_key.h"
#include "shared/base/handle.h"
#include "shared/base/unique_fd.h"
#include "shared/ssh/pkcs8.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

namespace sallyport {

namespace {

constexpr size_t kMaxFileBytes = 64 * 1024;

Error invalid(std::string text) {
  return Error{Errc::invalid, std::move(text)};
}

// What people hand in by mistake, by how it begins.
struct Lookalike {
  std::string_view begins;
  const char* text;
};
constexpr Lookalike kLookalikes[] = {
    {"ssh-", "this is a public key; give the private key's file (usually without .pub)"},
    {"ecdsa-", "this is a public key; give the private key's file (usually without .pub)"},
    {"sk-", "this is a public key of a security token; such keys cannot be in the vault"},
    {"---- BEGIN SSH2 PUBLIC KEY", "this is a public key; give the private key's file"},
    {"-----BEGIN PUBLIC KEY", "this is a public key; give the private key's file"},
    {"-----BEGIN RSA PUBLIC KEY", "this is a public key; give the private key's file"},
    {"-----BEGIN CERTIFICATE", "this is a certificate; give the private key's file"},
    {"-----BEGIN DSA PRIVATE KEY", "DSA keys are not supported; make a new key: vault generate"},
    {"PuTTY-User-Key-File",
     "this is PuTTY's format; convert it first: puttygen FILE -O private-openssh-new -o NEW"},
};

struct PassphraseRequest {
  const AskPassphrase& ask;
  std::optional<Error> failed;
  bool asked = false;
};

int pem_passphrase(char* buffer, int size, int, void* data) noexcept {
  auto& request = *static_cast<PassphraseRequest*>(data);
  request.asked = true;
  const auto passphrase = request.ask();
  if (!passphrase) {
    request.failed = passphrase.error();
    return -1;
  }
  if (passphrase->size() > static_cast<size_t>(size)) {
    request.failed = invalid("this passphrase is too long for a PEM file");
    return -1;
  }
  std::copy_n(passphrase->data(), passphrase->size(), buffer);
  return static_cast<int>(passphrase->size());
}

Result<SecretBytes> read_pem(std::string_view pem, const AskPassphrase& ask) {
  const Handle<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PassphraseRequest request{ask, {}};
  const EvpKey key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, pem_passphrase, &request)
                       : nullptr);
  ERR_clear_error();
  if (request.failed) {
    return *request.failed;
  }
  if (!key) {
    return invalid(request.asked ? "the passphrase is wrong, or the file is damaged"
                                 : "this private key cannot be read: damaged, or an unknown type");
  }
  return to_pkcs8(*key);
}

// The text of the first private key; EC keys of OpenSSL come after a block with their parameters.
std::string_view private_key_block(std::string_view text) {
  const size_t label = text.find("PRIVATE KEY-----");
  const size_t begin = label == std::string_view::npos ? label : text.rfind("-----BEGIN ", label);
  return begin == std::string_view::npos ? "" : text.substr(begin);
}

}  // namespace

Result<SecretBytes> read_private_key(const SecretBytes& file, const AskPassphrase& ask) {
  std::string_view text = file.view();
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (text.empty()) {
    return invalid("the file is empty");
  }
  for (const Lookalike& lookalike : kLookalikes) {
    if (text.starts_with(lookalike.begins)) {
      return invalid(lookalike.text);
    }
  }
  const std::string_view block = private_key_block(text);
  if (block.empty()) {
    return invalid("this is not a private key file; OpenSSH's format and PEM are known");
  }
  return block.starts_with(kOpensshBegin) ? read_openssh_key(block, ask) : read_pem(block, ask);
}

Result<SecretBytes> read_secret_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) {
    return errno_error("opening " + path);
  }
  SecretBytes buffer(kMaxFileBytes + 1);
  size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(fd.get(), buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return errno_error("reading " + path);
    }
    if (got == 0) {
      return SecretBytes(std::span<const uint8_t>(buffer.span()).first(size));
    }
    size += static_cast<size_t>(got);
  }
  return invalid(path + " is longer than 64 KiB: not a key file");
}

}  // namespace sallyport
