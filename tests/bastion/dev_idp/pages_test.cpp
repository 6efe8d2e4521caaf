// SPDX-License-Identifier: Apache-2.0
#include "bastion/dev_idp/pages.h"

#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("a page shows foreign text as text") {
  const std::string page = code_page("token", "\"><script>alert(1)</script>\x1b[2J", "");
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find('\x1b') == std::string::npos);
  CHECK(page.find("&quot;&gt;&lt;script&gt;") != std::string::npos);
}

TEST_CASE("the decision page carries its token, the code and both people") {
  const std::string page = decision_page("t0k", "WDJB-MJHT", false, "");
  CHECK(page.find("name=\"csrf\" value=\"t0k\"") != std::string::npos);
  CHECK(page.find("value=\"WDJB-MJHT\"") != std::string::npos);
  CHECK(page.find("value=\"alice\"") != std::string::npos);
  CHECK(page.find("value=\"bob\"") != std::string::npos);
  CHECK(page.find("password") == std::string::npos);
}

TEST_CASE("the decision page asks for the password where there is one") {
  const std::string page = decision_page("t0k", "WDJB-MJHT", true, "It is <wrong>.");
  CHECK(page.find("name=\"password\"") != std::string::npos);
  CHECK(page.find("It is &lt;wrong&gt;.") != std::string::npos);
}
