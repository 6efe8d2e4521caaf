// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/daemons.h"

#include "bastion/gate/spawn.h"
#include "shared/base/log.h"
#include "shared/ipc/peer.h"
#include "shared/ipc/sandbox.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

namespace sallyport::gate {

namespace {

struct Daemon {
  const char* name;
  const char* user;
};
// authd first: the others ask it.
constexpr Daemon kDaemons[] = {{"authd", kAuthdUser}, {"keyd", kKeydUser}, {"stored", kStoredUser}};

constexpr auto kStartTime = std::chrono::seconds(10);

Status make_folder(const std::string& path, mode_t mode, const char* user) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return Error{Errc::io, path + ": " + error.message()};
  }
  if (::geteuid() != 0) {
    return ok();  // the folder is ours and private already
  }
  // Our umask made the folders above private too; the daemons' users must get through.
  ::chmod(path.substr(0, path.rfind('/')).c_str(), 0755);
  const passwd* entry = ::getpwnam(user);
  if (entry == nullptr) {
    return Error{Errc::not_found, std::string("there is no user ") + user +
                                      "; run systemd-sysusers or sallyportctl init"};
  }
  if (::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0 ||
      ::chmod(path.c_str(), mode) != 0) {
    return errno_error(path);
  }
  return ok();
}

bool has_ended(pid_t pid) {
  return ::waitpid(pid, nullptr, WNOHANG) == pid;
}

Status wait_until_it_answers(const std::string& socket, const std::string& name, pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  while (std::chrono::steady_clock::now() < deadline) {
    if (connect_peer(socket)) {
      return ok();
    }
    if (has_ended(pid)) {
      return Error{Errc::io, name + " ended at once; its own line above says why"};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Error{Errc::io, name + " does not answer on " + socket};
}

}  // namespace

Status Daemons::start(const Config& config, const std::string& libexec) {
  for (const Daemon& daemon : kDaemons) {
    const std::string name = daemon.name;
    const std::string socket = config.socket_path(name);
    // A socket of an earlier life would be taken for an answer.
    ::unlink(socket.c_str());
    for (const auto& made : {make_folder(config.state_path(name), 0700, daemon.user),
                             make_folder(socket.substr(0, socket.rfind('/')), 0755, daemon.user)}) {
      if (!made) {
        return made;
      }
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return errno_error("a pipe for " + name);
    }
    const UniqueFd theirs(ends[0]);
    UniqueFd ours(ends[1]);
    Program program{libexec + "/sallyport-" + name,
                    "sallyportd: " + name,
                    {"--config", config.path},
                    {},
                    daemon.user,
                    true,
                    theirs.get()};
    const auto pid = spawn(program);
    if (!pid) {
      return pid.error();
    }
    running_[*pid] = {name, std::move(ours)};
    if (const Status up = wait_until_it_answers(socket, name, *pid); !up) {
      return up;
    }
  }
  return ok();
}

std::string Daemons::name_of(pid_t pid) const {
  const auto found = running_.find(pid);
  return found == running_.end() ? "" : found->second.name;
}

void Daemons::stop() {
  for (auto& [pid, daemon] : running_) {
    daemon.lifeline.reset();
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (!running_.empty() && std::chrono::steady_clock::now() < deadline) {
    std::erase_if(running_,
                  [](const auto& one) { return ::waitpid(one.first, nullptr, WNOHANG) != 0; });
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (const auto& [pid, daemon] : running_) {
    if (::kill(pid, SIGKILL) == 0) {  // not when it runs as another user than we do now
      ::waitpid(pid, nullptr, 0);
    }
  }
  running_.clear();
}

}  // namespace sallyport::gate
