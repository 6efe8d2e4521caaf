// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace sallyport {

// io: the environment (disk, network, peer); protocol: broken or hostile input; denied: policy;
// corrupt: stored data that fails its check; limit: a bound of ours; internal: our own invariant.
enum class Errc { io, protocol, denied, corrupt, limit, not_found, invalid, internal };

struct Error {
  Errc code;
  std::string message;  // one line, names the path or peer and says what to do
};

// Result<T> holds a T or an Error. The API is the part of std::expected we use, so it can become
// `template <class T> using Result = std::expected<T, Error>` when the compiler floor moves.
template <class T>
class [[nodiscard]] Result {
public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

private:
  std::variant<T, Error> state_;
};

struct Done {};
using Status = Result<Done>;
inline Status ok() {
  return Done{};
}

// "doing: strerror(errno)" as an io error.
Error errno_error(const std::string& doing);

}  // namespace sallyport
