// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "shared/crypto/aead.h"
#include "shared/crypto/algorithms.h"
#include "shared/crypto/hkdf.h"
#include "shared/crypto/sha256.h"
#include "shared/crypto/x25519.h"
#include "tests/support/catch.h"

#include <string>

using namespace sallyport;

namespace {

std::vector<uint8_t> hex(std::string_view text) {
  return from_hex(text).value();
}

}  // namespace

TEST_CASE("sha256: the known answer of FIPS 180-4, in one piece and in two") {
  const std::string want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(to_hex(sha256(as_bytes("abc"))) == want);
  Sha256 hash;
  CHECK(to_hex(hash.update(as_bytes("a")).update(as_bytes("bc")).finish()) == want);
  CHECK(to_hex(hash.update(as_bytes("abc")).finish()) == want);
}

TEST_CASE("hmac: RFC 4231 test case 2") {
  CHECK(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("hkdf: RFC 5869 test cases 1 and 3 (no salt, no info)") {
  std::vector<uint8_t> out(42);
  const std::vector<uint8_t> key(22, 0x0b);
  hkdf_sha256(key, hex("000102030405060708090a0b0c"), "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9",
              out);
  CHECK(to_hex(out) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf_sha256(key, {}, "", out);
  CHECK(to_hex(out) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("x25519: RFC 7748 section 6.1, and low-order points are refused") {
  const auto alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const auto bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  CHECK(to_hex(x25519_public_key(alice)) ==
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  const auto shared = x25519_shared_secret(alice, x25519_public_key(bob));
  REQUIRE(shared);
  CHECK(to_hex(shared->span()) ==
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  CHECK_FALSE(x25519_shared_secret(alice, X25519PublicKey{}));
  CHECK_FALSE(x25519_shared_secret(
      alice, hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")));
}

// NIST's GCM test case 16 (McGrew and Viega) is AES-256 with associated data.
TEST_CASE("aead: a known answer for AES-256-GCM") {
  Aead cipher(AeadCipher::aes_256_gcm,
              hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const auto plaintext =
      hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
          "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const auto nonce = hex("cafebabefacedbaddecaf888");
  const auto aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  std::vector<uint8_t> sealed;
  cipher.seal(nonce, aad, plaintext, sealed);
  CHECK(to_hex(sealed) ==
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b");
  std::vector<uint8_t> opened(plaintext.size());
  CHECK(cipher.open(nonce, aad, sealed, opened));
  CHECK(opened == plaintext);
}

TEST_CASE("aead: every changed byte is refused and no plaintext is left") {
  const AeadCipher kind = GENERATE(AeadCipher::aes_256_gcm, AeadCipher::chacha20_poly1305);
  Aead cipher(kind, std::vector<uint8_t>(32, 7));
  const std::vector<uint8_t> nonce(12), plaintext(40, 'p');
  std::vector<uint8_t> sealed;
  cipher.seal(nonce, as_bytes("aad"), plaintext, sealed);
  for (size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= 1;
    std::vector<uint8_t> out(plaintext.size(), 'x');
    CHECK_FALSE(cipher.open(nonce, as_bytes("aad"), changed, out));
    CHECK(out == std::vector<uint8_t>(plaintext.size(), 0));
  }
  std::vector<uint8_t> out(plaintext.size());
  CHECK_FALSE(cipher.open(nonce, as_bytes("axd"), sealed, out));
  CHECK(cipher.open(nonce, as_bytes("aad"), sealed, out));
}

TEST_CASE("aead: an empty message has a tag that is checked") {
  Aead cipher(AeadCipher::chacha20_poly1305, std::vector<uint8_t>(32, 7));
  std::vector<uint8_t> sealed;
  cipher.seal(std::vector<uint8_t>(12), {}, {}, sealed);
  REQUIRE(sealed.size() == kAeadTagBytes);
  CHECK(cipher.open(std::vector<uint8_t>(12), {}, sealed, {}));
  sealed[3] ^= 1;
  CHECK_FALSE(cipher.open(std::vector<uint8_t>(12), {}, sealed, {}));
}
