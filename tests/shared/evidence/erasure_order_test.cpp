// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/erasure_order.h"

#include "shared/base/hex.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

#include <algorithm>
#include <functional>

using namespace sallyport;

namespace {

const std::string kId = "00112233445566778899aabbccddeeff";
const std::string kOther = "ff112233445566778899aabbccddee00";
const std::string kText =
    "sallyport erasure order 1\n"
    "node bastion-1\n"
    "made 1763719200000\n"
    "erase key\n"
    "reason GDPR request 4711\n"
    "recording " +
    kId +
    "-0\n"
    "recording " +
    kId +
    "-0k\n"
    "recording " +
    kId +
    "-2\n"
    "recording " +
    kId +
    "-10\n"
    "recording " +
    kOther + "-0\n";

RecordingName name(const std::string& id) {
  return *parse_recording_id(id);
}

ErasureOrder order() {
  return {"bastion-1",
          1763719200000,
          ErasureOrder::What::key,
          "GDPR request 4711",
          {name(kOther + "-0"), name(kId + "-10"), name(kId + "-0k"), name(kId + "-2"),
           name(kId + "-0")}};
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

template <class T>
void check_error(const Result<T>& result, Errc code, const std::string& part) {
  const Error error = result ? Error{Errc::internal, "it is good"} : result.error();
  INFO(error.message << " / " << part);
  CHECK(error.message.find(part) != std::string::npos);
  CHECK(error.code == code);
}

// Keys and what they sign.
struct World {
  TestFolder folder;

  std::string key(const std::string& options = "-t ed25519") const {
    return test::make_key(folder, options);
  }
  std::string sign(const std::string& key, const std::string& text = kText,
                   const std::string& where = std::string(kErasureNamespace)) const {
    return test::sign(folder, key, text, where);
  }
};

std::vector<uint8_t> blob_of(const std::string& key) {
  const std::string line = test::public_half(key);
  return *from_base64(line.substr(line.find(' ') + 1));
}

}  // namespace

TEST_CASE("an order of erasure is written and read", "[erasure_order]") {
  CHECK(*erasure_order_text(order()) == kText);
  const auto read = parse_erasure_order(kText);
  REQUIRE(read);
  CHECK(read->signers.empty());
  auto sorted = order();
  std::sort(sorted.recordings.begin(), sorted.recordings.end());
  CHECK(read->order == sorted);

  auto file = order();
  file.what = ErasureOrder::What::file;
  file.made_ms = 0;
  file.reason = "Löschung: \"Art. 17\" \\x41  ";
  file.recordings = {name(kId + "-4294967295")};
  const auto text = *erasure_order_text(file);
  CHECK(text.find("\nmade 0\nerase file\nreason Löschung: \"Art. 17\" \\x41  \n") !=
        std::string::npos);
  CHECK(parse_erasure_order(text)->order == file);
}

TEST_CASE("what is no order is not written", "[erasure_order]") {
  const auto why = [](const std::function<void(ErasureOrder&)>& change, const std::string& part) {
    auto changed = order();
    change(changed);
    check_error(erasure_order_text(changed), Errc::invalid, "an order of erasure " + part);
  };
  why([](auto& o) { o.node = ""; }, "for the node \"\", which is no node's name");
  why([](auto& o) { o.node = "a b"; }, "for the node \"a b\"");
  why([](auto& o) { o.node = "a\nmade 1"; }, "for the node \"a\\x0amade 1\"");
  why([](auto& o) { o.node = std::string(33, 'a'); }, "for the node \"aaa");
  why([](auto& o) { o.reason = ""; }, "needs a reason of 1 to 500 bytes");
  why([](auto& o) { o.reason = std::string(501, 'a'); }, "needs a reason of 1 to 500 bytes");
  for (const char* reason : {"a\nb", "a\x1b[2J", "a\t", "\xff", "a\xe2\x80\xae", "\xc0\x80"}) {
    why([&](auto& o) { o.reason = reason; }, "needs a reason of printable text on one line");
  }
  why([](auto& o) { o.recordings.clear(); }, "names 1 to 1000 recordings, not 0");
  why([](auto& o) { o.recordings.push_back(o.recordings[1]); },
      "has the recording " + kId + "-10 twice");
}

TEST_CASE("an order has a reason of 500 bytes and 1000 recordings at most", "[erasure_order]") {
  auto most = order();
  most.reason = std::string(498, 'a') + "\xc3\xa4";
  most.recordings.clear();
  for (uint32_t i = 0; i < kMaxErased; ++i) {
    most.recordings.push_back(
        {name(kId + "-0").session, 4294967295U - i, RecordingPart::keystrokes});
  }
  const auto text = erasure_order_text(most);
  REQUIRE(text);
  CHECK(parse_erasure_order(*text)->order.recordings.size() == kMaxErased);

  most.recordings.push_back(name(kId + "-0"));
  check_error(erasure_order_text(most), Errc::invalid, "names 1 to 1000 recordings, not 1001");
  const auto more = replaced(*text, "recording ", "recording " + kId + "-0\nrecording ");
  check_error(parse_erasure_order(more), Errc::invalid, "names 1 to 1000 recordings, not 1001");
}

TEST_CASE("an order that is spelt otherwise is none, and its line is named", "[erasure_order]") {
  const auto why = [](const std::string& what, const std::string& with, const std::string& part) {
    check_error(parse_erasure_order(replaced(kText, what, with)), Errc::corrupt,
                "not an order of erasure: " + part);
  };
  why("sallyport ", "Sallyport ", "line 1 should be \"sallyport erasure order 1\" and is \"Sally");
  why("order 1\n", "order 2\n", "line 1 should be");
  why("order 1\n", "order 1 \n", "line 1 should be");
  why("order 1\n", "order 1\r\n",
      "line 1 should be \"sallyport erasure order 1\" and is "
      "\"sallyport erasure order 1\\x0d\"");
  why("sally", "\nsally", "line 1 should be");
  why("node bastion-1\n", "", "line 2 should be \"node <name>\" and is \"made 1763719200000\"");
  why("node ", "node\t", "line 2 should be");
  why("node ", "nod ", "line 2 should be");
  why("node bastion-1\n", "node\n", "line 2 should be");
  for (const std::string made :
       {"", "01", "-1", "+1", "1.0", "0x1", " 1", "1 ", "18446744073709551616", "1763719200000Z"}) {
    why("1763719200000", made,
        "line 3 should be \"made <Unix milliseconds>\" and is \"made " + made + "\"");
  }
  for (const std::string what : {"", "Key", "key ", " key", "keys", "all", "key file"}) {
    why("erase key", "erase " + what, "line 4 should be \"erase key\" or \"erase file\" and is");
  }
  why("reason ", "because ", "line 5 should be \"reason <text>\"");
  why("reason GDPR request 4711", "reason", "line 5 should be");
  for (const std::string& id :
       std::vector<std::string>{"", " ", "0", kId, kId + "-", kId + "-01", kId + "-0K",
                                kId + "-4294967296", "A" + kId.substr(1) + "-0", kId + "-0.brec"}) {
    why(kId + "-0\n", id + "\n", "line 6 should be \"recording <session>-<channel>\" and is");
  }
  why("recording ", "Recording ", "line 6 should be");
  why("-10\n", "-10\nmore\n", "line 10 should be");
  why(kId + "-2", kOther + "-2", "the recording " + kId + "-10 is not in its place");
  why(kId + "-10", kId + "-1", "the recording " + kId + "-1 is not in its place");
}

TEST_CASE("an order of values that none has is named", "[erasure_order]") {
  const auto why = [](const std::string& what, const std::string& with, const std::string& part) {
    check_error(parse_erasure_order(replaced(kText, what, with)), Errc::invalid,
                "an order of erasure " + part);
  };
  why("bastion-1", "", "for the node \"\"");
  why("bastion-1", "bastion 1", "for the node \"bastion 1\"");
  why("bastion-1", " bastion-1", "for the node \" bastion-1\"");
  why("GDPR request 4711", "", "needs a reason of 1 to 500 bytes");
  why("GDPR", "\xe2\x80\xae", "needs a reason of printable text on one line, not \"\\u{202e} req");
  why("4711", "4711\r", "needs a reason of printable text");
  why(kId + "-2", kId + "-0k", "has the recording " + kId + "-0k twice");
  const auto none = kText.substr(0, kText.find("recording "));
  check_error(parse_erasure_order(none), Errc::invalid, "names 1 to 1000 recordings, not 0");
}

TEST_CASE("an order that was cut is refused", "[erasure_order]") {
  const World world;
  const auto whole = with_signatures(kText, {world.sign(world.key())});
  REQUIRE(parse_erasure_order(whole));
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto cut = parse_erasure_order(whole.substr(0, size));
    const bool at_end_of_recording =
        size <= kText.size() && size > 0 && whole[size - 1] == '\n' &&
        whole.substr(0, size).find("\nrecording ") != std::string::npos;
    INFO(size);
    CHECK(cut.has_value() == at_end_of_recording);  // then it is an order that nobody signed
  }
  check_error(parse_erasure_order(kText.substr(0, kText.size() - 1)), Errc::corrupt,
              "its last line has no end; it was cut");
  check_error(parse_erasure_order(whole.substr(0, whole.size() - 1)), Errc::corrupt,
              "its last line has no end; it was cut");
}

