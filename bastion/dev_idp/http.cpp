// SPDX-License-Identifier: Apache-2.0
#include "bastion/dev_idp/http.h"

#include "bastion/dev_idp/pages.h"
#include "shared/base/hex.h"
#include "shared/crypto/random.h"
#include "shared/crypto/sha256.h"

#include <httplib.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <thread>

namespace sallyport {
namespace {

constexpr size_t kMaxBodyBytes = 8192;
constexpr const char* kCookie = "sallyport_dev_idp";

std::string random_text() {
  std::array<uint8_t, 32> bytes{};
  random_fill(bytes);
  return to_base64url(bytes);
}

// The fields of a form body. nullopt: the request is not one of ours (another media type, fields
// in the URL, a field twice).
std::optional<Form> form_of(const httplib::Request& request) {
  const std::string type = request.get_header_value("Content-Type");
  if (type.substr(0, type.find(';')) != "application/x-www-form-urlencoded" ||
      request.target.find('?') != std::string::npos) {
    return std::nullopt;
  }
  Form form;
  for (const auto& [name, value] : request.params) {
    if (!form.emplace(name, value).second) {
      return std::nullopt;
    }
  }
  return form;
}

void answer(httplib::Response& response, const Answer& content) {
  response.status = content.status;
  response.set_content(content.json, "application/json");
}

void show(httplib::Response& response, int status, const std::string& html) {
  response.status = status;
  response.set_content(html, "text/html; charset=utf-8");
}

std::string cookie_of(const httplib::Request& request) {
  const std::string header = request.get_header_value("Cookie");
  const std::string name = std::string(kCookie) + "=";
  const size_t begin = header.find(name);
  if (begin == std::string::npos) {
    return {};
  }
  return header.substr(begin + name.size(), header.find(';', begin) - begin - name.size());
}

std::string csrf_for(const std::string& key, const std::string& cookie) {
  return to_hex(hmac_sha256(as_bytes(key), as_bytes(cookie)));
}

// A form that was sent from a page which we showed to this very browser.
std::optional<Form> own_form(const httplib::Request& request, const std::string& csrf_key) {
  std::optional<Form> form = form_of(request);
  const std::string cookie = cookie_of(request);
  if (!form || cookie.empty() ||
      !equal_in_constant_time(as_bytes((*form)["csrf"]), as_bytes(csrf_for(csrf_key, cookie)))) {
    return std::nullopt;
  }
  return form;
}

bool is_test_user(const std::string& name) {
  for (const TestUser& user : test_users()) {
    if (user.name == name) {
      return true;
    }
  }
  return false;
}

void show_not_ours(httplib::Response& response) {
  show(response, 403, result_page("Not accepted", "Open /device again and begin anew."));
}

// Only for a code that nobody can use, or too many of them.
void show_no_code(httplib::Response& response, DevProvider::Lookup why, const std::string& csrf) {
  if (why == DevProvider::Lookup::too_many) {
    show(response, 429, result_page("Too many wrong codes", "Wait a minute, then try again."));
    return;
  }
  show(response, 400, code_page(csrf, "", "No login waits with this code, or it has run out."));
}

void set_loopback_socket(socket_t fd) {
  const int on = 1;  // and not SO_REUSEPORT, httplib's default: another process could join us
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

DevHttp::DevHttp(DevProvider& provider, std::string host, std::string password)
    : provider_(provider),
      host_(std::move(host)),
      password_(std::move(password)),
      csrf_key_(random_text()),
      server_(std::make_unique<httplib::Server>()) {
  server_->set_socket_options(set_loopback_socket);
  server_->set_payload_max_length(kMaxBodyBytes);
  server_->set_keep_alive_max_count(1);  // an idle browser must not hold one of the few threads
  server_->set_default_headers(
      {{"Cache-Control", "no-store"},
       {"X-Content-Type-Options", "nosniff"},
       {"X-Frame-Options", "DENY"},
       {"Referrer-Policy", "no-referrer"},
       {"Content-Security-Policy",
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'"}});
  server_->set_pre_routing_handler([this](const auto& request, auto& response) {
    const bool foreign = request.has_header("Origin") &&
                         request.get_header_value("Origin") != "http://" + host_ &&
                         request.get_header_value("Origin") != "null";
    if (request.get_header_value("Host") == host_ && !foreign) {
      return httplib::Server::HandlerResponse::Unhandled;
    }
    response.status = 421;
    return httplib::Server::HandlerResponse::Handled;
  });
  server_->set_exception_handler([](const auto&, auto& response, auto) { response.status = 500; });
  route_api();
  route_pages();
}

DevHttp::~DevHttp() = default;

void DevHttp::route_api() {
  server_->Get("/.well-known/openid-configuration", [this](const auto&, auto& response) {
    answer(response, {200, provider_.discovery()});
  });
  server_->Get("/jwks", [this](const auto&, auto& response) {
    answer(response, {200, provider_.jwks()});
  });
  const Answer bad_form{400, R"({"error":"invalid_request"})"};
  server_->Post("/device_authorization", [this, bad_form](const auto& request, auto& response) {
    const auto form = form_of(request);
    answer(response,
           form ? provider_.authorize_device(*form, DevProvider::Clock::now()) : bad_form);
  });
  server_->Post("/token", [this, bad_form](const auto& request, auto& response) {
    const auto form = form_of(request);
    answer(response, form ? provider_.token(*form, DevProvider::Clock::now()) : bad_form);
  });
  const auto userinfo = [this](const auto& request, auto& response) {
    const std::string header = request.get_header_value("Authorization");
    const std::string token = header.starts_with("Bearer ") ? header.substr(7) : std::string();
    const Answer content = provider_.userinfo(token, DevProvider::Clock::now());
    if (content.status == 401) {
      response.set_header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    }
    answer(response, content);
  };
  server_->Get("/userinfo", userinfo);
  server_->Post("/userinfo", userinfo);
}

void DevHttp::route_pages() {
  server_->Get("/device", [this](const auto& request, auto& response) {
    std::string cookie = cookie_of(request);
    if (cookie.empty()) {
      cookie = random_text();
      response.set_header("Set-Cookie", std::string(kCookie) + "=" + cookie +
                                            "; Path=/device; HttpOnly; SameSite=Strict");
    }
    show(response, 200,
         code_page(csrf_for(csrf_key_, cookie), request.get_param_value("user_code"), ""));
  });
  server_->Post("/device", [this](const auto& request, auto& response) {
    std::optional<Form> form = own_form(request, csrf_key_);
    if (!form) {
      return show_not_ours(response);
    }
    const auto found = provider_.find((*form)["user_code"], DevProvider::Clock::now());
    if (found != DevProvider::Lookup::waiting) {
      return show_no_code(response, found, (*form)["csrf"]);
    }
    show(response, 200,
         decision_page((*form)["csrf"], (*form)["user_code"], !password_.empty(), ""));
  });
  server_->Post("/device/decision", [this](const auto& request, auto& response) {
    std::optional<Form> form = own_form(request, csrf_key_);
    const std::string decision = form ? (*form)["decision"] : std::string();
    const std::string user = form ? (*form)["user"] : std::string();
    if ((decision != "approve" && decision != "deny") || !is_test_user(user)) {
      return show_not_ours(response);
    }
    if (!password_.empty() &&
        !equal_in_constant_time(as_bytes((*form)["password"]), as_bytes(password_))) {
      show(response, 403,
           decision_page((*form)["csrf"], (*form)["user_code"], true, "The password is wrong."));
      return;
    }
    const bool yes = decision == "approve";
    const auto found = provider_.decide(
        (*form)["user_code"], yes ? std::optional(user) : std::nullopt, DevProvider::Clock::now());
    if (found != DevProvider::Lookup::waiting) {
      return show_no_code(response, found, (*form)["csrf"]);
    }
    show(response, 200,
         yes ? result_page("Approved", "You are signed in as " + user +
                                           ". Go back to your terminal and press Enter.")
             : result_page("Denied", "The terminal is told so. You may close this page."));
  });
}

Status DevHttp::bind(uint16_t port) {
  if (!server_->bind_to_port("127.0.0.1", port)) {
    return Error{Errc::io, "cannot listen on 127.0.0.1:" + std::to_string(port) +
                               "; is another program there?"};
  }
  return ok();
}

void DevHttp::serve() {
  server_->listen_after_bind();
}

void DevHttp::stop() {
  // httplib forgets a stop that comes before its thread is there.
  for (int i = 0; i < 1000 && !server_->is_running(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  server_->stop();
}

}  // namespace sallyport
