// SPDX-License-Identifier: Apache-2.0
//
// keyd signs the node log's checkpoints: the messages, who may send them, and the thread.
#include "bastion/keyd/log_thread.h"
#include "tests/bastion/keyd/running_keyd.h"
#include "tests/shared/evidence/test_tree.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/stat.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr uid_t kSession = 61001;
constexpr uid_t kStored = 61002;
constexpr uid_t kStranger = 61003;

SignCheckpoint question(const TestTree& tree, uint64_t from, uint64_t size) {
  SignCheckpoint message{size, std::string(as_text(tree.root(size))), {}, ""};
  for (const Sha256Digest& hash : tree.consistency(from, size)) {
    message.proof.emplace_back(as_text(hash));
  }
  return message;
}

LogStateIs state_of(RunningKeyd& keyd) {
  REQUIRE(keyd.peer.send(LogState{}));
  return keyd.next<LogStateIs>();
}

CheckpointSigned answer_to(RunningKeyd& keyd, const SignCheckpoint& message) {
  REQUIRE(keyd.peer.send(message));
  return keyd.next<CheckpointSigned>();
}

}  // namespace

TEST_CASE("keyd signs the log, and says what it signed last") {
  RunningKeyd keyd;
  const TestTree tree(1000);
  const LogStateIs first = state_of(keyd);
  const auto verifier = parse_note_verifier(first.verifier);
  REQUIRE(verifier);
  CHECK(verifier->name == "sallyport/test");
  CHECK(first.note.empty());
  CHECK(first.text.empty());

  const auto signed_one = answer_to(keyd, question(tree, 0, 400));
  REQUIRE(signed_one.ok);
  CHECK(signed_one.text.empty());
  const auto checkpoint = open_checkpoint(signed_one.note, *verifier);
  REQUIRE(checkpoint);
  CHECK(*checkpoint == Checkpoint{"sallyport/test", 400, tree.root(400)});
  CHECK(state_of(keyd).note == signed_one.note);

  const auto rolled_back = answer_to(keyd, question(tree, 0, 399));
  CHECK(!rolled_back.ok);
  CHECK(rolled_back.note.empty());
  CHECK(rolled_back.text.find("rolled back") != std::string::npos);
  CHECK(answer_to(keyd, question(tree, 400, 1000)).ok);
}

TEST_CASE("questions about the log are answered in their order") {
  RunningKeyd keyd;
  const TestTree tree(40);
  for (uint64_t size = 1; size <= 40; ++size) {
    REQUIRE(keyd.peer.send(question(tree, size - 1, size)));
  }
  for (uint64_t size = 1; size <= 40; ++size) {
    const auto answer = keyd.next<CheckpointSigned>();
    REQUIRE(answer.ok);
    CHECK(parse_checkpoint(parse_note(answer.note)->text)->size == size);
  }
}

TEST_CASE("a root or a hash of another length is refused, and keyd goes on") {
  RunningKeyd keyd;
  const TestTree tree(10);
  REQUIRE(answer_to(keyd, question(tree, 0, 4)).ok);
  const SignCheckpoint good = question(tree, 4, 10);
  for (const std::string& bad : {std::string(), std::string(31, 'x'), std::string(33, 'x')}) {
    auto message = good;
    message.root = bad;
    CHECK(answer_to(keyd, message).text == "a hash of the log is 32 bytes");
    message = good;
    message.proof.back() = bad;
    CHECK(answer_to(keyd, message).text == "a hash of the log is 32 bytes");
  }
  CHECK(answer_to(keyd, good).ok);
}

TEST_CASE("a client that goes before its answer came takes nothing along") {
  RunningKeyd keyd;
  const TestTree tree(3);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(keyd.peer.send(question(tree, 0, 0)));
  }
  keyd.peer = Peer(std::move(*connect_peer(keyd.folder / "socket")));
  CHECK(answer_to(keyd, question(tree, 0, 3)).ok);
}