TEST_CASE("an order signed by every kind of key", "[erasure_order]") {
  const World world;
  std::vector<std::string> signatures;
  std::vector<std::vector<uint8_t>> keys;
  for (const char* kind : {"-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521",
                           "-t rsa -b 2048", "-t ed25519"}) {
    const auto key = world.key(kind);
    signatures.push_back(world.sign(key));
    keys.push_back(blob_of(key));
  }
  const auto bytes = with_signatures(kText, signatures);
  const auto read = parse_erasure_order(bytes);
  REQUIRE(read);
  CHECK(read->signers == keys);
  CHECK(*erasure_order_text(read->order) == kText);

  const auto one = with_signatures(kText, {signatures[0]});
  CHECK(one == kText + "\n" + signatures[0]);
  CHECK(with_signatures(one, {signatures.begin() + 1, signatures.end()}) == bytes);
  signatures[0] += "\n\n";
  signatures[1].pop_back();
  CHECK(with_signatures(kText, signatures) == bytes);
}

TEST_CASE("a signature that does not fit the order is refused", "[erasure_order]") {
  const World world;
  const auto first = world.sign(world.key());
  const auto key = world.key();
  const auto why = [&](const std::string& text, const std::string& signature,
                       const std::string& part) {
    check_error(parse_erasure_order(with_signatures(text, {first, signature})), Errc::denied,
                "signature 2: " + part);
  };
  REQUIRE(parse_erasure_order(with_signatures(kText, {first, world.sign(key)})));
  why(kText, world.sign(key, kText, "file"),
      "a signature for \"file\"; sign again with -n sallyport-erasure");
  why(kText, world.sign(key, kText + "\n"), "the signature is wrong");
  why(kText, world.sign(key, first), "the signature is wrong");

  const auto signature = world.sign(key);
  for (const auto& [what, with] :
       std::vector<std::pair<std::string, std::string>>{{"bastion-1", "bastion-2"},
                                                        {"1763719200000", "1763719200001"},
                                                        {"erase key", "erase file"},
                                                        {"4711", "4712"},
                                                        {kId + "-2", kId + "-3"},
                                                        {"recording " + kId + "-2\n", ""}}) {
    const auto changed = replaced(kText, what, with);
    check_error(parse_erasure_order(with_signatures(changed, {signature})), Errc::denied,
                "signature 1: the signature is wrong");
  }
}

