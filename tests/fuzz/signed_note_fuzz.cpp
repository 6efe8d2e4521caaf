// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a signed note, a checkpoint and a verifier's key: each has one spelling, and no note
// opens with the key of tests/data/evidence/vectors.txt but those that it has signed.
#include "shared/base/hex.h"
#include "shared/evidence/checkpoint.h"

#include <cstdlib>

using namespace sallyport;

namespace {

constexpr std::string_view kVerifier =
    "sallyport/test+fe5a9c50+AfFl4eX3wpDlLy7e8/urYMuudL/TJ0+OXuHeM0XJVKFm";
// The one text that this key has ever signed.
constexpr std::string_view kSigned =
    "sallyport/test\n"
    "130\n"
    "ue/l1Gxh6HmBEoD1HnNMcraHfcuFDlxpQJze0bk3y+o=\n";

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const NoteVerifier kKey = *parse_note_verifier(kVerifier);
  const std::string_view text = as_text({data, size});
  const auto note = parse_note(text);
  require(!note || note_text(*note) == text);
  const auto opened = open_checkpoint(text, kKey);
  require(!opened || checkpoint_text(*opened) == kSigned);

  const auto checkpoint = parse_checkpoint(text);
  require(!checkpoint || checkpoint_text(*checkpoint) == text);

  const auto verifier = parse_note_verifier(text);
  const std::string_view line = text.substr(0, text.find_last_not_of('\n') + 1);
  require(!verifier || (verifier->text() == line && is_note_name(verifier->name)));
  return 0;
}
