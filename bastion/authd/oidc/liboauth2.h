// SPDX-License-Identifier: Apache-2.0
#pragma once

// liboauth2's headers have no extern "C" of their own and want these before them; cjose's and
// jansson's guard themselves. Only this library's sources include this file.
#include <openssl/evp.h>

#include <cjose/cjose.h>
#include <jansson.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/types.h>

extern "C" {
#include <oauth2/cache.h>
#include <oauth2/cfg.h>
#include <oauth2/http.h>
#include <oauth2/jose.h>
#include <oauth2/log.h>
#include <oauth2/mem.h>
#include <oauth2/oauth2.h>
#include <oauth2/util.h>
}

#include "shared/base/handle.h"

namespace sallyport {

inline void free_oauth2_text(char* text) noexcept {
  oauth2_mem_free(text);
}
using Oauth2Text = Handle<char, free_oauth2_text>;

}  // namespace sallyport
