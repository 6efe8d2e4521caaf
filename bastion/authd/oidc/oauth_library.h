// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/log.h"
#include "shared/base/result.h"

#include <functional>
#include <memory>
#include <string_view>

struct oauth2_log_t;

namespace sallyport {

// Receives liboauth2's log lines, scrubbed. Called from any thread that uses the library.
using OauthLogSink = std::function<void(LogLevel, std::string_view)>;

// The process's one use of liboauth2 (and, through it, of libcurl and cjose). Create it once,
// before threads and before the sandbox: it makes a named semaphore in /dev/shm and a small shared
// cache. Never fork after it: that semaphore outlives fork and can hang the parent. Everything else
// in this library holds a reference to it and must go first.
class OauthLibrary {
public:
  // Without a sink, lines go to our own log as event "oauth_library".
  static Result<std::unique_ptr<OauthLibrary>> create(OauthLogSink sink = nullptr);
  ~OauthLibrary();
  OauthLibrary(const OauthLibrary&) = delete;
  OauthLibrary& operator=(const OauthLibrary&) = delete;

  oauth2_log_t* log() const { return log_; }
  void write_log(LogLevel level, std::string_view line) const { sink_(level, line); }

private:
  explicit OauthLibrary(OauthLogSink sink) : sink_(std::move(sink)) {}

  OauthLogSink sink_;
  oauth2_log_t* log_ = nullptr;
};

}  // namespace sallyport
