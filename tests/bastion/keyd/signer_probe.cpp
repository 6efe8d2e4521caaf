// SPDX-License-Identifier: Apache-2.0
//
// signer_probe SOCKET KEYFILE LOGIN HOST_KEY.pub: one OneSignatureAgent, served to one SSH client
// after the other. Prints why a connection was ended.
#include "bastion/ctl/vault/key_file.h"
#include "bastion/keyd/agent.h"
#include "bastion/keyd/private_key.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/messages.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace sallyport;

namespace {

template <class T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

int listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 4) != 0) {
    std::perror("listening");
    std::exit(1);
  }
  return fd;
}

void serve(OneSignatureAgent& agent, int fd) {
  std::array<uint8_t, 4096> buffer;
  for (ssize_t size = 0; (size = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    const bool had_signed = agent.has_signed();
    std::vector<uint8_t> out;
    const auto status = agent.receive(std::span(buffer).first(static_cast<size_t>(size)), out);
    // Before the answer: who has it may look for the line.
    if (!status) {
      std::printf("refused: %s\n", status.error().message.c_str());
    } else if (agent.has_signed() && !had_signed) {
      std::printf("signed\n");
    }
    if (::write(fd, out.data(), out.size()) != static_cast<ssize_t>(out.size()) || !status) {
      return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto no_passphrase = [] { return Result<SecretBytes>(Error{Errc::invalid, "encrypted"}); };
  const EvpKey key = need(
      import_key(need(read_private_key(need(read_secret_file(argv[2])), no_passphrase)).span()));
  GrantFacts facts;
  facts.purpose = Purpose::sign;
  facts.valid = true;
  facts.login = argv[3];
  facts.host_keys = {std::string(need(read_secret_file(argv[4])).view())};
  OneSignatureAgent agent(
      need(signing_grant(facts, need(ssh_public_key(*key)))),
      [&](auto algorithm, auto data) { return ssh_sign(*key, algorithm, data); });
  const UniqueFd listener(listen_on(argv[1]));
  std::printf("ready\n");
  for (;;) {
    serve(agent, UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)).get());
  }
}
