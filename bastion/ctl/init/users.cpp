// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/init/files.h"
#include "bastion/ctl/program.h"
#include "bastion/ctl/terminal.h"
#include "shared/ipc/sandbox.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace sallyport {

namespace {

constexpr std::array<const char*, 5> kUsers = {kSessionUser, kAuthdUser, kKeydUser, kStoredUser,
                                               kWitnessUser};

bool user_exists(const std::string& user) {
  return ::getpwnam(user.c_str()) != nullptr;
}

// The same as systemd/sysusers.d/sallyport.conf says, for a machine without it.
Status make_user(const std::string& user) {
  const auto by_sysusers =
      run_program({"systemd-sysusers", "--inline", "u " + user + " - \"Sallyport SSH bastion\""},
                  "systemd", ProgramErrors::hidden);
  if (by_sysusers && by_sysusers->status == 0 && user_exists(user)) {
    return ok();
  }
  const auto by_useradd =
      run_program({"useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/",
                   "--shell", "/usr/sbin/nologin", "--comment", "Sallyport SSH bastion", user},
                  "passwd");
  if (!by_useradd) {
    return by_useradd.error();
  }
  if (by_useradd->status != 0 || !user_exists(user)) {
    return Error{Errc::io, "the system user " + user + " could not be made; make it with useradd"};
  }
  return ok();
}

}  // namespace

Status make_users() {
  if (::geteuid() != 0) {
    return ok();
  }
  for (const std::string user : kUsers) {
    if (user_exists(user)) {
      continue;
    }
    if (auto made = make_user(user); !made) {
      return made;
    }
    print_line("made the system user " + user);
  }
  return ok();
}

}  // namespace sallyport
