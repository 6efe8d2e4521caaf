// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/bech32.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <vector>

namespace sallyport {

namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksumCharacters = 6;
constexpr size_t kMaxText = 512;

uint32_t checksum_step(uint32_t sum, uint8_t value) {
  constexpr std::array<uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                  0x2a1462b3};
  const uint32_t top = sum >> 25;
  sum = ((sum & 0x1ffffff) << 5) ^ value;
  for (size_t i = 0; i < kGenerator.size(); ++i) {
    if (((top >> i) & 1) != 0) {
      sum ^= kGenerator[i];
    }
  }
  return sum;
}

uint32_t checksum(std::string_view prefix, std::span<const uint8_t> values) {
  uint32_t sum = 1;
  for (const char c : prefix) {
    sum = checksum_step(sum, static_cast<uint8_t>(static_cast<uint8_t>(c) >> 5));
  }
  sum = checksum_step(sum, 0);
  for (const char c : prefix) {
    sum = checksum_step(sum, static_cast<uint8_t>(c) & 31);
  }
  for (const uint8_t value : values) {
    sum = checksum_step(sum, value);
  }
  return sum;
}

SecretBytes to_five_bits(std::span<const uint8_t> bytes) {
  SecretBytes out((bytes.size() * 8 + 4) / 5);
  uint32_t held = 0;
  int bits = 0;
  size_t at = 0;
  for (const uint8_t byte : bytes) {
    held = (held << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) {
      out.data()[at++] = (held >> (bits - 5)) & 31;
    }
  }
  if (bits > 0) {
    out.data()[at] = static_cast<uint8_t>(held << (5 - bits)) & 31;
  }
  return out;
}

Result<SecretBytes> from_five_bits(std::span<const uint8_t> values) {
  SecretBytes out(values.size() * 5 / 8);
  uint32_t held = 0;
  int bits = 0;
  size_t at = 0;
  for (const uint8_t value : values) {
    held = (held << 5 | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.data()[at++] = static_cast<uint8_t>(held >> bits);
    }
  }
  if (bits >= 5 || (held & ((1u << bits) - 1)) != 0) {
    return Error{Errc::invalid, "bech32: stray bits at the end"};
  }
  return out;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The characters after "prefix1" as numbers; empty where one is not of the alphabet.
SecretBytes to_values(std::string_view data) {
  SecretBytes values(data.size());
  for (size_t i = 0; i < data.size(); ++i) {
    const size_t at = kAlphabet.find(lower(data[i]));
    if (at == std::string_view::npos) {
      return SecretBytes();
    }
    values.data()[i] = static_cast<uint8_t>(at);
  }
  return values;
}

}  // namespace

std::string bech32_encode(std::string_view prefix, std::span<const uint8_t> bytes) {
  const SecretBytes five = to_five_bits(bytes);
  SecretBytes values(five.size() + kChecksumCharacters);
  std::copy(five.span().begin(), five.span().end(), values.data());
  const uint32_t sum = checksum(prefix, values.span()) ^ 1;
  for (size_t i = 0; i < kChecksumCharacters; ++i) {
    values.data()[five.size() + i] = (sum >> (5 * (5 - i))) & 31;
  }
  std::string text;
  text.reserve(prefix.size() + 1 + values.size());  // one allocation: callers may have to wipe it
  text.append(prefix).push_back('1');
  for (const uint8_t value : values.span()) {
    text.push_back(kAlphabet[value]);
  }
  return text;
}

Result<SecretBytes> bech32_decode(std::string_view prefix, std::string_view text) {
  const bool upper = std::any_of(text.begin(), text.end(), [](char c) { return lower(c) != c; });
  if (upper && std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
    return Error{Errc::invalid, "bech32: mixed upper and lower case"};
  }
  const size_t data_at = prefix.size() + 1;
  if (text.size() < data_at + kChecksumCharacters || text.size() > kMaxText ||
      text[prefix.size()] != '1' ||
      !std::equal(prefix.begin(), prefix.end(), text.begin(),
                  [](char a, char b) { return a == lower(b); })) {
    return Error{Errc::invalid, "bech32: does not begin with \"" + std::string(prefix) + "1\""};
  }
  const SecretBytes values = to_values(text.substr(data_at));
  if (values.empty()) {
    return Error{Errc::invalid, "bech32: a character that cannot stand there"};
  }
  if (checksum(prefix, values.span()) != 1) {
    return Error{Errc::invalid, "bech32: wrong checksum (a typing error, or cut off?)"};
  }
  return from_five_bits(values.span().first(values.size() - kChecksumCharacters));
}

}  // namespace sallyport
