// SPDX-License-Identifier: Apache-2.0
#include "bastion/dev_idp/pages.h"

#include "bastion/dev_idp/provider.h"
#include "shared/base/printable.h"

namespace sallyport {
namespace {

constexpr size_t kMaxShown = 80;

std::string page(const std::string& heading, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + heading +
         " - Sallyport development sign-in</title></head>\n<body>\n<h1>" + heading + "</h1>\n" +
         body +
         "<hr><p>This is Sallyport's built-in development identity provider. Its people are not "
         "real; never use it beyond one machine.</p>\n</body></html>\n";
}

std::string hidden(const char* name, std::string_view value) {
  return std::string("<input type=\"hidden\" name=\"") + name + "\" value=\"" + html_text(value) +
         "\">\n";
}

std::string complaint_text(std::string_view complaint) {
  return complaint.empty() ? "" : "<p><strong>" + html_text(complaint) + "</strong></p>\n";
}

std::string user_choice(const TestUser& user, bool first) {
  std::string groups;
  for (const std::string& group : user.groups) {
    groups += (groups.empty() ? "" : ", ") + group;
  }
  return "<p><label><input type=\"radio\" name=\"user\" value=\"" + html_text(user.name) + "\"" +
         (first ? " checked" : "") + "> " + html_text(user.display_name) + " &lt;" +
         html_text(user.name) + "@example.com&gt;, groups: " + html_text(groups) + "</label></p>\n";
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string result;
  for (const char c : printable(text, kMaxShown)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string code_page(std::string_view csrf, std::string_view user_code,
                      std::string_view complaint) {
  std::string body = complaint_text(complaint);
  body += "<form method=\"post\" action=\"/device\">\n" + hidden("csrf", csrf) +
          "<p><label>Code that your terminal shows: <input name=\"user_code\" size=\"12\" "
          "maxlength=\"16\" autocomplete=\"off\" autofocus value=\"" +
          html_text(user_code) +
          "\"></label>\n<button type=\"submit\">Continue</button></p>\n</form>\n";
  return page("Sign in", body);
}

std::string decision_page(std::string_view csrf, std::string_view user_code, bool with_password,
                          std::string_view complaint) {
  std::string body = complaint_text(complaint) +
                     "<p>A terminal asks to sign in with the code <code>" + html_text(user_code) +
                     "</code>. Never approve a code that you did not start yourself.</p>\n"
                     "<form method=\"post\" action=\"/device/decision\">\n" +
                     hidden("csrf", csrf) + hidden("user_code", user_code) + "<p>Sign in as</p>\n";
  bool first = true;
  for (const TestUser& user : test_users()) {
    body += user_choice(user, first);
    first = false;
  }
  if (with_password) {
    body +=
        "<p><label>Password, as the quick start printed it: <input type=\"password\" "
        "name=\"password\" autocomplete=\"off\"></label></p>\n";
  }
  body +=
      "<p><button type=\"submit\" name=\"decision\" value=\"approve\">Approve</button>\n"
      "<button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button></p>\n</form>\n";
  return page("Approve this sign-in?", body);
}

std::string result_page(std::string_view heading, std::string_view text) {
  return page(html_text(heading), "<p>" + html_text(text) + "</p>\n");
}

}  // namespace sallyport