TEST_CASE("a key signs an order once", "[erasure_order]") {
  const World world;
  for (const char* kind : {"-t ed25519", "-t ecdsa -b 256"}) {  // ECDSA signs otherwise each time
    const auto key = world.key(kind);
    const auto other = world.sign(world.key());
    check_error(
        parse_erasure_order(with_signatures(kText, {world.sign(key), other, world.sign(key)})),
        Errc::invalid, "signature 3: its key has signed already");
  }
}

TEST_CASE("an order has 16 signatures at most", "[erasure_order]") {
  const World world;
  std::vector<std::string> signatures;
  for (size_t i = 0; i <= kMaxOrderSignatures; ++i) {
    signatures.push_back(world.sign(world.key()));
  }
  check_error(parse_erasure_order(with_signatures(kText, signatures)), Errc::invalid,
              "has at most 16 signatures");
  signatures.pop_back();
  const auto read = parse_erasure_order(with_signatures(kText, signatures));
  REQUIRE(read);
  CHECK(read->signers.size() == 16);
}

TEST_CASE("below an order there are signatures and nothing else", "[erasure_order]") {
  const World world;
  const auto signature = world.sign(world.key());
  const auto other = world.sign(world.key());
  REQUIRE(parse_erasure_order(kText + "\n" + signature + "\n" + other));
  const std::string no_signature = "not an OpenSSH signature: ";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {kText + "\n", "signature 1: " + no_signature},
      {kText + "\n\n", "signature 1: " + no_signature},
      {kText + "\ngarbage\n", "signature 1: " + no_signature},
      {kText + "\n\n" + signature, "signature 1: " + no_signature},
      {kText + "\n" + kText, "signature 1: " + no_signature},
      {kText + "\n" + signature + "\n", "signature 2: " + no_signature},
      {kText + "\n" + signature + "more\n", "signature 1: " + no_signature},
      {kText + "\n" + signature + other, "signature 1: " + no_signature},
      {kText + "\n" + signature + "\n\n" + other, "signature 2: " + no_signature},
      {kText + "\n" + signature + "\n" + kText, "signature 2: " + no_signature},
      {kText + "\n" + signature + "\n" + other + "\n", "signature 3: " + no_signature},
      {kText + signature, "not an order of erasure: line 11 should be"},
      {signature + "\n" + kText, "not an order of erasure: line 1 should be"},
      {"\n" + kText, "not an order of erasure: line 1 should be"},
      {"\n\n" + kText, "not an order of erasure: line 1 should be"},
      {"\n", "not an order of erasure: line 1 should be"},
      {"", "not an order of erasure: its last line has no end"},
  };
  for (const auto& [bytes, part] : bad) {
    check_error(parse_erasure_order(bytes), Errc::corrupt, part);
  }
}

