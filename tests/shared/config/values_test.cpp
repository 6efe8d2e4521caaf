// SPDX-License-Identifier: Apache-2.0
#include "shared/config/values.h"

#include "shared/config/address.h"
#include "shared/config/host_key.h"
#include "shared/config/nearest.h"
#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("addresses are host:port or [v6]:port", "[config]") {
  CHECK(parse_host_port("web1.example.com", 22)->text() == "web1.example.com:22");
  CHECK(parse_host_port("10.0.0.1:2222", 22)->text() == "10.0.0.1:2222");
  CHECK(parse_host_port("[fe80::1]", 22)->text() == "[fe80::1]:22");
  CHECK(parse_host_port("[::1]:2200", 0)->port == 2200);
  for (const char* wrong :
       {"", ":22", "::1", "[::1", "[::1]22", "[web1]:22", "a b", "a/b:1", "-o:1", "a:0", "a:65536",
        "a:-1", "a:+1", "a: 1", "a:", "a:1:2", "[::1]x:1"}) {
    INFO(wrong);
    CHECK_FALSE(parse_host_port(wrong, 22));
  }
  CHECK_FALSE(parse_host_port("10.0.0.1", 0));
}

TEST_CASE("a host key's fingerprint is that of ssh-keygen", "[config]") {
  const auto key = parse_public_key_line(
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL me@here");
  REQUIRE(key);
  CHECK(key->fingerprint() == "SHA256:0+y56QTdF5sJ//2ar/XBK4Z5Ukl9JDXwtk7rtKhOfD4");
}

TEST_CASE("damaged host keys are refused", "[config]") {
  for (const char* wrong :
       {"", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-ed25519 AAAA",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL",
        "ssh-dss AAAAB3NzaC1kc3MAAAABAA==",
        "AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL"}) {
    INFO(wrong);
    CHECK_FALSE(parse_public_key_line(wrong));
  }
}

// One of each type; the security keys' are made by hand.
constexpr const char* kWholeKeys[] = {
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJKZq0s6CBt4"
    "9pnfUQC7v9SsGmIFd+8uHkjKv68WTb24mxRu7lhrjeoNb8ghybGacvzX/+ZG7ODsLbjcRdhdNyc=",
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBAWarkBUBtKN"
    "RPq26lJLoI+N1JbFVIenXumJJ1Vyrml5JngpEMfDw7CSurZ0dk171FEhC5izncCA+w/KH3EcscdXq0a36CN1"
    "cWtKGXj7GhAIY1W3bsREo4c65m1TvYNpbw==",
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBACO/4nL18TD"
    "qz0ug+gZ2w0tfevxUC2PmMAqc+xBkC5r+MwQRxytRcBI9+UNlawxGVNDCOsZmJtypERM7jk4rV6lKQHzsbrR"
    "9T/PHL2/uQLh7z/76/AJuHOKI9VToHk9rWegWkFawe2kWXjOBp8VOGW9ZOlopGC153C4fTlBDfCg0M7LBA==",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC+MxxJqcnKSkEgE32gbblN37G+2x7OPsPV0yFzYpLm6N94"
    "ro8rpAe+uqJksmp1MUp4KUF0SqUy41YW3KXlRKZriZwtWigzkaybvGiNniaMnJcSay79yvie9yKh2uXsLLL9"
    "p5WlnZPITTZDvG1ur/XUsMtfS2o2xQOVR4Eh4CgWhcIHu2MxaQAZgJOqPoUphIUzS4h+/+QoKzggYGsSLMWH"
    "BWFCCPnOfRp9ottBDfLTTcccbXJvzob0OqTDIXiEI9tkvhIGTeuZLXFQBkwZBrzjpQwdfJytxh1RtsZ3C4zP"
    "F3y+3dH+Xw4zb6KszG+PTZ7ez77vWNFLp/tCrZWFK3T5",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL",
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIGtra2tra2tra"
    "2tra2tra2tra2tra2tra2tra2tra2trAAAABHNzaDo=",
    "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb"
    "20AAAAIbmlzdHAyNTYAAABBBJKZq0s6CBt49pnfUQC7v9SsGmIFd+8uHkjKv68WTb24mxRu7lhrjeoNb8ghy"
    "bGacvzX/+ZG7ODsLbjcRdhdNycAAAAEc3NoOg=="};

TEST_CASE("a public key is whole, or refused", "[config]") {
  for (const std::string line : kWholeKeys) {
    INFO(line);
    CHECK(parse_public_key_line(line, KeyOf::person));
    for (const size_t cut : {4U, 8U, 24U}) {
      CHECK_FALSE(parse_public_key_line(line.substr(0, line.size() - cut), KeyOf::person));
    }
    std::string longer = line;
    longer.insert(longer.find('=') == std::string::npos ? longer.size() : longer.size() - 4,
                  "AAAA");
    CHECK_FALSE(parse_public_key_line(longer, KeyOf::person));
  }
}

TEST_CASE("what is no key of its type is refused, however well it is framed", "[config]") {
  for (const char* wrong :
       {"ssh-ed25519 "
        "AAAAC3NzaC1lZDI1NTE5AAAAH2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "ssh-ed25519 "
        "AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2trAAAAAA==",
        "ssh-ed25519 "
        "AAAAC3NzaC1lZDI1NTE5",
        "ssh-rsa "
        "AAAAB3NzaC1yc2EAAAADAQAB",
        "ssh-rsa "
        "AAAAB3NzaC1yc2EAAAADAQABAAAAAoBu",
        "ecdsa-sha2-nistp256 "
        "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAzODQAAABhBHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw"
        "cA==",
        "ecdsa-sha2-nistp256 "
        "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAAhAnBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
        "BwcHBw",
        "ecdsa-sha2-nistp256 "
        "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAHbmlzdHAyNQAAAEEEcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcA==",
        "sk-ssh-ed25519@openssh.com "
        "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2t"
        "r"}) {
    INFO(wrong);
    CHECK_FALSE(parse_public_key_line(wrong, KeyOf::person));
  }
}

TEST_CASE("names with a path, a list or an option in them are refused", "[config]") {
  for (std::string wrong :
       {"", "a,b", "../a", "a/b", "-oProxyCommand=x", ".a", "a b", "a\n", "\u00e4"}) {
    INFO(wrong);
    CHECK_FALSE(check_name(wrong));
    CHECK_FALSE(check_name_glob(wrong));
  }
  std::string glob = "web-*.??";
  CHECK(check_name_glob(glob));
  CHECK_FALSE(check_name(glob));
}

TEST_CASE("the nearest name is near", "[config]") {
  const std::vector<std::string> names = {"listen", "limits", "login"};
  CHECK(nearest_name("lisetn", names) == "listen");
  CHECK(nearest_name("Logins", names) == "login");
  CHECK(nearest_name("limit", names) == "limits");
  CHECK_FALSE(nearest_name("vault", names));
  CHECK_FALSE(nearest_name(std::string(100'000, 'l'), names));
  CHECK(did_you_mean("xyz", names).empty());
}
