// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/sealed.h"

#include "shared/base/hex.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

const std::vector<uint8_t> kKey(32, 0x42);

}  // namespace

TEST_CASE("sealed: what was sealed opens, and twice the same text looks different") {
  const auto one = seal_bytes(kKey, "vault web1", as_bytes("secret"));
  const auto two = seal_bytes(kKey, "vault web1", as_bytes("secret"));
  CHECK(one != two);
  CHECK(one.size() == 6 + kSealedOverhead);
  const auto opened = open_sealed(kKey, "vault web1", one);
  REQUIRE(opened);
  CHECK(opened->view() == "secret");
}

TEST_CASE("sealed: an empty text is fine") {
  CHECK(open_sealed(kKey, "c", seal_bytes(kKey, "c", {})));
}

TEST_CASE("sealed: another key or another place does not open") {
  const auto sealed = seal_bytes(kKey, "vault web1", as_bytes("secret"));
  CHECK_FALSE(open_sealed(std::vector<uint8_t>(32, 0x43), "vault web1", sealed));
  CHECK_FALSE(open_sealed(kKey, "vault web2", sealed));
}

TEST_CASE("sealed: every changed byte, every shorter length and a longer one are refused") {
  const auto sealed = seal_bytes(kKey, "c", as_bytes("secret"));
  for (size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= 0x80;
    CHECK_FALSE(open_sealed(kKey, "c", changed));
    CHECK_FALSE(open_sealed(kKey, "c", std::span(sealed).first(i)));
  }
  auto longer = sealed;
  longer.push_back(0);
  CHECK_FALSE(open_sealed(kKey, "c", longer));
}
