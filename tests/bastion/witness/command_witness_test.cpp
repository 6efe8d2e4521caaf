// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/command_witness.h"

#include "tests/bastion/witness/witnessed_log.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iterator>

using namespace sallyport;
using namespace sallyport::test;
using namespace sallyport::witness;

namespace {

struct Fixture {
  Fixture() { ::signal(SIGPIPE, SIG_IGN); }  // as harden_process() does

  TestFolder folder;
  NoteSigner signer;
  WitnessedLog log{signer, 40};

  std::vector<std::string> script(const std::string& text) const {
    return {folder.write("script", "#!/bin/sh\n" + text, 0700), folder / "notes"};
  }
  std::vector<std::string> keeper() const {
    return script("cat \"$1\" 2>/dev/null\ncat >> \"$1\"\necho run >> \"$1.runs\"\n");
  }
  std::string text(const std::string& name) const {
    std::ifstream file(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

}  // namespace

TEST_CASE("a command is asked once and then given each checkpoint") {
  const Fixture f;
  CommandWitness witness(f.keeper());
  CHECK(witness.show(f.log.unsigned_yet()).answer == WitnessAnswer::nothing);
  CHECK(witness.show(f.log.at(3)).answer == WitnessAnswer::taken);
  CHECK(witness.show(f.log.at(9)).answer == WitnessAnswer::taken);
  CHECK(f.text("notes") == f.log.note(3) + f.log.note(9));
  CHECK(f.text("notes.runs") == "run\nrun\nrun\n");
}

TEST_CASE("a command that knows more or other is given nothing") {
  const Fixture f;
  f.folder.write("notes", f.log.note(20));
  const WitnessSays larger = CommandWitness(f.keeper()).show(f.log.at(9));
  CHECK(larger.answer == WitnessAnswer::larger);
  CHECK(larger.size == 20);
  const WitnessedLog fork(f.signer, 40, "other");
  CHECK(CommandWitness(f.keeper()).show(fork.at(30)).answer == WitnessAnswer::other);
  CHECK(f.text("notes") == f.log.note(20));
}

TEST_CASE("a command that prints no checkpoint of the log where it is asked for one is silent") {
  const Fixture f;
  const NoteSigner other("sallyport/other");
  f.folder.write("notes", "junk\n\n" + WitnessedLog(other, 50).note(50));
  const WitnessSays says = CommandWitness(f.keeper()).show(f.log.at(9));
  CHECK(says.answer == WitnessAnswer::silent);
  CHECK(says.text.find("no checkpoint of this log") != std::string::npos);
}

TEST_CASE("what a command has printed once it cannot make forgotten") {
  const Fixture f;
  f.folder.write("notes", f.log.note(20));
  CommandWitness witness(f.keeper());
  CHECK(witness.show(f.log.at(20)).answer == WitnessAnswer::taken);
  f.folder.write("notes", f.log.note(3));
  CHECK(witness.show(f.log.at(9)).answer == WitnessAnswer::larger);
}

TEST_CASE("a command that refuses and says what it knows is heard") {
  const Fixture f;
  f.folder.write("notes", f.log.note(20));
  CommandWitness witness(f.script("[ -n \"$(cat)\" ] || exit 0\ncat \"$1\"\nexit 1\n"));
  CHECK(witness.show(f.log.at(9)).answer == WitnessAnswer::larger);
}

TEST_CASE("a command that fails is silent, with its status and first line") {
  const Fixture f;
  const auto command = f.script("echo no room >&2\necho second >&2\nexit 7\n");
  const WitnessSays says = CommandWitness(command).show(f.log.at(9));
  CHECK(says.answer == WitnessAnswer::silent);
  CHECK(says.text == command[0] + " ended with status 7: no room");
  const WitnessSays missing = CommandWitness({f.folder / "missing"}).show(f.log.at(9));
  CHECK(missing.answer == WitnessAnswer::silent);
  CHECK(missing.text.find("No such file") != std::string::npos);
}

TEST_CASE("a command that hangs is killed, and what it has started") {
  const Fixture f;
  // The child would write after a second, if it were left.
  CommandWitness witness(f.script("(sleep 1; echo late > \"$1.late\") &\nsleep 100\n"),
                         std::chrono::milliseconds(300));
  const WitnessSays says = witness.show(f.log.at(9));
  CHECK(says.answer == WitnessAnswer::silent);
  CHECK(says.text.find("does not end") != std::string::npos);
  ::sleep(2);
  CHECK_FALSE(std::filesystem::exists(f.folder / "notes.late"));
}

TEST_CASE("a command that does not read its input, or talks without end, does no harm") {
  const Fixture f;
  CHECK(CommandWitness({"/bin/true"}).show(f.log.at(9)).answer == WitnessAnswer::taken);
  CommandWitness talker(f.script("head -c 3000000 /dev/zero\ncat >> \"$1\"\n"));
  CHECK(talker.show(f.log.at(9)).answer == WitnessAnswer::silent);
  CHECK(f.text("notes").empty());
}

TEST_CASE("what a command leaves running is not waited for") {
  const Fixture f;
  CommandWitness witness(f.script("sleep 3 &\nexit 0\n"), std::chrono::seconds(2));
  CHECK(witness.show(f.log.at(9)).answer == WitnessAnswer::taken);
}

TEST_CASE("a cancelled command ends soon") {
  const Fixture f;
  CommandWitness witness(f.script("sleep 100\n"));
  witness.cancel();
  CHECK(witness.show(f.log.at(9)).answer == WitnessAnswer::silent);
}
