// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/log_entry.h"

#include "shared/base/hex.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

const std::string kId = "00112233445566778899aabbccddeeff";
const std::string kHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const std::vector<std::string> kGood = {
    "1 0 start " + kId + "-0 " + kHash,
    "1 1700000000000 start " + kId + "-4294967295 " + kHash,
    "1 18446744073709551615 heads 0 " + kHash,
    "1 1700000000000 heads 18446744073709551615 " + kHash,
    "1 1700000000000 end " + kId + "-7 0 " + kHash + " closed",
    "1 1700000000000 end " + kId + "-7 18446744073709551615 " + kHash + " lost",
    "1 1700000000000 audit " + kHash,
    "1 1700000000000 erase " + kId + "-12 " + kHash,
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("an entry is read and written as it was") {
  for (const std::string& text : kGood) {
    INFO(text);
    const auto entry = parse_log_entry(text);
    REQUIRE(entry);
    CHECK(log_entry_text(*entry) == text);
    CHECK(*parse_log_entry(log_entry_text(*entry)) == *entry);
  }
  const auto end = parse_log_entry(kGood[4]);
  CHECK(end->kind == LogEntry::Kind::end);
  CHECK(end->time_ms == 1700000000000);
  CHECK(recording_id(end->recording) == kId + "-7");
  CHECK(end->count == 0);
  CHECK(to_hex(end->hash) == kHash);
  CHECK(end->reason == "closed");
}

TEST_CASE("every reason of an end, and no other word") {
  for (const char* reason :
       {"closed", "client", "target", "limit", "refused", "revoked", "killed", "failed", "lost"}) {
    CHECK(is_end_reason(reason));
    CHECK(parse_log_entry(replaced(kGood[4], "closed", reason)));
  }
  for (const char* reason : {"", "Closed", "closed ", "killed\n", "other"}) {
    CHECK(!is_end_reason(reason));
    CHECK(!parse_log_entry(replaced(kGood[4], "closed", reason)));
  }
}

TEST_CASE("an entry that is spelt otherwise is none") {
  for (const std::string& good : kGood) {
    for (const std::string& bad : {" " + good,
                                   good + " ",
                                   good + "\n",
                                   good + " more",
                                   "\t" + good,
                                   "x" + good,
                                   good.substr(1),
                                   good.substr(0, good.size() - 1),
                                   replaced(good, "1 ", "2 "),
                                   replaced(good, "1 ", "01 "),
                                   replaced(good, "1 ", "1  "),
                                   replaced(good, " ", "\t"),
                                   replaced(good, kHash, kHash.substr(1)),
                                   replaced(good, kHash, kHash + "0"),
                                   replaced(good, kHash, kHash + "00"),
                                   replaced(good, kHash, kHash.substr(2)),
                                   replaced(good, kHash, "E" + kHash.substr(1)),
                                   replaced(good, kHash, "g" + kHash.substr(1)),
                                   replaced(good, " " + kHash, ""),
                                   replaced(good, kHash, kHash + " " + kHash)}) {
      INFO(bad);
      const auto entry = parse_log_entry(bad);
      REQUIRE(!entry);
      CHECK(entry.error().code == Errc::corrupt);
    }
  }
}

TEST_CASE("a number has one spelling") {
  for (const std::string number : {"", "-1", "+1", "01", "00", "1.0", "0x1", "1e3", " 1", "x",
                                   "18446744073709551616", "99999999999999999999999999"}) {
    INFO(number);
    CHECK(!parse_log_entry("1 " + number + " audit " + kHash));
    CHECK(!parse_log_entry("1 5 heads " + number + " " + kHash));
    CHECK(!parse_log_entry("1 5 end " + kId + "-7 " + number + " " + kHash + " closed"));
  }
}

TEST_CASE("a recording has one name") {
  for (const std::string& id :
       {std::string(), std::string("-0"), kId, kId + "-", kId + "-00", kId + "-01", kId + "--1",
        kId + "-+1", kId + "-1x", kId + "-4294967296", kId.substr(1) + "-0", kId + "0-0",
        kId + "_0", replaced(kId, "aa", "AA") + "-0", replaced(kId, "00", "0g") + "-0",
        kId + "-0.brec"}) {
    INFO(id);
    for (const char* kind : {"start", "erase"}) {
      CHECK(!parse_log_entry("1 5 " + std::string(kind) + " " + id + " " + kHash));
    }
    CHECK(!parse_log_entry("1 5 end " + id + " 3 " + kHash + " closed"));
  }
}

TEST_CASE("a kind has its fields, not another's") {
  for (const std::string kind : {"", "Start", "begin", "starts", "0"}) {
    CHECK(!parse_log_entry("1 5 " + kind + " " + kHash));
  }
  for (const std::string& text :
       {"1 5 start " + kHash, "1 5 start " + kId + "-0 7 " + kHash, "1 5 heads " + kHash,
        "1 5 heads " + kId + "-0 " + kHash, "1 5 audit 7 " + kHash,
        "1 5 audit " + kId + "-0 " + kHash, "1 5 erase " + kHash,
        "1 5 end " + kId + "-0 " + kHash + " closed", "1 5 end " + kId + "-0 7 " + kHash,
        "1 5 end " + kId + "-0 7 closed " + kHash, "1 5 audit " + kHash + " closed",
        std::string("1 5 audit"), std::string("1 5"), std::string("1"), std::string(),
        std::string(" "), std::string(512, ' ')}) {
    INFO(text);
    CHECK(!parse_log_entry(text));
  }
}

TEST_CASE("the longest entry is far below the limit, and what is longer is none") {
  CHECK(log_entry_text(*parse_log_entry(kGood[5])).size() < 200);
  CHECK(!parse_log_entry(kGood[0] + std::string(kMaxLogEntryBytes, ' ')));
  CHECK(!parse_log_entry(std::string(10'000'000, '1')));
}

TEST_CASE("an error shows what is not an entry, in one printable line") {
  const auto entry = parse_log_entry("1 \x1b[2J \n" + std::string(1000, 'x'));
  REQUIRE(!entry);
  CHECK(entry.error().message.size() < 400);
  for (const char c : entry.error().message) {
    CHECK(static_cast<unsigned char>(c) >= ' ');
  }
}

TEST_CASE("a heads file is sorted, and read as it was written") {
  const auto name = [](const std::string& id) { return *parse_recording_id(id); };
  Sha256Digest hash{};
  hash[0] = 0xab;
  const std::vector<RecordingHead> heads = {
      {name(kId + "-10"), 7, hash}, {name(kId + "-2"), 8, hash}, {name(kId + "-1"), 9, {}}};
  const std::string text = heads_text(heads);
  CHECK(text == kId + "-1 9 " + to_hex(Sha256Digest{}) + "\n" + kId + "-10 7 " + to_hex(hash) +
                    "\n" + kId + "-2 8 " + to_hex(hash) + "\n");
  const auto read = parse_heads(text);
  REQUIRE(read);
  CHECK(*read == std::vector<RecordingHead>{heads[2], heads[0], heads[1]});
  CHECK(parse_heads("")->empty());
  CHECK(heads_text({}) == "");
}

TEST_CASE("a heads file that is spelt otherwise is none") {
  const std::string line = kId + "-1 9 " + kHash + "\n";
  const std::string next = kId + "-2 9 " + kHash + "\n";
  REQUIRE(parse_heads(line + next));
  for (const std::string& bad :
       {std::string("\n"), line + "\n", "\n" + line, line.substr(0, line.size() - 1),
        line + next.substr(0, next.size() - 1), next + line, line + line, line + "x\n",
        line + kId + "-1 10 " + kHash + "\n", replaced(line, " 9 ", " 09 "),
        replaced(line, " 9 ", "  9 "), replaced(line, " 9 ", " "), replaced(line, "\n", " \n"),
        replaced(line, "\n", "\r\n"), replaced(line, kHash, kHash.substr(2)),
        replaced(line, "-1", "-01"), replaced(line, kHash, kHash + " closed")}) {
    INFO(bad);
    const auto heads = parse_heads(bad);
    REQUIRE(!heads);
    CHECK(heads.error().code == Errc::corrupt);
  }
}
