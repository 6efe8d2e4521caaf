// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/unique_fd.h"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::test {

// tests/support/idp/scripted_server.py as a child: a real HTTP server on loopback that answers each
// path as it is told. Start it before OauthLibrary, after which nothing may fork.
class ScriptedServer {
public:
  struct Reply {
    int status = 200;
    std::string body;
    std::map<std::string, std::string> headers = {{"content-type", "application/json"}};
    double hang_seconds = 0;
    bool truncate = false;
    size_t padding = 0;  // so many "A" where the body says @PAD@
  };
  struct Request {
    std::string method;
    std::map<std::string, std::string> headers;  // lower-case names
    std::string body;
  };

  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url(const std::string& path) const;
  // Forgets the requests of that path; the last reply repeats.
  void set(const std::string& path, const std::vector<Reply>& replies);
  void set(const std::string& path, const std::string& body) { set(path, {{200, body}}); }
  std::vector<Request> requests(const std::string& path);

private:
  std::string ask(const std::string& line);
  std::string read_line();

  pid_t pid_ = -1;
  UniqueFd to_, from_;
  std::string buffer_;
  uint16_t port_ = 0;
};

}  // namespace sallyport::test
