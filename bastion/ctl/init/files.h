// SPDX-License-Identifier: Apache-2.0
//
// What `init` makes. Nothing that is there is changed; every function prints a line that says what
// it made or kept.
#pragma once

#include "shared/base/result.h"

#include <sys/types.h>

#include <string>

namespace sallyport {

// As root: owned by `user`. Otherwise ours. The folders above are made with mode 0755.
Status make_folder(const std::string& path, mode_t mode, const std::string& user = "");

// 32 random bytes as 64 hex digits, mode 0600; owned by `user` when we are root: the daemon that
// reads it is never root itself. One that is kept must be such a key.
Status make_key_file(const std::string& path, const std::string& user);

// Ed25519 in OpenSSH's format, by ssh-keygen; owned by `user` when we are root.
Status make_host_key(const std::string& path, const std::string& comment, const std::string& user);

Status make_text_file(const std::string& path, const std::string& text);

// As root: the system users of sandbox.h, by systemd-sysusers or useradd. Otherwise nothing.
Status make_users();

}  // namespace sallyport
