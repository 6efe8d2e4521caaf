// SPDX-License-Identifier: Apache-2.0
#include "bastion/back/host_key_check.h"

#include "shared/ssh/algorithms.h"

#include <string_view>

namespace sallyport::back {

namespace {

std::string type_of(const std::string& pinned) {
  return pinned.substr(0, pinned.find(' '));
}

// Of "ssh-ed25519 AAAA... comment"; "" where there is none.
std::string_view base64_of(std::string_view pinned) {
  const size_t space = pinned.find(' ');
  if (space == std::string_view::npos) {
    return "";
  }
  pinned.remove_prefix(space + 1);
  return pinned.substr(0, pinned.find(' '));
}

std::string fingerprint(ssh_key key) {
  unsigned char* hash = nullptr;
  size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK) {
    return "unknown";
  }
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  const std::string result = text == nullptr ? "unknown" : text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return result;
}

std::string fingerprint_of_pinned(const std::string& pinned) {
  const std::string base64(base64_of(pinned));
  ssh_key key = nullptr;
  if (ssh_pki_import_pubkey_base64(base64.c_str(), ssh_key_type_from_name(type_of(pinned).c_str()),
                                   &key) != SSH_OK) {
    return "unreadable";
  }
  const SshKey owned(key);
  return fingerprint(key);
}

std::string spell(ssh_key key) {
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) {
    return "";
  }
  const std::string text = base64;
  ssh_string_free_char(base64);
  return text;
}

}  // namespace

HostKeyCheck::HostKeyCheck(ssh_session session, std::string target, std::vector<std::string> pinned)
    : session_(session),
      target_(std::move(target)),
      pinned_(std::move(pinned)),
      verdict_(Error{Errc::protocol, target_ + " shows no host key"}) {
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.connect_status_function = on_status;
  ssh_set_callbacks(session_, &callbacks_);
}

std::string HostKeyCheck::algorithms() const {
  std::string list;
  for (const std::string& key : pinned_) {
    const std::string algorithms = host_key_algorithms(type_of(key));
    if (!algorithms.empty() && list.find(algorithms) == std::string::npos) {
      list += (list.empty() ? "" : ",") + algorithms;
    }
  }
  return list;
}

void HostKeyCheck::on_status(void* self, float status) noexcept {
  if (status >= 1.0F) {
    static_cast<HostKeyCheck*>(self)->exchanged();
  }
}

void HostKeyCheck::exchanged() {
  Status same = compare();
  if (!seen_ || !same) {  // once wrong stays wrong
    verdict_ = std::move(same);
  }
  seen_ = true;
  if (!verdict_ && tell_) {
    tell_(verdict_.error());
  }
}

Status HostKeyCheck::compare() const {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session_, &key) != SSH_OK) {
    return Error{Errc::protocol, target_ + " shows no host key"};
  }
  const SshKey owned(key);
  const std::string offered = spell(key);
  std::string fingerprints;
  for (const std::string& pinned : pinned_) {
    if (!offered.empty() && base64_of(pinned) == offered) {
      return ok();
    }
    fingerprints += (fingerprints.empty() ? "" : ", ") + fingerprint_of_pinned(pinned);
  }
  return Error{Errc::denied, "the host key of " + target_ + " is not the pinned one: pinned " +
                                 fingerprints + ", offered " + fingerprint(key) +
                                 "; ask your administrator before anything else"};
}

}  // namespace sallyport::back
