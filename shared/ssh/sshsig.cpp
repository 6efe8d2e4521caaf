// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/sshsig.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/ssh/ssh_signature.h"
#include "shared/ssh/wire.h"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>
#include <span>

namespace sallyport {

namespace {

constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----\n";
constexpr std::string_view kEnd = "\n-----END SSH SIGNATURE-----";
constexpr std::string_view kMagic = "SSHSIG";
constexpr uint32_t kVersion = 1;

struct Hash {
  std::string_view name;
  const char* digest;
};
constexpr Hash kHashes[] = {{"sha256", "SHA256"}, {"sha512", "SHA512"}};

const char* find_digest(std::string_view name) {
  const auto* found = std::find_if(std::begin(kHashes), std::end(kHashes),
                                   [&](const Hash& hash) { return hash.name == name; });
  return found == std::end(kHashes) ? nullptr : found->digest;
}

Error not_a_signature(const std::string& why) {
  return Error{Errc::corrupt, "not an OpenSSH signature: " + why};
}

std::string quoted(std::string_view text) {
  return "\"" + printable(text, 100) + "\"";
}

// The lines between BEGIN and END, put together.
Result<std::string> take_base64(std::string_view armour) {
  if (!armour.starts_with(kBegin)) {
    return not_a_signature("it does not begin with the line -----BEGIN SSH SIGNATURE-----");
  }
  armour.remove_prefix(kBegin.size());
  const size_t end = armour.find(kEnd);
  if (end == std::string_view::npos) {
    return not_a_signature("it does not end with the line -----END SSH SIGNATURE-----");
  }
  const auto behind = armour.substr(end + kEnd.size());
  if (!behind.empty() && behind != "\n") {
    return not_a_signature("something stands behind its last line");
  }
  std::string base64;
  for (auto lines = armour.substr(0, end); !lines.empty();) {
    const size_t size = lines.find('\n');
    if (size == 0 || size + 1 == lines.size()) {
      return not_a_signature("it has an empty line");
    }
    base64 += lines.substr(0, size);
    lines.remove_prefix(size == std::string_view::npos ? lines.size() : size + 1);
    if (base64.size() > kMaxSshSigBase64) {
      return not_a_signature("it is too long");
    }
  }
  return base64;
}

// What is a key in a file, or could be: check_ssh_signature() knows which are.
Status check_key_type(const SshSig& sshsig) {
  const std::string type(SshReader(sshsig.key).text());
  const bool is_hardware = type.starts_with("sk-");
  if (!is_hardware && type.find("-cert-v") == std::string::npos) {
    return ok();
  }
  return Error{Errc::invalid,
               std::string(is_hardware ? "a signature by a security key ("
                                       : "a signature by a certificate (") +
                   printable(type, 100) +
                   ") is not taken; sign with an Ed25519, ECDSA or RSA key that is in a file"};
}

std::vector<uint8_t> digest_of(std::string_view message, const char* digest) {
  std::vector<uint8_t> hash(EVP_MAX_MD_SIZE);
  size_t size = 0;
  if (EVP_Q_digest(nullptr, digest, nullptr, message.data(), message.size(), hash.data(), &size) !=
      1) {
    return {};
  }
  hash.resize(size);
  return hash;
}

}  // namespace

Result<SshSig> parse_sshsig(std::string_view armour) {
  const auto base64 = take_base64(armour);
  if (!base64) {
    return base64.error();
  }
  const auto blob = from_base64(*base64);
  if (!blob) {
    return not_a_signature("what stands between its first and last line is not base64");
  }
  SshReader in(*blob);
  if (as_text(in.raw(kMagic.size())) != kMagic) {
    return not_a_signature("it has no \"SSHSIG\" at its beginning");
  }
  if (const uint32_t version = in.u32(); in.ok() && version != kVersion) {
    return not_a_signature("it has version " + std::to_string(version));
  }
  SshSig out;
  const auto key = in.string();
  out.key.assign(key.begin(), key.end());
  out.signature_namespace = in.text();
  const auto reserved = in.string();
  out.hash = in.text();
  const auto signature = in.string();
  out.signature.assign(signature.begin(), signature.end());
  if (!in.complete() || out.signature_namespace.empty()) {
    return not_a_signature("it is damaged");
  }
  // ssh-keygen passes over it, and then finds the signature wrong.
  if (!reserved.empty()) {
    return not_a_signature("its reserved field is not empty");
  }
  if (find_digest(out.hash) == nullptr) {
    return not_a_signature("it has the hash " + quoted(out.hash) + ", not sha256 or sha512");
  }
  const Status type = check_key_type(out);
  return type ? Result(std::move(out)) : type.error();
}

Status check_sshsig(const SshSig& sshsig, std::string_view message,
                    std::string_view signature_namespace) {
  if (sshsig.signature_namespace != signature_namespace) {
    return Error{Errc::denied, "a signature for " + quoted(sshsig.signature_namespace) +
                                   "; sign again with -n " + printable(signature_namespace)};
  }
  const char* digest = find_digest(sshsig.hash);
  const auto hash = digest == nullptr ? std::vector<uint8_t>{} : digest_of(message, digest);
  if (hash.empty()) {
    return Error{Errc::invalid, "a signature with the hash " + quoted(sshsig.hash)};
  }
  const auto fields =
      SshWriter().string(signature_namespace).string("").string(sshsig.hash).string(hash).take();
  std::vector<uint8_t> data(kMagic.begin(), kMagic.end());
  data.insert(data.end(), fields.begin(), fields.end());
  const Status good = check_ssh_signature(sshsig.key, data, sshsig.signature);
  if (good) {
    return ok();
  }
  return good.error().code == Errc::denied
             ? Error{Errc::denied, "the signature is wrong: it is not over this text by this key"}
             : Error{good.error().code, "a signature that " + good.error().message};
}

}  // namespace sallyport
