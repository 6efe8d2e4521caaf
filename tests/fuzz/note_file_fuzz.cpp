// SPDX-License-Identifier: Apache-2.0
//
// Any text as a file of notes, a line of syslog and a witness's key. Each note that comes out of a
// file comes out of its own text again, alone.
#include "shared/base/hex.h"
#include "shared/evidence/cosignature.h"
#include "shared/evidence/note_file.h"

#include <cstdlib>

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text({data, size});
  for (const std::string& note : split_notes(text)) {
    const auto again = split_notes(note);
    if (!parse_note(note) || again.size() != 1 || again.front() != note) {
      std::abort();
    }
    if (const auto line = checkpoint_line(note); line && !note_of_line(*line)) {
      std::abort();
    }
  }
  if (const auto verifier = parse_cosignature_verifier(text); verifier) {
    if (verifier->text() != text) {
      std::abort();
    }
  }
  return 0;
}
