// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/syslog_witness.h"

#include "shared/base/unique_fd.h"
#include "shared/evidence/note_file.h"
#include "tests/bastion/witness/witnessed_log.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>

using namespace sallyport;
using namespace sallyport::test;
using namespace sallyport::witness;

namespace {

UniqueFd listen_at(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

}  // namespace

TEST_CASE("a checkpoint is one line of authpriv.notice, and a note again") {
  const TestFolder folder;
  const NoteSigner signer;
  const WitnessedLog log(signer, 40);
  const UniqueFd daemon = listen_at(folder / "log");
  SyslogWitness witness(folder / "log");
  CHECK(witness.show(log.unsigned_yet()).answer == WitnessAnswer::nothing);
  CHECK(witness.show(log.at(9)).answer == WitnessAnswer::taken);
  char buffer[4096];
  const ssize_t got = ::recv(daemon.get(), buffer, sizeof buffer, 0);
  REQUIRE(got > 0);
  const std::string line(buffer, static_cast<size_t>(got));
  CHECK(line.starts_with("<85>"));
  CHECK(line.find(" sallyport-witness[") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(note_of_line(line) == log.note(9));
}

TEST_CASE("without a syslog daemon the witness is silent") {
  const TestFolder folder;
  const NoteSigner signer;
  SyslogWitness witness(folder / "log");
  const WitnessSays says = witness.show(WitnessedLog(signer, 40).at(9));
  CHECK(says.answer == WitnessAnswer::silent);
  CHECK(says.text.find("No such file") != std::string::npos);
}
