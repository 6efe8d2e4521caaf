// SPDX-License-Identifier: Apache-2.0
#include "shared/config/values.h"

#include "shared/base/names.h"
#include "shared/config/address.h"
#include "shared/config/host_key.h"
#include "shared/crypto/age_keys.h"
#include "shared/evidence/cosignature.h"

#include <algorithm>

namespace sallyport {

namespace {

constexpr size_t kMaxHostPatternBytes = 255;

Error invalid(std::string text) {
  return Error{Errc::invalid, std::move(text)};
}

constexpr const char* kNameRule =
    "is not a valid name; use 1 to 64 letters, digits, '.', '_' and '-', not beginning with '.' "
    "or '-'";

}  // namespace

std::optional<std::string> advice_on_secret(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  });
  if (upper.find("AGE-SECRET-KEY-") != std::string::npos) {
    return "is the secret half of an age key and is not repeated here; put the public half there, "
           "\"age1...\" (`age-keygen -y FILE` shows it), and where others could read the secret, "
           "make a new one";
  }
  if (upper.find("PRIVATE KEY") != std::string::npos) {
    return "is the secret half of a key and is not repeated here; put the public half there, "
           "\"ssh-ed25519 AAAA...\" (a .pub file holds it), and where others could read the "
           "secret, make a new one";
  }
  return std::nullopt;
}

Status check_not_empty(std::string& value) {
  if (value.empty()) {
    return invalid("is empty; give it a value or leave the key out");
  }
  return ok();
}

Status check_name(std::string& value) {
  if (!is_valid_name(value)) {
    return invalid(kNameRule);
  }
  return ok();
}

Status check_name_or_any(std::string& value) {
  if (value != "*" && !is_valid_name(value)) {
    return invalid(std::string(kNameRule) + "; \"*\" alone is any");
  }
  return ok();
}

Status check_name_glob(std::string& value) {
  std::string plain = value;
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return c == '*' || c == '?'; }, 'x');
  if (!is_valid_name(plain)) {
    return invalid(std::string(kNameRule) + "; '*' and '?' match any");
  }
  return ok();
}

Status check_place_glob(std::string& value) {
  const bool good = std::all_of(value.begin(), value.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("*?.-_:[]").find(c) != std::string_view::npos;
  });
  if (!good || (value != "*" && value.find(':') == std::string::npos)) {
    return invalid("must be HOST:PORT, for example \"localhost:*\" or \"10.0.*:5432\"");
  }
  return ok();
}

Status check_variable_glob(std::string& value) {
  const bool good =
      !value.empty() && value.size() <= 64 && std::all_of(value.begin(), value.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '*' || c == '?';
      });
  if (!good) {
    return invalid("is not a pattern for environment variables; it looks like \"LC_*\"");
  }
  return ok();
}

Status check_node(std::string& value) {
  if (!is_valid_name(value) || value.size() > kMaxNodeBytes) {
    return invalid(
        "is not a valid node name; use 1 to 31 letters, digits, '.', '_' and '-', not beginning "
        "with '.' or '-'");
  }
  return ok();
}

Status check_listen(std::string& value) {
  const auto address = parse_host_port(value, 0);
  if (!address) {
    return address.error();
  }
  if (!is_numeric_address(address->host)) {
    return invalid("is not a numeric address; write for example 0.0.0.0:2222 or [::]:2222");
  }
  value = address->text();
  return ok();
}

Status check_target_address(std::string& value) {
  const auto address = parse_host_port(value, kSshPort);
  if (!address) {
    return address.error();
  }
  value = address->text();
  return ok();
}

Result<Url> parse_url(const std::string& text) {
  const auto colon = text.find("://");
  if (colon == std::string::npos) {
    return invalid("is not a URL; it looks like \"https://idp.example.com\"");
  }
  Url url;
  url.scheme = text.substr(0, colon);
  const std::string rest = text.substr(colon + 3);
  const std::string authority = rest.substr(0, rest.find_first_of("/?#"));
  const auto host = parse_host_port(authority, 443);
  if (!host) {
    return invalid("has no host that can be read; it looks like \"https://idp.example.com\"");
  }
  url.host = host->host;
  if (url.scheme != "https" && url.scheme != "http") {
    return invalid("is neither https nor http");
  }
  return url;
}

Status check_url(std::string& value) {
  const bool plain = std::all_of(value.begin(), value.end(),
                                 [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!plain) {
    return invalid("has a character that a URL cannot have here (space, '#', control, not ASCII)");
  }
  const auto url = parse_url(value);
  return url ? ok() : Status(url.error());
}

Status check_scope(std::string& value) {
  const bool good = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\';
  });
  if (!good) {
    return invalid("is not a scope; write each scope as a text of its own, without spaces");
  }
  return ok();
}

Status check_host_key(std::string& value) {
  const auto key = parse_public_key_line(value);
  if (!key) {
    return key.error();
  }
  value = key->text();
  return ok();
}

Status check_host_pattern(std::string& value) {
  const size_t name = value.starts_with('!') ? 1 : 0;
  const bool good =
      value.size() > name && value.size() <= kMaxHostPatternBytes &&
      std::all_of(value.begin() + static_cast<std::ptrdiff_t>(name), value.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != ',' && c != '!' && c != '|' && c != '"' && c != '\\';
      });
  if (!good) {
    return invalid(
        "is not a pattern for host names; write one in each text, as \"*.example.com\", "
        "\"10.0.0.?\" or \"!old.example.com\"");
  }
  std::transform(value.begin(), value.end(), value.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return ok();
}

Status check_recipient(std::string& value) {
  const auto recipient = parse_age_recipient(value);
  if (!recipient) {
    return invalid("is not an age recipient (" + recipient.error().message +
                   "); it looks like \"age1...\" and `sallyport-play keygen` makes one");
  }
  return ok();
}

Status check_witness_key(std::string& value) {
  const auto key = parse_cosignature_verifier(value);
  return key ? ok() : Status(key.error());
}

}  // namespace sallyport