TEST_CASE("a state that is unreadable is told") {
  RunningKeyd keyd({}, [](const TestFolder& folder) {
    REQUIRE(LogSigner::open(folder.path(), SecretBytes(size_t{32}).span(), "sallyport/test"));
    write_text(folder / "log.state", "garbage");
  });
  const LogStateIs state = state_of(keyd);
  CHECK(parse_note_verifier(state.verifier));
  CHECK(state.note.empty());
  CHECK(state.text.find("log.state") != std::string::npos);
  const auto refused = answer_to(keyd, question(TestTree(3), 0, 3));
  CHECK(!refused.ok);
  CHECK(refused.text.find("log.state") != std::string::npos);
}

namespace {

// What a process of this user is answered; 0: it is hung up on.
template <class Message>
int answer_as(const RunningKeyd& keyd, uid_t user, const Message& message) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto socket = ::setuid(user) == 0 ? connect_peer(keyd.folder / "socket")
                                      : Result<UniqueFd>(errno_error("setuid"));
    if (!socket) {
      ::_exit(2);
    }
    Peer peer(std::move(*socket));
    const bool answered = peer.send(message) && receive_waiting(peer, 10'000);
    ::_exit(answered ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("stored alone has the log signed, and root may see the key") {
  if (::geteuid() != 0) {
    WARN("not root: not tested");
    return;
  }
  RunningKeyd keyd({kSession, kStored, kStranger});
  REQUIRE(::chmod(keyd.folder.path().c_str(), 0755) == 0);
  const SignCheckpoint sign = question(TestTree(3), 0, 3);
  CHECK(answer_as(keyd, kStored, sign) == 1);
  CHECK(answer_as(keyd, kStored, LogState{}) == 1);
  CHECK(answer_as(keyd, kStored, VaultList{}) == 0);
  CHECK(answer_as(keyd, kStored, AskSigner{}) == 0);
  CHECK(answer_as(keyd, 0, LogState{}) == 1);
  CHECK(answer_as(keyd, 0, sign) == 0);
  CHECK(answer_as(keyd, kSession, LogState{}) == 0);
  CHECK(answer_as(keyd, kSession, sign) == 0);
  CHECK(answer_as(keyd, kStranger, sign) == 1);  // keyd's own
  CHECK(answer_as(keyd, 61004, LogState{}) == 0);
}

TEST_CASE("while the disk is slow the loop goes on") {
  const TestFolder folder;
  EventLoop loop;
  LogThread thread(loop, std::move(*LogSigner::open(folder.path(), SecretBytes(size_t{32}).span(),
                                                    "sallyport/test")));
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd slow(ends[0]);
  const UniqueFd go_on(ends[1]);
  std::string told;
  REQUIRE(thread.submit([&](LogSigner&) -> LogThread::Completion {
    char byte = 0;
    const bool was_let = ::read(slow.get(), &byte, 1) == 1;
    return [&told, was_let] { told += was_let ? " slow" : " failed"; };
  }));
  REQUIRE(thread.submit([&](LogSigner&) -> LogThread::Completion {
    return [&] {
      told += " next";
      loop.stop();
    };
  }));
  loop.call_after(std::chrono::milliseconds(1), [&] {
    told += " loop";
    CHECK(::write(go_on.get(), "x", 1) == 1);
  });
  loop.run();
  CHECK(told == " loop slow next");
}

TEST_CASE("the log's thread takes so many questions and no more, and drops them at the end") {
  const TestFolder folder;
  EventLoop loop;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd slow(ends[0]);
  UniqueFd go_on(ends[1]);
  size_t taken = 0;
  {
    LogThread thread(loop, std::move(*LogSigner::open(folder.path(), SecretBytes(size_t{32}).span(),
                                                      "sallyport/test")));
    while (taken < 2 * LogThread::kMaxWaiting &&
           thread.submit([&](LogSigner&) -> LogThread::Completion {
             char byte = 0;
             const auto got = ::read(slow.get(), &byte, 1);
             return [got] { CHECK(got == 0); };
           })) {
      ++taken;
    }
    go_on.reset();
  }
  CHECK(taken >= LogThread::kMaxWaiting);
  CHECK(taken <= LogThread::kMaxWaiting + 1);
}
