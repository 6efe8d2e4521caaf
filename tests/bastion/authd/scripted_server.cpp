// SPDX-License-Identifier: Apache-2.0
#include "tests/bastion/authd/scripted_server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

extern char** environ;

namespace sallyport::test {
namespace {

struct Pipe {
  UniqueFd read, write;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe");
    }
    read = UniqueFd(ends[0]);
    write = UniqueFd(ends[1]);
  }
};

}  // namespace

ScriptedServer::ScriptedServer() {
  Pipe in, out;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
  std::string python = "python3", script = SALLYPORT_TEST_SUPPORT "/idp/scripted_server.py";
  char* arguments[] = {python.data(), script.data(), nullptr};
  const int error = posix_spawnp(&pid_, "python3", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::runtime_error("python3 does not start");
  }
  to_ = std::move(in.write);
  from_ = std::move(out.read);
  out.write = UniqueFd();
  port_ = nlohmann::json::parse(read_line()).at("port").get<uint16_t>();
}

ScriptedServer::~ScriptedServer() {
  to_ = UniqueFd();  // end of its stdin is its end
  int status = 0;
  waitpid(pid_, &status, 0);
}

std::string ScriptedServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

void ScriptedServer::set(const std::string& path, const std::vector<Reply>& replies) {
  auto list = nlohmann::json::array();
  for (const Reply& reply : replies) {
    list.push_back({{"status", reply.status},
                    {"body", reply.body},
                    {"headers", reply.headers},
                    {"hang", reply.hang_seconds},
                    {"truncate", reply.truncate},
                    {"padding", reply.padding}});
  }
  ask(nlohmann::json{{"set", path}, {"replies", list}}.dump());
}

std::vector<ScriptedServer::Request> ScriptedServer::requests(const std::string& path) {
  std::vector<Request> out;
  for (const auto& item : nlohmann::json::parse(ask(nlohmann::json{{"requests", path}}.dump()))) {
    out.push_back({item.at("method"), item.at("headers"), item.at("body")});
  }
  return out;
}

std::string ScriptedServer::ask(const std::string& line) {
  const std::string text = line + "\n";
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = write(to_.get(), text.data() + sent, text.size() - sent);
    if (n <= 0) {
      throw std::runtime_error("the scripted server is gone");
    }
    sent += static_cast<size_t>(n);
  }
  return read_line();
}

std::string ScriptedServer::read_line() {
  size_t end = 0;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    char chunk[4096];
    const ssize_t n = read(from_.get(), chunk, sizeof chunk);
    if (n <= 0) {
      throw std::runtime_error("the scripted server is gone");
    }
    buffer_.append(chunk, static_cast<size_t>(n));
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

}  // namespace sallyport::test