TEST_CASE("an order has 120 KiB at most", "[erasure_order]") {
  std::string most = kText + std::string(kMaxOrderBytes - kText.size() - 1, 'x') + "\n";
  check_error(parse_erasure_order(most), Errc::corrupt, "line 11 should be");
  check_error(parse_erasure_order(most.insert(0, 1, 'x')), Errc::corrupt,
              "not an order of erasure: larger than 120 KiB");
}

// docs/formats/log.md, "Orders of erasure".
TEST_CASE("stock tools check the signatures of an order", "[erasure_order]") {
  const World world;
  const auto alice = world.key("-t ed25519");
  const auto bob = world.key("-t rsa -b 2048");
  test::write_text(world.folder / "order",
                   with_signatures(kText, {world.sign(alice), world.sign(bob)}));
  test::write_text(world.folder / "allowed",
                   "alice " + test::public_half(alice) + "\nbob " + test::public_half(bob) + "\n");
  const auto shell = [&](const std::string& command) {
    test::run("cd " + world.folder.path() + " && " + command);
  };
  shell("awk -v RS= 'NR == 1' order >text && awk -v RS= 'NR == 3' order >sig");
  CHECK(test::read_text(world.folder / "text") == kText);
  shell("ssh-keygen -Y check-novalidate -n sallyport-erasure -s sig <text");
  const std::string verify = "ssh-keygen -Y verify -n sallyport-erasure -f allowed -s sig -I ";
  shell(verify + "bob <text");
  CHECK_THROWS(shell(verify + "alice <text"));
  CHECK_THROWS(shell(verify + "bob <order"));
}
