// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/checkpoint.h"

#include "shared/base/handle.h"
#include "shared/base/hex.h"
#include "tests/shared/evidence/vectors.h"
#include "tests/support/catch.h"

#include <openssl/evp.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

// Keys, text and signatures of the tests of golang.org/x/mod/sumdb/note.
const std::string kPeterKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const std::string kEnochKey = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const std::string kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
const std::string kPeterLine =
    "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const std::string kEnochLine =
    "\xe2\x80\x94 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/"
    "5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

NoteVerifier verifier_of(const std::string& text) {
  const auto verifier = parse_note_verifier(text);
  REQUIRE(verifier);
  return *verifier;
}

bool verifies(const std::string& bytes, const std::string& key) {
  const auto note = parse_note(bytes);
  return note && verify_note(*note, verifier_of(key));
}

std::string golden_note() {
  const auto bytes = *from_hex(vector_of("note"));
  return {bytes.begin(), bytes.end()};
}

// With the vectors' key.
Result<Ed25519Signature> sign(std::string_view message) {
  const auto seed = sha256(as_bytes("seed"));
  const Handle<EVP_PKEY, EVP_PKEY_free> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  Ed25519Signature signature{};
  size_t size = signature.size();
  REQUIRE(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, as_bytes(message).data(),
                         message.size()) == 1);
  return signature;
}

}  // namespace

TEST_CASE("notes of another implementation verify") {
  CHECK(verifies(kText + "\n" + kPeterLine, kPeterKey));
  CHECK(verifies(kText + "\n" + kEnochLine, kEnochKey));
  for (const std::string& key : {kPeterKey, kEnochKey}) {
    CHECK(verifies(kText + "\n" + kPeterLine + kEnochLine, key));
    CHECK(verifies(kText + "\n" + kEnochLine + kPeterLine, key));
    CHECK(verifier_of(key).text() == key);
  }
  CHECK(!verifies(kText + "\n" + kPeterLine, kEnochKey));
  CHECK(parse_note(kText + "\n" + kPeterLine + kEnochLine)->text == kText);
}

TEST_CASE("a note is written as another implementation writes it") {
  CHECK(note_text(*parse_note(kText + "\n" + kPeterLine + kEnochLine)) ==
        kText + "\n" + kPeterLine + kEnochLine);
  const NoteVerifier verifier = verifier_of(vector_of("verifier"));
  Checkpoint checkpoint{"sallyport/test", 130, {}};
  const auto root = *from_hex(vector_of("root 130"));
  std::copy(root.begin(), root.end(), checkpoint.root.begin());
  CHECK(*sign_checkpoint(checkpoint, verifier, sign) == golden_note());
  CHECK(*open_checkpoint(golden_note(), verifier) == checkpoint);
}

TEST_CASE("a note with any bit changed does not verify") {
  const std::string good = golden_note();
  const NoteVerifier verifier = verifier_of(vector_of("verifier"));
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      CHECK(!open_checkpoint(bad, verifier));
    }
    CHECK(!open_checkpoint(good.substr(0, i), verifier));
    CHECK(!open_checkpoint(good.substr(i + 1), verifier));
  }
}

TEST_CASE("what is no note is refused") {
  const std::string dash = "\xe2\x80\x94 ";
  const std::string start = kText + "\n";
  for (const std::string& bad : {
           std::string(),
           std::string("\n"),
           std::string("\n\n"),
           kText,
           start,
           kText + kPeterLine,
           start + kPeterLine.substr(0, kPeterLine.size() - 1),
           start + kPeterLine + "\n",
           start + kPeterLine + "Unexpected line.\n",
           start + "Unexpected line.\n" + kPeterLine,
           "\x01" + start + kPeterLine,
           "\t" + start + kPeterLine,
           "\r" + start + kPeterLine,
           std::string(1, '\0') + start + kPeterLine,
           "\xff" + start + kPeterLine,
           "\xc0\x80" + start + kPeterLine,
           start + dash + "Bad Name" + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + dash + "Bad+Name" + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + dash + "Bad\xc2\xa0Name" + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + dash + "Bad\xe2\x80\x83Name" + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + dash + "Bad\xe3\x80\x80Name" + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + dash + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + "- PeterNeumann" + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + "\xe2\x80\x94PeterNeumann" + kPeterLine.substr(kPeterLine.rfind(' ')),
           start + dash + "PeterNeumann\n",
           start + dash + "PeterNeumann \n",
           start + dash + "PeterNeumann x08gow==\n",
           start + dash + "PeterNeumann x08go/8=\n" + "x",
           start + dash + "PeterNeumann x08go/!=\n",
           start + dash + "PeterNeumann x08go/9=\n",
           start + dash + "PeterNeumann x08go/8\n",
           start + dash + "PeterNeumann  x08go/8=\n",
           start + dash + "PeterNeumann x08go/8= \n",
       }) {
    INFO(bad);
    CHECK(!parse_note(bad));
  }
  CHECK(parse_note(start + dash + "PeterNeumann x08go/8=\n"));  // a key id and a byte
}

TEST_CASE("a note has at most a hundred signatures and 64 KiB") {
  std::string many = kText + "\n";
  for (int i = 0; i < 100; ++i) {
    many += kPeterLine;
  }
  CHECK(verifies(many, kPeterKey));
  CHECK(!parse_note(many + kPeterLine));
  const std::string tail = "\n\n" + kPeterLine;
  CHECK(parse_note(std::string(kMaxNoteBytes - tail.size(), 'x') + tail));
  CHECK(!parse_note(std::string(kMaxNoteBytes - tail.size() + 1, 'x') + tail));
}

