// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/init/files.h"

#include "bastion/ctl/program.h"
#include "bastion/ctl/terminal.h"
#include "shared/base/new_file.h"
#include "shared/base/secret_bytes.h"
#include "shared/config/config.h"
#include "shared/crypto/random.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string_view>

namespace sallyport {

namespace {

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

// None when we are not root: then everything is ours.
Result<std::optional<FileOwner>> owner_named(const std::string& user) {
  if (::geteuid() != 0 || user.empty()) {
    return std::optional<FileOwner>();
  }
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) {
    return Error{Errc::not_found, "there is no user " + user};
  }
  return std::optional(FileOwner{entry->pw_uid, entry->pw_gid});
}

Status give_to(const std::string& path, const std::string& user) {
  const auto owner = owner_named(user);
  if (!owner) {
    return owner.error();
  }
  // Not through a symbolic link that somebody may have put there.
  if (*owner && ::lchown(path.c_str(), (*owner)->user, (*owner)->group) != 0) {
    return errno_error("giving " + path + " to " + user);
  }
  return ok();
}

void say(const char* what, const std::string& path) {
  print_line(std::string(what) + " " + path);
}

// Hex without an ordinary string in between, which would stay in the heap.
SecretBytes secret_hex_line(const SecretBytes& key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  SecretBytes line(2 * key.size() + 1);
  for (size_t i = 0; i < key.size(); ++i) {
    line.data()[2 * i] = static_cast<uint8_t>(kDigits[key.data()[i] >> 4]);
    line.data()[2 * i + 1] = static_cast<uint8_t>(kDigits[key.data()[i] & 15]);
  }
  line.data()[2 * key.size()] = '\n';
  return line;
}

}  // namespace

Status make_folder(const std::string& path, mode_t mode, const std::string& user) {
  if (exists(path)) {
    return ok();
  }
  const auto parent = std::filesystem::path(path).parent_path().string();
  if (!parent.empty() && !exists(parent)) {
    constexpr mode_t kParentMode = 0755;
    if (auto made = make_folder(parent, kParentMode); !made) {
      return made;
    }
  }
  if (::mkdir(path.c_str(), mode) != 0 || ::chmod(path.c_str(), mode) != 0) {
    return errno_error("making " + path);
  }
  say("made", path);
  return give_to(path, user);
}

Status make_key_file(const std::string& path, const std::string& user) {
  if (exists(path)) {
    const auto key = read_key_file(path, std::filesystem::path(path).filename());
    if (!key) {
      return key.error();
    }
    say("kept", path);
    return ok();
  }
  const auto owner = owner_named(user);
  if (!owner) {
    return owner.error();
  }
  constexpr size_t kKeyBytes = 32;
  SecretBytes key(kKeyBytes);
  random_fill(key.span());
  const auto line = secret_hex_line(key);
  auto written = write_new_file(path, line.view(), 0600, *owner);
  if (written) {
    say("made", path);
  }
  return written;
}

Status make_host_key(const std::string& path, const std::string& comment, const std::string& user) {
  if (exists(path)) {
    say("kept", path);
    return ok();
  }
  auto made = run_program(
      {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path}, "openssh-client");
  if (!made) {
    return made.error();
  }
  if (made->status != 0 || !exists(path)) {
    return Error{Errc::io, "ssh-keygen did not make " + path + "; its own line above says why"};
  }
  say("made", path);
  return give_to(path, user);
}

Status make_text_file(const std::string& path, const std::string& text) {
  if (exists(path)) {
    say("kept", path);
    return ok();
  }
  auto written = write_new_file(path, text, 0644);
  if (written) {
    say("made", path);
  }
  return written;
}

}  // namespace sallyport
