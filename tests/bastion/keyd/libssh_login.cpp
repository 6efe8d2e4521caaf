// SPDX-License-Identifier: Apache-2.0
//
// libssh_login PORT LOGIN AGENT_SOCKET: logs in on loopback as back does it, and prints the result.
#include "shared/base/handle.h"

#include <libssh/libssh.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace sallyport;

int main(int argc, char** argv) {
  if (argc != 4) {
    return 2;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = argv[3];
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int agent = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(agent, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connecting to the agent");
    return 2;
  }
  const Handle<ssh_session_struct, ssh_free> session(ssh_new());
  const bool off = false;
  const int port = std::atoi(argv[1]);
  ssh_options_set(session.get(), SSH_OPTIONS_PROCESS_CONFIG, &off);
  ssh_options_set(session.get(), SSH_OPTIONS_HOST, "127.0.0.1");
  ssh_options_set(session.get(), SSH_OPTIONS_PORT, &port);
  ssh_options_set(session.get(), SSH_OPTIONS_USER, argv[2]);
  ssh_set_agent_socket(session.get(), agent);
  if (ssh_connect(session.get()) != SSH_OK) {
    std::printf("no connection: %s\n", ssh_get_error(session.get()));
    return 2;
  }
  const int result = ssh_userauth_agent(session.get(), nullptr);
  std::printf("%s\n", result == SSH_AUTH_SUCCESS ? "logged in" : "refused");
  ssh_disconnect(session.get());
  return result == SSH_AUTH_SUCCESS ? 0 : 1;
}