TEST_CASE("the text ends at the last blank line, and signatures of others are passed over") {
  const auto note = parse_note("\n\na\n\nb\n\n" + kPeterLine);
  REQUIRE(note);
  CHECK(note->text == "\n\na\n\nb\n");
  const NoteVerifier verifier = verifier_of(vector_of("verifier"));
  const std::string good = golden_note();
  CHECK(open_checkpoint(good + kPeterLine, verifier));
  const size_t signature = good.rfind("\n\n") + 2;
  CHECK(open_checkpoint(good.substr(0, signature) + kEnochLine + good.substr(signature), verifier));
  // The same name with another key, the same key id under another name: of others.
  std::string other_id = good.substr(signature);
  other_id[other_id.rfind(' ') + 1] = 'A';
  CHECK(open_checkpoint(good + other_id, verifier));
  CHECK(!open_checkpoint(good.substr(0, signature) + other_id, verifier));
  std::string other_name = good.substr(signature);
  other_name.insert(other_name.rfind(' '), "x");
  CHECK(open_checkpoint(good + other_name, verifier));
  CHECK(!open_checkpoint(good.substr(0, signature) + other_name, verifier));
}

TEST_CASE("one wrong signature that claims to be ours spoils the note") {
  const std::string good = golden_note();
  const NoteVerifier verifier = verifier_of(vector_of("verifier"));
  std::string wrong = good.substr(good.rfind("\n\n") + 2);
  char& digit = wrong[wrong.size() - 10];
  digit = digit == 'A' ? 'B' : 'A';
  const auto spoilt = open_checkpoint(good + wrong, verifier);
  REQUIRE(!spoilt);
  CHECK(spoilt.error().code == Errc::denied);
  CHECK(spoilt.error().message == "the signature of sallyport/test is wrong");
}

TEST_CASE("a checkpoint of another origin is not ours, though our key has signed it") {
  const NoteVerifier verifier = verifier_of(vector_of("verifier"));
  const auto note = sign_checkpoint({"sallyport/other", 0, sha256({})}, verifier, sign);
  const auto opened = open_checkpoint(*note, verifier);
  REQUIRE(!opened);
  CHECK(opened.error().message == "a checkpoint of another log, sallyport/other");
}

TEST_CASE("a checkpoint has one spelling") {
  const std::string root = to_base64(Sha256Digest{});
  const std::string good = "sallyport/x\n17\n" + root + "\n";
  REQUIRE(parse_checkpoint(good));
  CHECK(checkpoint_text(*parse_checkpoint(good)) == good);
  CHECK(parse_checkpoint("sallyport/x\n18446744073709551615\n" + root + "\n")->size ==
        ~uint64_t{0});
  CHECK(parse_checkpoint("sallyport/x\n0\n" + root + "\n"));
  for (const std::string& bad : {std::string(),
                                 std::string("\n\n\n"),
                                 "\n17\n" + root + "\n",
                                 good.substr(0, good.size() - 1),
                                 good + "\n",
                                 good + "extension\n",
                                 "sallyport/x\n017\n" + root + "\n",
                                 "sallyport/x\n-1\n" + root + "\n",
                                 "sallyport/x\n+1\n" + root + "\n",
                                 "sallyport/x\n1 \n" + root + "\n",
                                 "sallyport/x\n 1\n" + root + "\n",
                                 "sallyport/x\n\n" + root + "\n",
                                 "sallyport/x\n0x1\n" + root + "\n",
                                 "sallyport/x\n18446744073709551616\n" + root + "\n",
                                 std::string("sallyport/x\n17\n\n"),
                                 "sallyport/x\n17\n" + root.substr(4) + "\n",
                                 "sallyport/x\n17\nAAAA" + root + "\n",
                                 "sallyport/x\n17\n" + root.substr(0, root.size() - 2) + "B=\n",
                                 "sallyport/x\n17\n" + root + " \n",
                                 "sallyport/x\r\n17\r\n" + root + "\r\n"}) {
    INFO(bad);
    const auto parsed = parse_checkpoint(bad);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == Errc::corrupt);
  }
}

TEST_CASE("a verifier's key is taken whole or not at all") {
  CHECK(verifier_of(kPeterKey + "\n").text() == kPeterKey);
  for (size_t begin = 0; begin <= kPeterKey.size(); ++begin) {
    for (size_t end = begin + 1; end <= kPeterKey.size(); ++end) {
      if (begin != 0 || end != kPeterKey.size()) {
        CHECK(!parse_note_verifier(kPeterKey.substr(begin, end - begin)));
      }
    }
  }
  for (size_t i = 0; i < kPeterKey.size(); ++i) {
    std::string bad = kPeterKey;
    ++bad[i];
    CHECK(!parse_note_verifier(bad));
  }
  // Of a wrong length, and of another algorithm; the key ids are theirs.
  CHECK(!parse_note_verifier(
      "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="));
  CHECK(!parse_note_verifier("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
  CHECK(!parse_note_verifier("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
  CHECK(parse_note_verifier("").error().message.find("sallyportctl log key") != std::string::npos);
}

TEST_CASE("a key's name has no space, no plus, and nothing that is not seen") {
  for (const char* good : {"a", "sallyport/node1", "example.com/log",
                           "n\xc3\xb6"
                           "de"}) {
    CHECK(is_note_name(good));
  }
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a+b"), std::string("a\nb"),
        std::string("a\tb"),
        std::string("a\xc2\xa0"
                    "b"),
        std::string("a\xe2\x80\xa8"
                    "b"),
        std::string("a\xe2\x80\x8b"
                    "b"),
        std::string("a\xe3\x80\x80"
                    "b"),
        std::string("a\xff"), std::string("a\0b", 3), std::string(256, 'a')}) {
    INFO(bad);
    CHECK(!is_note_name(bad));
  }
}
