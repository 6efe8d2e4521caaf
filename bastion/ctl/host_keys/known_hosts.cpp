// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/known_hosts.h"

#include <algorithm>
#include <optional>

namespace sallyport {

namespace {

using Marker = KnownHost::Marker;

constexpr std::string_view kBlank = " \t";

void skip_blanks(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
}

std::string_view take_word(std::string_view& line) {
  const auto word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  skip_blanks(line);
  return word;
}

// nullopt: a marker that we do not know, or two.
std::optional<Marker> take_marker(std::string_view& line) {
  if (!line.starts_with('@')) {
    return Marker::none;
  }
  const auto word = take_word(line);
  if (line.starts_with('@')) {
    return std::nullopt;
  }
  return word == "@cert-authority" ? std::optional(Marker::cert_authority)
         : word == "@revoked"      ? std::optional(Marker::revoked)
                                   : std::nullopt;
}

Result<KnownHost> parse_line(std::string_view line) {
  const auto marker = take_marker(line);
  if (!marker) {
    return Error{Errc::invalid, "has a marker that is neither @cert-authority nor @revoked"};
  }
  KnownHost out;
  out.marker = *marker;
  out.hosts = take_word(line);
  auto key = parse_public_key_line(line);
  if (!key) {
    return key.error();
  }
  out.key = std::move(*key);
  return out;
}

}  // namespace

KnownHosts parse_known_hosts(std::string_view text) {
  KnownHosts out;
  for (size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    skip_blanks(line);
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    auto entry = parse_line(line);
    if (entry) {
      entry->line = number;
      out.entries.push_back(std::move(*entry));
    } else {
      out.unreadable.push_back({number, entry.error().message});
    }
  }
  return out;
}

}  // namespace sallyport
