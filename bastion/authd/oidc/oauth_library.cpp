// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/oauth_library.h"

#include "bastion/authd/oidc/liboauth2.h"
#include "bastion/authd/oidc/scrub.h"

#include <string>

namespace sallyport {
namespace {

LogLevel our_level(oauth2_log_level_t level) {
  switch (level) {
    case OAUTH2_LOG_ERROR:
      return LogLevel::error;
    case OAUTH2_LOG_WARN:
      return LogLevel::warning;
    default:
      return LogLevel::info;
  }
}

extern "C" void forward_oauth2_log(oauth2_log_sink_t* sink, const char*, unsigned long,
                                   const char* function, oauth2_log_level_t level,
                                   const char* message) noexcept {
  try {
    const auto* library = static_cast<const OauthLibrary*>(oauth2_log_sink_ctx_get(sink));
    const std::string name = function == nullptr ? "" : function;
    // Its only line at error level is "could NOT store: <raw token>".
    if (library == nullptr || message == nullptr || name == "oauth2_cache_set") {
      return;
    }
    library->write_log(our_level(level), name + ": " + scrub_secrets(message));
  } catch (...) {
    // Out of memory while writing a log line: the line is lost, the login goes on.
  }
}

void write_our_log(LogLevel level, std::string_view line) {
  log(level, "oauth_library", {{"message", std::string(line)}});
}

}  // namespace

Result<std::unique_ptr<OauthLibrary>> OauthLibrary::create(OauthLogSink sink) {
  std::unique_ptr<OauthLibrary> library(
      new OauthLibrary(sink ? std::move(sink) : OauthLogSink(write_our_log)));
  // Above "warn" it prints tokens and secrets as a matter of course.
  library->log_ = oauth2_init(
      OAUTH2_LOG_WARN, oauth2_log_sink_create(OAUTH2_LOG_WARN, forward_oauth2_log, library.get()));
  if (library->log_ == nullptr) {
    return Error{Errc::internal, "liboauth2 cannot start"};
  }
  // Without a cache of our choosing the first verification maps one of 8.4 MB. It stays empty of
  // use: our verifiers store with an expiry of 0 seconds.
  const Oauth2Text error(oauth2_cfg_set_cache(library->log_, nullptr, "shm",
                                              "name=v&max_entries=2&max_val_size=65536"));
  if (error) {
    return Error{Errc::internal, std::string("liboauth2 cannot make its cache: ") + error.get() +
                                     " (is /dev/shm writable?)"};
  }
  return library;
}

OauthLibrary::~OauthLibrary() {
  if (log_ != nullptr) {
    oauth2_shutdown(log_);
  }
}

}  // namespace sallyport
