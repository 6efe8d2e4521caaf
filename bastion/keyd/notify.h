// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport {

// Tells systemd, where it started us (Type=notify), that keyd answers now: sd_notify(3)'s
// "READY=1". Not libsystemd's, which would bring libgcrypt, liblzma, liblz4 and libzstd into the
// process that holds the keys.
void notify_ready();

}  // namespace sallyport
