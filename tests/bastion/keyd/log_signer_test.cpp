// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/log_signer.h"

#include "shared/crypto/sealed.h"
#include "tests/shared/evidence/test_tree.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace sallyport;
using namespace sallyport::test;

namespace {

const std::string kName = "sallyport/node1";

struct LogFolder : TestFolder {
  SecretBytes vault_key{size_t{32}};

  Result<LogSigner> open(const std::string& name = kName) const {
    return LogSigner::open(path(), vault_key.span(), name);
  }
  LogSigner opened() const {
    auto signer = open();
    REQUIRE(signer);
    return std::move(*signer);
  }
  std::string state() const { return read_text(*this / "log.state"); }
  void remove(const std::string& name) const { REQUIRE(::unlink((*this / name).c_str()) == 0); }
};

// What an honest stored asks.
LogSigner::Request request(const TestTree& tree, uint64_t from, uint64_t size,
                           std::string previous = "") {
  return {size, tree.root(size), tree.consistency(from, size), std::move(previous)};
}

bool is_signed(LogSigner& signer, const LogSigner::Request& request) {
  const auto note = signer.sign(request);
  if (!note) {
    return false;
  }
  const auto checkpoint = open_checkpoint(*note, signer.verifier());
  REQUIRE(checkpoint);
  CHECK(*checkpoint == Checkpoint{kName, request.size, request.root});
  CHECK(*signer.last_note() == (request.size == 0 ? "" : *note));
  return true;
}

std::string refusal(LogSigner& signer, const LogSigner::Request& request) {
  const auto note = signer.sign(request);
  return note ? "it signed" : note.error().message;
}

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the log's key is made once, sealed, and is the same after a restart") {
  const LogFolder folder;
  const NoteVerifier verifier = folder.opened().verifier();
  CHECK(verifier.name == kName);
  CHECK(*parse_note_verifier(verifier.text()) == verifier);
  CHECK(folder.opened().verifier() == verifier);
  const std::string sealed = read_text(folder / "log.key");
  CHECK(sealed.size() == kSealedOverhead + 32);
  CHECK(open_sealed(folder.vault_key.span(), "log key", as_bytes(sealed)));
  struct stat info {};
  for (const char* file : {"log.key", "log.state"}) {
    REQUIRE(::stat((folder / file).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
  const LogFolder other;
  CHECK(!(other.opened().verifier() == verifier));
}

TEST_CASE("nothing was signed at first") {
  const LogFolder folder;
  LogSigner signer = folder.opened();
  CHECK(*signer.last_note() == "");
  CHECK(*folder.opened().last_note() == "");
}

TEST_CASE("a log that grows is signed, and the state survives") {
  const LogFolder folder;
  const TestTree tree(100);
  uint64_t last = 0;
  for (const uint64_t size : {0U, 1U, 2U, 3U, 7U, 8U, 64U, 65U, 100U}) {
    LogSigner signer = folder.opened();
    CHECK(is_signed(signer, request(tree, last, size)));
    CHECK(is_signed(signer, request(tree, size, size)));
    last = size;
  }
  LogSigner signer = folder.opened();
  CHECK(*signer.last_note() == folder.state());
  CHECK(is_signed(signer, request(tree, 100, 100)));
}

TEST_CASE("a log that was rolled back is not signed") {
  const LogFolder folder;
  const TestTree tree(20);
  LogSigner signer = folder.opened();
  REQUIRE(is_signed(signer, request(tree, 0, 20)));
  const std::string before = folder.state();
  for (uint64_t size = 0; size < 20; ++size) {
    CHECK(has(refusal(signer, {size, tree.root(size), {}, ""}), "rolled back"));
    CHECK(has(refusal(signer, {size, tree.root(size), tree.consistency(size, 20), ""}),
              "rolled back"));
  }
  CHECK(folder.state() == before);
}

TEST_CASE("a forked log is not signed") {
  const LogFolder folder;
  const TestTree tree(20);
  const TestTree fork(40, "other");
  LogSigner signer = folder.opened();
  REQUIRE(is_signed(signer, request(tree, 0, 20)));
  const std::string before = folder.state();
  for (uint64_t size = 20; size <= 40; ++size) {
    CHECK(has(refusal(signer, request(fork, 20, size)), "does not continue"));
    CHECK(has(refusal(signer, {size, fork.root(size), {}, ""}), "does not continue"));
  }
  CHECK(folder.state() == before);
  LogSigner reopened = folder.opened();
  CHECK(has(refusal(reopened, request(fork, 20, 40)), "does not continue"));
}

TEST_CASE("a proof with a byte changed, a hash less or a hash more is none") {
  const LogFolder folder;
  const TestTree tree(50);
  LogSigner signer = folder.opened();
  REQUIRE(is_signed(signer, request(tree, 0, 21)));
  const auto good = request(tree, 21, 50);
  for (size_t i = 0; i < good.proof.size(); ++i) {
    auto bad = good;
    bad.proof[i][7] ^= 1;
    CHECK(has(refusal(signer, bad), "does not continue"));
    bad = good;
    bad.proof.erase(bad.proof.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(has(refusal(signer, bad), "does not continue"));
    bad = good;
    bad.proof.insert(bad.proof.begin() + static_cast<std::ptrdiff_t>(i), Sha256Digest{});
    CHECK(has(refusal(signer, bad), "does not continue"));
  }
  auto long_one = good;
  long_one.proof.resize(4096);
  CHECK(has(refusal(signer, long_one), "does not continue"));
  auto other_root = good;
  other_root.root[0] ^= 1;
  CHECK(has(refusal(signer, other_root), "does not continue"));
  CHECK(is_signed(signer, good));
}

TEST_CASE("the empty log has one root") {
  const LogFolder folder;
  LogSigner signer = folder.opened();
  CHECK(has(refusal(signer, {0, leaf_hash({}), {}, ""}), "does not continue"));
  CHECK(is_signed(signer, {0, empty_tree_root(), {}, ""}));
}

TEST_CASE("without its state keyd takes the last checkpoint that stored has, of its key") {
  const LogFolder folder;
  const LogFolder stranger;
  const TestTree tree(30);
  LogSigner first = folder.opened();
  LogSigner other = stranger.opened();
  const std::string early = *first.sign(request(tree, 0, 10));
  const std::string foreign = *other.sign(request(tree, 0, 10));
  folder.remove("log.state");

  LogSigner signer = folder.opened();
  CHECK(has(signer.last_note().error().message, "log.state is missing"));
  for (const std::string& previous : {std::string(), foreign, early + "x", early.substr(1)}) {
    CHECK(has(refusal(signer, request(tree, 10, 30, previous)), "log.state is missing"));
    CHECK(has(refusal(signer, request(tree, 0, 30, previous)), "log.state is missing"));
  }
  CHECK(has(refusal(signer, request(tree, 10, 10)), "log.state is missing"));
  CHECK(has(refusal(signer, {5, tree.root(5), {}, early}), "rolled back"));
  CHECK(has(refusal(signer, {30, tree.root(30), {}, early}), "does not continue"));
  CHECK(folder.state().empty());
  CHECK(is_signed(signer, request(tree, 10, 30, early)));
  LogSigner reopened = folder.opened();
  CHECK(has(refusal(reopened, request(tree, 10, 20, early)), "rolled back"));
}

TEST_CASE("a newer checkpoint of this key counts, an older one or another's does not") {
  const LogFolder folder;
  const TestTree tree(40);
  LogSigner signer = folder.opened();
  const std::string early = *signer.sign(request(tree, 0, 10));
  const std::string late = *signer.sign(request(tree, 10, 30));
  CHECK(has(refusal(signer, request(tree, 10, 20, early)), "rolled back"));
  CHECK(has(refusal(signer, request(tree, 10, 40, early)), "does not continue"));

  write_text(folder / "log.state", early);  // keyd's folder comes from a backup
  LogSigner restored = folder.opened();
  CHECK(has(refusal(restored, request(tree, 10, 20, late)), "rolled back"));
  CHECK(is_signed(restored, request(tree, 30, 40, late)));
}

TEST_CASE("a state that was tampered with stops the signing until it is good again") {
  const LogFolder folder;
  const TestTree tree(30);
  LogSigner first = folder.opened();
  const std::string good = *first.sign(request(tree, 0, 10));
  std::vector<std::string> bad = {"",
                                  "garbage\n",
                                  good + "\n",
                                  good + good,
                                  good.substr(0, good.size() - 1),
                                  std::string(40'000, 'x')};
  for (size_t i = 0; i < good.size(); ++i) {
    bad.push_back(good);
    bad.back()[i] = static_cast<char>(good[i] ^ 1);
  }
  for (const std::string& state : bad) {
    INFO(state.substr(0, 300));
    write_text(folder / "log.state", state);
    LogSigner signer = folder.opened();
    CHECK(!signer.last_note());
    CHECK(has(refusal(signer, request(tree, 10, 30, good)), "log.state"));
    CHECK(folder.state() == state);
    write_text(folder / "log.state", good);
    CHECK(is_signed(signer, request(tree, 10, 20, good)));
  }
}

TEST_CASE("a key file of another vault key, damaged or missing is an error, and stays") {
  LogFolder folder;
  LogSigner signer = folder.opened();
  const std::string good = read_text(folder / "log.key");
  REQUIRE(is_signed(signer, request(TestTree(3), 0, 3)));

  folder.vault_key.span()[0] ^= 1;
  CHECK(has(folder.open().error().message, "log.key: damaged, or sealed with another vault key"));
  folder.vault_key.span()[0] ^= 1;
  for (const std::string& bad : {std::string(), good.substr(1), good + "x", std::string(72, 'x')}) {
    write_text(folder / "log.key", bad);
    CHECK(has(folder.open().error().message, "log.key: damaged"));
    CHECK(read_text(folder / "log.key") == bad);
  }
  folder.remove("log.key");
  const std::string state = folder.state();
  CHECK(has(folder.open().error().message, "log.key is missing"));
  CHECK(folder.state() == state);
  write_text(folder / "log.state", "garbage");
  CHECK(has(folder.open().error().message, "log.key is missing"));
  write_text(folder / "log.state", state);
  write_text(folder / "log.key", good);
  CHECK(folder.opened().verifier() == signer.verifier());
}

TEST_CASE("a first start that was cut short between its two files is begun again") {
  const LogFolder folder;
  const NoteVerifier lost = folder.opened().verifier();
  folder.remove("log.key");
  LogSigner signer = folder.opened();
  CHECK(!(signer.verifier() == lost));
  CHECK(is_signed(signer, request(TestTree(5), 0, 5)));
}

TEST_CASE("a renamed node is told what to do") {
  const LogFolder folder;
  LogSigner signer = folder.opened();
  REQUIRE(is_signed(signer, request(TestTree(3), 0, 3)));
  auto renamed = folder.open("sallyport/node2");
  REQUIRE(renamed);
  CHECK(has(refusal(*renamed, request(TestTree(5), 3, 5)), "give it its old name back"));
}

TEST_CASE("a signature that cannot be noted is not given") {
  const LogFolder folder;
  const TestTree tree(9);
  LogSigner signer = folder.opened();
  REQUIRE(is_signed(signer, request(tree, 0, 3)));
  REQUIRE(::mkdir((folder / "log.state.new").c_str(), 0700) == 0);
  CHECK(has(refusal(signer, request(tree, 3, 9)), "log.state"));
  CHECK(is_signed(signer, request(tree, 3, 3)));
  REQUIRE(::rmdir((folder / "log.state.new").c_str()) == 0);
  CHECK(is_signed(signer, request(tree, 3, 9)));
}

namespace {

// Signs one tree after the other and writes each size to `out`, until it is killed.
[[noreturn]] void sign_on(const LogFolder& folder, uint64_t from, int out) {
  auto signer = folder.open();
  const TestTree tree(from + 200);
  for (uint64_t size = from + 1; signer && size <= tree.size(); ++size) {
    if (!signer->sign(request(tree, size - 1, size)) ||
        ::write(out, &size, sizeof size) != sizeof size) {
      break;
    }
  }
  ::_exit(1);
}

}  // namespace

TEST_CASE("killed at any moment, what was signed is known") {
  const LogFolder folder;
  folder.opened();
  uint64_t last = 0;
  for (int round = 0; round < 30; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      sign_on(folder, last, ends[1]);
    }
    ::close(ends[1]);
    uint64_t told = last;
    for (int i = 0; i < round % 7; ++i) {
      REQUIRE(::read(ends[0], &told, sizeof told) == sizeof told);
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    while (::read(ends[0], &told, sizeof told) > 0) {
    }
    ::close(ends[0]);
    LogSigner signer = folder.opened();
    const auto note = signer.last_note();
    REQUIRE(note);
    last = note->empty() ? 0 : open_checkpoint(*note, signer.verifier())->size;
    REQUIRE(last >= told);
    REQUIRE(last <= told + 1);
  }
}
