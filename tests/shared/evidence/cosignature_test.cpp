// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/cosignature.h"

#include "tests/shared/evidence/note_signer.h"
#include "tests/support/catch.h"

using namespace sallyport;
using namespace sallyport::test;

TEST_CASE("a cosignature verifies, and says when") {
  const NoteSigner log;
  const Cosigner witness;
  const Note note = witness.cosigned(log.note(7), 1'679'315'147);
  const auto time = verify_cosignature(note, witness.verifier());
  REQUIRE(time);
  CHECK(*time == 1'679'315'147);
  CHECK(verify_note(note, log.verifier()));
  const auto again = parse_note(note_text(note));
  REQUIRE(again);
  CHECK(verify_cosignature(*again, witness.verifier()));
}

TEST_CASE("what a witness signs is the specification's message") {
  const Note note{"example.com/log\n7\nAAAA\n", {}};
  CHECK(cosigned_message(note, 1'679'315'147) ==
        "cosignature/v1\ntime 1679315147\nexample.com/log\n7\nAAAA\n");
}

TEST_CASE("a cosignature of another note, time or key is refused") {
  const NoteSigner log;
  const Cosigner witness;
  const Note note = witness.cosigned(log.note(7), 1'679'315'147);

  Note other = note;
  other.text = checkpoint_text({log.verifier().name, 8, {}});
  CHECK_FALSE(verify_cosignature(other, witness.verifier()));
  Note later = note;
  later.signatures.back().signature[7] ^= 1;
  CHECK_FALSE(verify_cosignature(later, witness.verifier()));
  Note timeless = witness.cosigned(log.note(7), 0);
  CHECK_FALSE(verify_cosignature(timeless, witness.verifier()));
  Note cut = note;
  cut.signatures.back().signature.resize(5);
  CHECK_FALSE(verify_cosignature(cut, witness.verifier()));
  CHECK_FALSE(verify_cosignature(note, Cosigner().verifier()));
  CHECK_FALSE(verify_cosignature(*parse_note(log.note(7)), witness.verifier()));
}

TEST_CASE("a witness's key survives its text, and no other text is one") {
  const Cosigner witness;
  const std::string text = witness.verifier().text();
  const auto back = parse_cosignature_verifier(text);
  REQUIRE(back);
  CHECK(*back == witness.verifier());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == '0' ? '1' : '0';
    INFO(wrong);
    CHECK_FALSE(parse_cosignature_verifier(wrong));
    CHECK_FALSE(parse_cosignature_verifier(text.substr(0, i)));
  }
  const NoteSigner log;
  CHECK_FALSE(parse_cosignature_verifier(log.verifier().text()));
  CHECK_FALSE(parse_note_verifier(text));
}
