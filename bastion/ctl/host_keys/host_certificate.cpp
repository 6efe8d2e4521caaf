// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/host_certificate.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/ssh/ssh_signature.h"
#include "shared/ssh/wire.h"

#include <algorithm>

namespace sallyport {

namespace {

constexpr std::string_view kSuffix = "-cert-v01@openssh.com";
constexpr uint32_t kOfHost = 2;
constexpr size_t kMaxPrincipals = 256;

Error damaged() {
  return Error{Errc::invalid, "is damaged"};
}

// The fields of the plain key stand between the nonce and the serial number.
Result<PublicKeyLine> take_key(SshReader& in, std::string_view type) {
  SshWriter plain;
  plain.string(type);
  if (type == "ssh-ed25519") {
    plain.string(in.string());
  } else {  // curve and point, or exponent and modulus
    const auto first = in.string();
    plain.string(first).string(in.string());
  }
  return parse_public_key_line(std::string(type) + " " + to_base64(plain.bytes()));
}

bool take_principals(std::span<const uint8_t> list, std::vector<std::string>& out) {
  SshReader in(list);
  while (in.ok() && !in.complete() && out.size() <= kMaxPrincipals) {
    out.emplace_back(in.text());
  }
  return in.complete() && out.size() <= kMaxPrincipals;
}

bool contains(std::span<const std::string> list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

bool is_certificate_type(std::string_view type) {
  return type.ends_with(kSuffix);
}

Result<HostCertificate> parse_host_certificate(std::span<const uint8_t> blob) {
  SshReader in(blob);
  std::string_view type = in.text();
  if (!is_certificate_type(type)) {
    return Error{Errc::invalid, "is no certificate"};
  }
  type.remove_suffix(kSuffix.size());
  in.string();  // the nonce
  auto key = take_key(in, type);
  if (!in.ok() || !key) {
    return damaged();
  }
  HostCertificate out;
  out.key = std::move(*key);
  out.serial = in.u64();
  out.kind = in.u32();
  out.key_id = in.text();
  const auto principals = in.string();
  out.valid_after = in.u64();
  out.valid_before = in.u64();
  out.has_critical_options = !in.string().empty();
  in.string();  // extensions: those of hosts mean nothing
  in.string();  // reserved
  const auto ca = in.string();
  out.ca.assign(ca.begin(), ca.end());
  const auto signed_part = blob.first(blob.size() - in.rest().size());
  out.signed_part.assign(signed_part.begin(), signed_part.end());
  const auto signature = in.string();
  out.signature.assign(signature.begin(), signature.end());
  return in.complete() && take_principals(principals, out.principals)
             ? Result(std::move(out))
             : Result<HostCertificate>(damaged());
}

Status check_host_certificate(const HostCertificate& certificate, const PublicKeyLine& ca,
                              std::span<const std::string> names, uint64_t now) {
  const auto refuse = [](const std::string& why) { return Error{Errc::denied, why}; };
  if (to_base64(certificate.ca) != ca.base64) {
    return refuse("is signed by another CA");
  }
  if (auto good =
          check_ssh_signature(certificate.ca, certificate.signed_part, certificate.signature);
      !good) {
    return good;
  }
  if (certificate.kind != kOfHost) {
    return refuse("is of a user, not of a host");
  }
  if (now < certificate.valid_after || now >= certificate.valid_before) {
    return refuse(now < certificate.valid_after ? "is not valid yet" : "has run out");
  }
  if (certificate.has_critical_options) {
    return refuse("has a critical option, which no host certificate has");
  }
  if (std::none_of(names.begin(), names.end(),
                   [&](const auto& name) { return contains(certificate.principals, name); })) {
    const auto& all = certificate.principals;
    return refuse(all.empty()
                      ? "names no host (ssh-keygen -n)"
                      : "is for " + printable(all[0]) + (all.size() > 1 ? " and others" : "") +
                            ", not for " + (names.empty() ? "this" : names[0]));
  }
  return ok();
}

}  // namespace sallyport
