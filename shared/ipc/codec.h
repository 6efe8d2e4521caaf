// SPDX-License-Identifier: Apache-2.0
//
// How a message becomes bytes. A message is a struct with one function template
//
//     static constexpr MessageType kType = MessageType::key_proven;
//     void fields(auto& io) { io(user, algorithm, blob); }
//
// which serves both directions, so that writer and reader cannot drift apart. Integers are
// little-endian; text and bytes are a u32 length and the bytes; a list is a u32 count and its
// items. The reader takes the exact length: a byte too many is an error like a byte too few.
#pragma once

#include "shared/base/id.h"
#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sallyport {

inline constexpr size_t kMaxMessageBytes = 128 * 1024;
inline constexpr size_t kMessageHeaderBytes = 8;  // u16 type, u16 version, u32 body length
inline constexpr uint16_t kMessageVersion = 1;
inline constexpr size_t kMaxListItems = 4096;

class FieldWriter {
public:
  explicit FieldWriter(std::vector<uint8_t>& out) : out_(out) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (put(fields), ...);
  }

private:
  void number(uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
      out_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }
  }
  void blob(const void* data, size_t size) {
    number(size, 4);
    const auto* begin = static_cast<const uint8_t*>(data);
    out_.insert(out_.end(), begin, begin + size);
  }
  template <class T>
  void put(T& field) {
    using Plain = std::remove_cv_t<T>;
    if constexpr (std::is_enum_v<Plain> || std::is_integral_v<Plain>) {
      number(static_cast<uint64_t>(field), sizeof(Plain));
    } else if constexpr (std::is_same_v<Plain, Id>) {
      out_.insert(out_.end(), field.bytes.begin(), field.bytes.end());
    } else if constexpr (
        requires { field.view(); } || requires { field.substr(0); }) {
      blob(field.data(), field.size());
    } else if constexpr (requires { field.push_back(field.front()); }) {
      number(field.size(), 4);
      for (auto& item : field) {
        put(item);
      }
    } else {
      field.fields(*this);
    }
  }

  std::vector<uint8_t>& out_;
};

class FieldReader {
public:
  explicit FieldReader(std::span<const uint8_t> in) : in_(in) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (get(fields), ...);
  }
  // True when every field was there and nothing is left.
  bool complete() const { return ok_ && in_.empty(); }

private:
  std::span<const uint8_t> take(size_t size) {
    if (!ok_ || in_.size() < size) {
      ok_ = false;
      return {};
    }
    const auto head = in_.first(size);
    in_ = in_.subspan(size);
    return head;
  }
  uint64_t number(size_t bytes) {
    uint64_t value = 0;
    const auto head = take(bytes);
    for (size_t i = 0; i < head.size(); ++i) {
      value |= static_cast<uint64_t>(head[i]) << (8 * i);
    }
    return value;
  }
  template <class T>
  void get(T& field) {
    if constexpr (std::is_enum_v<T>) {
      const uint64_t value = number(sizeof(T));
      ok_ = ok_ && value <= static_cast<uint64_t>(T::last_);
      field = ok_ ? static_cast<T>(value) : T{};
    } else if constexpr (std::is_same_v<T, bool>) {
      const uint64_t value = number(1);
      ok_ = ok_ && value <= 1;
      field = value == 1;
    } else if constexpr (std::is_integral_v<T>) {
      field = static_cast<T>(number(sizeof(T)));
    } else if constexpr (std::is_same_v<T, Id>) {
      const auto head = take(field.bytes.size());
      std::copy(head.begin(), head.end(), field.bytes.begin());
    } else if constexpr (std::is_same_v<T, SecretBytes>) {
      field = SecretBytes(take(number(4)));
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
      const auto head = take(number(4));
      field = T(reinterpret_cast<const char*>(head.data()), head.size());
    } else if constexpr (requires { field.push_back(field.front()); }) {
      const uint64_t count = number(4);
      ok_ = ok_ && count <= kMaxListItems;
      field.clear();
      for (uint64_t i = 0; ok_ && i < count; ++i) {
        field.emplace_back();
        get(field.back());
      }
    } else {
      field.fields(*this);
    }
  }

  std::span<const uint8_t> in_;
  bool ok_ = true;
};

// The whole datagram, header included. Messages are small; the caller checks kMaxMessageBytes when
// sending (Peer does).
template <class Message>
std::vector<uint8_t> encode(const Message& message) {
  std::vector<uint8_t> out(kMessageHeaderBytes);
  FieldWriter writer(out);
  const_cast<Message&>(message).fields(writer);  // fields() is shared with the reader
  const auto type = static_cast<uint16_t>(Message::kType);
  const auto size = static_cast<uint32_t>(out.size() - kMessageHeaderBytes);
  const uint8_t header[kMessageHeaderBytes] = {static_cast<uint8_t>(type),
                                               static_cast<uint8_t>(type >> 8),
                                               static_cast<uint8_t>(kMessageVersion),
                                               0,
                                               static_cast<uint8_t>(size),
                                               static_cast<uint8_t>(size >> 8),
                                               static_cast<uint8_t>(size >> 16),
                                               static_cast<uint8_t>(size >> 24)};
  std::memcpy(out.data(), header, sizeof header);
  return out;
}

// The body of one message, without the header. A std::string_view field points into `body`.
template <class Message>
Result<Message> decode(std::span<const uint8_t> body) {
  Message message;
  FieldReader reader(body);
  message.fields(reader);
  if (!reader.complete()) {
    return Error{Errc::protocol,
                 "malformed message " + std::to_string(static_cast<unsigned>(Message::kType))};
  }
  return message;
}

}  // namespace sallyport
