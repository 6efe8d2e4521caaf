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

#include <algorithm>
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
// Only where the configuration has witnesses. It asks stored, and nobody asks it.
constexpr Daemon kWitness = {"witness", kWitnessUser};

constexpr auto kStartTime = std::chrono::seconds(10);
constexpr auto kStopTime = std::chrono::seconds(3);

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
    if (Status made = make_folder(socket.substr(0, socket.rfind('/')), 0755, daemon.user); !made) {
      return made;
    }
    const auto pid = start_one(config, libexec, name, daemon.user);
    if (!pid) {
      return pid.error();
    }
    if (const Status up = wait_until_it_answers(socket, name, *pid); !up) {
      return up;
    }
  }
  if (config.witnesses.empty()) {
    return ok();
  }
  const auto pid = start_one(config, libexec, kWitness.name, kWitness.user);
  return pid ? ok() : Status(pid.error());
}

Result<pid_t> Daemons::start_one(const Config& config, const std::string& libexec,
                                 const std::string& name, const char* user) {
  if (Status made = make_folder(config.state_path(name), 0700, user); !made) {
    return made.error();
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return errno_error("a pipe for " + name);
  }
  const UniqueFd theirs(ends[0]);
  UniqueFd ours(ends[1]);
  const Program program{libexec + "/sallyport-" + name,
                        "sallyportd: " + name,
                        {"--config", config.path},
                        {},
                        user,
                        true,
                        theirs.get()};
  const auto pid = spawn(program);
  if (pid) {
    running_[*pid] = {name, std::move(ours)};
  }
  return pid;
}

std::string Daemons::name_of(pid_t pid) const {
  const auto found = running_.find(pid);
  return found == running_.end() ? "" : found->second.name;
}

// stored first: while it ends it asks keyd to sign the log, and tells witness.
void Daemons::stop() {
  for (auto& [pid, daemon] : running_) {
    if (daemon.name == "stored") {
      daemon.lifeline.reset();
    }
  }
  const auto deadline = std::chrono::steady_clock::now() + kStopTime;
  wait_for_end_of([](const std::string& name) { return name == "stored"; }, deadline);
  for (auto& [pid, daemon] : running_) {
    daemon.lifeline.reset();
  }
  wait_for_end_of([](const std::string&) { return true; }, deadline + kStopTime);
  for (const auto& [pid, daemon] : running_) {
    if (::kill(pid, SIGKILL) == 0) {  // not when it runs as another user than we do now
      ::waitpid(pid, nullptr, 0);
    }
  }
  running_.clear();
}

void Daemons::wait_for_end_of(const std::function<bool(const std::string& name)>& these,
                              std::chrono::steady_clock::time_point deadline) {
  const auto is_one = [&](const auto& one) { return these(one.second.name); };
  while (std::any_of(running_.begin(), running_.end(), is_one) &&
         std::chrono::steady_clock::now() < deadline) {
    std::erase_if(running_,
                  [](const auto& one) { return ::waitpid(one.first, nullptr, WNOHANG) != 0; });
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace sallyport::gate
