// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/file_witness.h"

#include "shared/evidence/note_file.h"
#include "tests/bastion/witness/witnessed_log.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <filesystem>
#include <iterator>

using namespace sallyport;
using namespace sallyport::test;
using namespace sallyport::witness;

namespace {

struct Fixture {
  TestFolder folder;
  NoteSigner signer;
  std::string path = folder / "notes";
  FileWitness witness{path};

  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

}  // namespace

TEST_CASE("a file takes each checkpoint once, with an empty line behind it") {
  const Fixture f;
  const WitnessedLog log(f.signer, 300);
  FileWitness witness(f.path);
  CHECK(witness.show(log.unsigned_yet()).answer == WitnessAnswer::nothing);
  for (const uint64_t size : {1U, 7U, 7U, 300U}) {
    const WitnessSays says = witness.show(log.at(size));
    CHECK(says.answer == WitnessAnswer::taken);
    CHECK(says.size == size);
  }
  CHECK(f.text() == log.note(1) + "\n" + log.note(7) + "\n" + log.note(300) + "\n");
}

TEST_CASE("a file that knows more says so and is left alone") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  f.witness.show(log.at(20));
  const std::string before = f.text();
  const WitnessSays says = f.witness.show(log.at(19));
  CHECK(says.answer == WitnessAnswer::larger);
  CHECK(says.size == 20);
  CHECK(says.note == log.note(20));
  CHECK(f.witness.show(log.unsigned_yet()).answer == WitnessAnswer::larger);
  CHECK(f.text() == before);
}

TEST_CASE("a log that went another way is not given to the file") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  const WitnessedLog fork(f.signer, 40, "other");
  f.witness.show(log.at(20));
  const std::string before = f.text();
  for (const uint64_t size : {20U, 21U, 40U}) {
    const WitnessSays says = f.witness.show(fork.at(size));
    CHECK(says.answer == WitnessAnswer::other);
    CHECK(says.size == 20);
  }
  CHECK(f.text() == before);
}

TEST_CASE("a log of the same name and another key is another log") {
  Fixture f;
  const NoteSigner new_key;
  f.witness.show(WitnessedLog(f.signer, 5).at(5));
  CHECK(f.witness.show(WitnessedLog(new_key, 9).at(9)).answer == WitnessAnswer::other);
}

TEST_CASE("other logs in the same file are no business of ours") {
  Fixture f;
  const NoteSigner other("sallyport/other");
  f.witness.show(WitnessedLog(other, 50).at(50));
  CHECK(f.witness.show(WitnessedLog(f.signer, 5).at(5)).answer == WitnessAnswer::taken);
  CHECK(split_notes(f.text()).size() == 2);
}

TEST_CASE("the largest checkpoint counts, not the last") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  f.folder.write("notes", log.note(20) + "\n" + log.note(3) + "\n");
  CHECK(f.witness.show(log.at(5)).answer == WitnessAnswer::larger);
}

TEST_CASE("what is appended behind a checkpoint does not make it forgotten") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  const std::string junk(9 * 1024 * 1024, GENERATE('\n', 'x'));
  f.folder.write("notes", junk + "\n\n" + log.note(20) + "\n" + junk + "\n\n" + log.note(3) + "\n");
  CHECK(f.witness.show(log.at(5)).answer == WitnessAnswer::larger);
  CHECK(FileWitness(f.path).show(log.at(5)).answer == WitnessAnswer::larger);
  CHECK(FileWitness(f.path).show(log.at(20)).answer == WitnessAnswer::taken);
}

TEST_CASE("a note that lies over the end of a block is read") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  const size_t before = 4 * 1024 * 1024 - GENERATE(0U, 1U, 30U, 200U, 400U);
  f.folder.write("notes", std::string(before - 2, 'x') + "\n\n" + log.note(20) + "\n");
  CHECK(f.witness.show(log.at(5)).answer == WitnessAnswer::larger);
}

TEST_CASE("a file that is gone or shorter is no reason to forget") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  CHECK(f.witness.show(log.at(20)).answer == WitnessAnswer::taken);
  CHECK(f.witness.show(log.at(20)).answer == WitnessAnswer::taken);
  f.folder.write("notes", log.note(3) + "\n");
  CHECK(f.witness.show(log.at(9)).answer == WitnessAnswer::larger);
  std::filesystem::remove(f.path);
  CHECK(f.witness.show(log.at(9)).answer == WitnessAnswer::larger);
  CHECK(f.witness.show(log.at(20)).answer == WitnessAnswer::taken);
  CHECK(f.text() == log.note(20) + "\n");
}

TEST_CASE("after a note that was torn the next one is whole") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  f.folder.write("notes", log.note(3) + "\n" + log.note(5).substr(0, 40));
  CHECK(f.witness.show(log.at(9)).answer == WitnessAnswer::taken);
  const auto notes = split_notes(f.text());
  CHECK(notes.front() == log.note(3));
  CHECK(notes.back() == log.note(9));
}

TEST_CASE("a note that was damaged later is passed over") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  std::string damaged = log.note(20);
  damaged[damaged.find("20")] = '9';
  f.folder.write("notes", log.note(3) + "\n" + damaged + "\n");
  CHECK(f.witness.show(log.at(9)).answer == WitnessAnswer::taken);
}

TEST_CASE("what cannot be written to is silent and says why") {
  const Fixture f;
  const WitnessedLog log(f.signer, 20);
  FileWitness nowhere(f.folder / "missing/notes");
  const WitnessSays says = nowhere.show(log.at(9));
  CHECK(says.answer == WitnessAnswer::silent);
  CHECK(says.text.find("missing/notes: No such file") != std::string::npos);
  FileWitness folder(f.folder.path());
  CHECK(folder.show(log.at(9)).answer == WitnessAnswer::silent);
  FileWitness full("/dev/full");
  CHECK(full.show(log.at(9)).answer == WitnessAnswer::silent);
}

TEST_CASE("without a proof nothing is given") {
  Fixture f;
  const WitnessedLog log(f.signer, 20);
  f.witness.show(log.at(3));
  SignedLog later = log.at(9);
  later.prove = [](uint64_t, uint64_t) { return Result<MerkleProof>(Error{Errc::io, "no"}); };
  CHECK(f.witness.show(later).answer == WitnessAnswer::silent);
  CHECK(split_notes(f.text()).size() == 1);
}
