// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/codec.h"

#include "shared/ipc/messages.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

std::span<const uint8_t> body_of(const std::vector<uint8_t>& message) {
  return std::span(message).subspan(kMessageHeaderBytes);
}

GrantFacts example_facts() {
  GrantFacts facts;
  facts.purpose = Purpose::record;
  facts.grant = Id::random();
  facts.valid = true;
  facts.person = "alice@example.com";
  facts.host_keys = {"ssh-ed25519 AAAA", "ssh-rsa BBBB"};
  return facts;
}

}  // namespace

TEST_CASE("a message survives its encoding") {
  const GrantFacts facts = example_facts();
  const auto bytes = encode(facts);
  const auto back = decode<GrantFacts>(body_of(bytes));
  REQUIRE(back);
  CHECK(back->purpose == Purpose::record);
  CHECK(back->grant == facts.grant);
  CHECK(back->valid);
  CHECK(back->person == facts.person);
  CHECK(back->host_keys == facts.host_keys);
}

TEST_CASE("a message one byte short or long is refused at every length") {
  const auto bytes = encode(example_facts());
  const auto body = body_of(bytes);
  for (size_t size = 0; size < body.size(); ++size) {
    CHECK_FALSE(decode<GrantFacts>(body.first(size)));
  }
  std::vector<uint8_t> longer(body.begin(), body.end());
  longer.push_back(0);
  CHECK_FALSE(decode<GrantFacts>(longer));
}

TEST_CASE("an unknown enumerator or a bool of 2 is refused") {
  auto bytes = encode(example_facts());
  auto enumerator = bytes;
  enumerator[kMessageHeaderBytes] = 9;
  CHECK_FALSE(decode<GrantFacts>(body_of(enumerator)));
  auto boolean = bytes;
  boolean[kMessageHeaderBytes + 1 + 32] = 2;
  CHECK_FALSE(decode<GrantFacts>(body_of(boolean)));
}

TEST_CASE("a list that claims four billion items takes no memory") {
  BackStart start;
  auto bytes = encode(start);
  for (size_t i = 0; i < 4; ++i) {
    bytes[bytes.size() - 1 - i] = 0xff;
  }
  CHECK_FALSE(decode<BackStart>(body_of(bytes)));
}

TEST_CASE("data points into the message and is not copied") {
  ChannelData data{7, Stream::error, "bytes"};
  const auto bytes = encode(data);
  const auto back = decode<ChannelData>(body_of(bytes));
  REQUIRE(back);
  CHECK(back->bytes == "bytes");
  CHECK(reinterpret_cast<const uint8_t*>(back->bytes.data()) > bytes.data());
  CHECK(reinterpret_cast<const uint8_t*>(back->bytes.data()) < bytes.data() + bytes.size());
}
