// SPDX-License-Identifier: Apache-2.0
#include "player/verify/chain_marks.h"
#include "player/verify/log_check.h"
#include "player/verify/log_proof.h"
#include "player/verify/ustar.h"
#include "shared/base/hex.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

using namespace sallyport;

namespace {

Result<std::vector<TarMember>> members_of(const std::string& archive) {
  MemorySource source({archive.begin(), archive.end()});
  return read_ustar(source);
}

std::string member(const std::string& name, const std::string& bytes) {
  return ustar_header(name, bytes.size()) + bytes + std::string(ustar_padding(bytes.size()), '\0');
}

Sha256Digest digest(const std::string& text) {
  return sha256(as_bytes(text));
}

}  // namespace

TEST_CASE("ustar: members are found where they lie") {
  const auto read = members_of(member("a", "one") + member("b.txt", std::string(512, 'x')) +
                               member("empty", "") + ustar_end());
  REQUIRE(read);
  REQUIRE(read->size() == 3);
  CHECK((*read)[0].offset == 512);
  CHECK((*read)[0].size == 3);
  CHECK((*read)[1].name == "b.txt");
  CHECK((*read)[1].offset == 3 * 512);
  CHECK((*read)[2].size == 0);
}

TEST_CASE("ustar: what an export does not write is refused") {
  const std::string good = member("a", "one") + ustar_end();
  CHECK(members_of(good));
  for (size_t length = 0; length < good.size(); ++length) {
    CHECK_FALSE(members_of(good.substr(0, length)));
  }
  for (size_t place = 0; place < 512; ++place) {
    std::string changed = good;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    const auto read = members_of(changed);
    CHECK_FALSE((read && (*read)[0].name == "a"));
  }
  CHECK_FALSE(members_of(good + std::string(512, '\0')));
  CHECK_FALSE(members_of(member("a", "one") + member("a", "two") + ustar_end()));
  CHECK_FALSE(members_of(member("../a", "one") + ustar_end()));
  CHECK_FALSE(members_of(ustar_header("a", kUstarMaxBytes) + ustar_end()));
}

TEST_CASE("ustar: a part of a source ends where the part ends") {
  SubSource part(std::make_unique<MemorySource>(std::vector<uint8_t>{1, 2, 3, 4, 5}), 1, 3);
  std::vector<uint8_t> bytes(9);
  CHECK(*part.read_at(0, bytes) == 3);
  CHECK(bytes[0] == 2);
  CHECK(*part.read_at(2, bytes) == 1);
  CHECK(bytes[0] == 4);
  CHECK(*part.read_at(3, bytes) == 0);
}

TEST_CASE("log proof: what is written is read") {
  const LogProof proof{7, {digest("a"), digest("b")}, "origin\n8\nroot\n\n- signed\n"};
  const auto read = parse_log_proof(log_proof_text(proof));
  REQUIRE(read);
  CHECK(read->index == 7);
  CHECK(read->hashes == proof.hashes);
  CHECK(read->checkpoint == proof.checkpoint);
}

TEST_CASE("log proof: what is none is refused") {
  const std::string start = "c2sp.org/tlog-proof@v1\n";
  for (const char* rest : {"", "index \n\nx\n", "index 1x\n\nx\n", "index -1\n\nx\n", "index 1\n",
                           "index 1\nAAAA\n\nx\n", "index 1\nnot base64\n\nx\n"}) {
    CHECK_FALSE(parse_log_proof(start + rest));
  }
  CHECK_FALSE(parse_log_proof("c2sp.org/tlog-proof@v2\nindex 1\n\nx\n"));
  CHECK(parse_log_proof(start + "index 1\n\nx\n"));
}

TEST_CASE("kept checkpoints: a file has one note after the other") {
  const TestFolder folder;
  const std::string sign = "\xe2\x80\x94 log AAAAAAA=\n";
  const std::string file =
      folder.write("kept", "\n\nlog\n1\nAA\n\n" + sign + sign + "log\n2\nBB\n\n" + sign + "\n\n");
  const auto kept = read_kept_checkpoints({file});
  REQUIRE(kept);
  REQUIRE(kept->size() == 2);
  CHECK((*kept)[0].note == "log\n1\nAA\n\n" + sign + sign);
  CHECK((*kept)[1].note == "log\n2\nBB\n\n" + sign);
  CHECK_FALSE(read_kept_checkpoints({folder.write("empty", "\n")}));
  CHECK_FALSE(read_kept_checkpoints({folder / "missing"}));
}

TEST_CASE("chain marks: logged heads are compared at their number of frames") {
  LoggedRecording logged;
  logged.heads = {{1, 2, digest("2")}, {2, 2, digest("2")}, {3, 4, digest("4")}};
  logged.end = LoggedRecording::End{{4, 0}, 6, digest("6"), "closed"};
  ChainMarks marks(&logged);
  for (uint64_t frames = 0; frames <= 5; ++frames) {
    marks.watch(frames, digest(frames == 4 ? "other" : std::to_string(frames)));
  }
  CHECK(marks.matched() == 2);
  CHECK(marks.last_match()->frames == 2);
  CHECK(marks.mismatch()->frames == 4);
  CHECK(marks.beyond(5)->frames == 6);
  CHECK_FALSE(marks.beyond(6));
}
