// SPDX-License-Identifier: Apache-2.0
#include "shared/http/http_client.h"

#include "shared/base/handle.h"
#include "shared/base/printable.h"

#include <openssl/crypto.h>

#include <curl/curl.h>

#include <cctype>

namespace sallyport {
namespace {

using Curl = Handle<CURL, curl_easy_cleanup>;
using CurlList = Handle<curl_slist, curl_slist_free_all>;

struct ReplyBuffer {
  std::string body;
  size_t max_bytes;
  bool overflow = false;
};

extern "C" size_t take_reply_bytes(char* data, size_t size, size_t count, void* context) noexcept {
  auto* buffer = static_cast<ReplyBuffer*>(context);
  const size_t bytes = size * count;
  if (buffer->body.size() + bytes > buffer->max_bytes) {
    buffer->overflow = true;
    return 0;  // libcurl ends the transfer
  }
  try {
    buffer->body.append(data, bytes);
  } catch (...) {
    return 0;
  }
  return bytes;
}

void set_transport(CURL* curl, const HttpSettings& settings) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.timeout.count()));
  // An empty proxy is "none"; not setting it would be "whatever the environment says".
  curl_easy_setopt(curl, CURLOPT_PROXY, settings.proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!settings.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
}

CurlList make_headers(const HttpRequest& request) {
  CurlList list(curl_slist_append(nullptr, ("Accept: " + request.accept).c_str()));
  const auto add = [&list](const char* header) {
    if (curl_slist* grown = curl_slist_append(list.get(), header); grown != nullptr) {
      list.release();  // appending keeps the head
      list.reset(grown);
    }
  };
  add("Expect:");  // no "100-continue" pause for long forms
  for (const std::string& header : request.headers) {
    add(header.c_str());
  }
  return list;
}

Error transport_error(const HttpRequest& request, CURLcode code, const char* detail) {
  const std::string reason = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  return {Errc::io, printable(request.url, 200) + ": " + printable(reason, 200)};
}

}  // namespace

Result<HttpReply> http_call(const HttpSettings& settings, const HttpRequest& request) {
  const Curl curl(curl_easy_init());
  const CurlList headers = make_headers(request);
  if (!curl || !headers) {
    return Error{Errc::internal, "no memory for an HTTP call"};
  }
  char detail[CURL_ERROR_SIZE] = "";
  ReplyBuffer reply{{}, request.max_reply_bytes};
  set_transport(curl.get(), settings);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_reply_bytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "sallyport/" SALLYPORT_VERSION);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  if (!request.body.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.c_str());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (reply.overflow) {
    return Error{Errc::limit, printable(request.url, 200) + ": the reply is longer than " +
                                  std::to_string(request.max_reply_bytes) + " bytes"};
  }
  if (code != CURLE_OK) {
    return transport_error(request, code, detail);
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return HttpReply{status, std::move(reply.body)};
}

std::string form_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '*')) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string form_encode(const HttpForm& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    out += (out.empty() ? "" : "&") + form_encode(name) + "=" + form_encode(value);
  }
  return out;
}

void wipe(std::string& text) noexcept {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace sallyport
