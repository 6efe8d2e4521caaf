// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/certified.h"

#include "bastion/ctl/host_keys/host_patterns.h"

#include <algorithm>

namespace sallyport {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool is_excluded(const HostCaConfig& ca, const std::string& name) {
  return std::any_of(ca.patterns.begin(), ca.patterns.end(), [&](const std::string& pattern) {
    return pattern.starts_with('!') && host_matches(std::vector{pattern.substr(1)}, name);
  });
}

// A pattern without a port is for every port: so is an exclusion.
std::vector<std::string> names_that_match(const HostCaConfig& ca, const TargetNames& names) {
  std::vector<std::string> out;
  for (size_t i = 0; i < names.plain.size(); ++i) {
    const std::string& plain = names.plain[i];
    const std::string& with_port = names.known_hosts[i];
    if ((host_matches(ca.patterns, plain) || host_matches(ca.patterns, with_port)) &&
        !is_excluded(ca, plain) && !is_excluded(ca, with_port)) {
      out.push_back(plain);
    }
  }
  return out;
}

// By whom, or why not.
Result<std::string> certifier(const std::map<std::string, HostCaConfig>& cas,
                              const TargetNames& names, const HostCertificate& certificate,
                              uint64_t now) {
  std::string why;
  for (const auto& [name, config] : cas) {
    const auto ca = parse_public_key_line(config.key);
    const auto good =
        ca ? check_host_certificate(certificate, *ca, names_that_match(config, names), now)
           : Status(ca.error());
    if (good) {
      return name;
    }
    why += (why.empty() ? "" : "; ") + good.error().message + " (" + name + ")";
  }
  return Error{Errc::denied, why};
}

}  // namespace

TargetNames::TargetNames(const std::string& name, const HostPort& address) {
  for (const std::string& host : {lower(address.host), lower(name)}) {
    if (std::find(plain.begin(), plain.end(), host) == plain.end()) {
      plain.push_back(host);
      known_hosts.push_back(known_hosts_name({host, address.port}));
    }
  }
}

std::map<std::string, HostCaConfig> cas_for(const std::map<std::string, HostCaConfig>& cas,
                                            const TargetNames& names) {
  auto out = cas;
  std::erase_if(out, [&](const auto& ca) { return names_that_match(ca.second, names).empty(); });
  return out;
}

Certified certified_keys(const std::map<std::string, HostCaConfig>& cas, const TargetNames& names,
                         std::span<const HostCertificate> certificates, uint64_t now) {
  Certified out;
  const auto ours = cas_for(cas, names);
  for (const HostCertificate& certificate : certificates) {
    const auto by = certifier(ours, names, certificate, now);
    if (by) {
      out.keys.push_back(certificate.key);
    }
    out.notes.push_back(certificate.key.type +
                        (by ? " is certified by " + *by
                            : ": its certificate is worth nothing: " + by.error().message));
  }
  return out;
}

}  // namespace sallyport
