// SPDX-License-Identifier: Apache-2.0
//
// The data types of RFC 4251 section 5, for the few blobs that we read and write ourselves: public
// keys, signatures, OpenSSH's key files, the agent protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

// After the first missing byte everything read is empty or zero and ok() stays false, so callers
// read all fields first and ask once. Spans point into the input.
class SshReader {
public:
  explicit SshReader(std::span<const uint8_t> in) : in_(in) {}

  std::span<const uint8_t> raw(size_t size) {
    if (!ok_ || in_.size() < size) {
      ok_ = false;
      return {};
    }
    const auto head = in_.first(size);
    in_ = in_.subspan(size);
    return head;
  }
  uint8_t byte() {
    const auto head = raw(1);
    return head.empty() ? uint8_t{0} : head[0];
  }
  uint32_t u32() {
    uint32_t value = 0;
    for (const uint8_t b : raw(4)) {
      value = value << 8 | b;
    }
    return value;
  }
  uint64_t u64() {
    const uint64_t high = u32();
    return high << 32 | u32();
  }
  std::span<const uint8_t> string() { return raw(u32()); }
  std::string_view text() {
    const auto bytes = string();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // A non-negative mpint in its shortest form, without the leading zero byte.
  std::span<const uint8_t> mpint() {
    const auto bytes = string();
    if (bytes.empty()) {
      return bytes;
    }
    const bool negative = (bytes[0] & 0x80) != 0;
    const bool padded = bytes[0] == 0;
    if (negative || (padded && (bytes.size() == 1 || (bytes[1] & 0x80) == 0))) {
      ok_ = false;
      return {};
    }
    return padded ? bytes.subspan(1) : bytes;
  }
  void fail() { ok_ = false; }

  bool ok() const { return ok_; }
  bool complete() const { return ok_ && in_.empty(); }  // every field was there, nothing is left
  std::span<const uint8_t> rest() const { return in_; }

private:
  std::span<const uint8_t> in_;
  bool ok_ = true;
};

// Public things only: the buffer grows, and what it leaves behind is not wiped.
class SshWriter {
public:
  SshWriter& byte(uint8_t value) {
    out_.push_back(value);
    return *this;
  }
  SshWriter& u32(uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out_.push_back(static_cast<uint8_t>(value >> shift));
    }
    return *this;
  }
  SshWriter& u64(uint64_t value) {
    return u32(static_cast<uint32_t>(value >> 32)).u32(static_cast<uint32_t>(value));
  }
  SshWriter& string(std::span<const uint8_t> bytes) {
    u32(static_cast<uint32_t>(bytes.size()));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  SshWriter& string(std::string_view text) {
    return string(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }
  // A non-negative number, most significant byte first, leading zeros or not.
  SshWriter& mpint(std::span<const uint8_t> magnitude) {
    while (!magnitude.empty() && magnitude[0] == 0) {
      magnitude = magnitude.subspan(1);
    }
    const bool pad = !magnitude.empty() && (magnitude[0] & 0x80) != 0;
    u32(static_cast<uint32_t>(magnitude.size() + (pad ? 1 : 0)));
    if (pad) {
      out_.push_back(0);
    }
    out_.insert(out_.end(), magnitude.begin(), magnitude.end());
    return *this;
  }

  const std::vector<uint8_t>& bytes() const { return out_; }
  std::vector<uint8_t> take() { return std::move(out_); }

private:
  std::vector<uint8_t> out_;
};

}  // namespace sallyport
