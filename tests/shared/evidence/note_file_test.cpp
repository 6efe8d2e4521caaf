// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/note_file.h"

#include "tests/shared/evidence/note_signer.h"
#include "tests/support/catch.h"

using namespace sallyport;
using namespace sallyport::test;

using Notes = std::vector<std::string>;

TEST_CASE("notes come out of a file as they went in") {
  const NoteSigner log;
  const std::string first = log.note(1);
  const std::string second = note_text(Cosigner().cosigned(log.note(2), 1'700'000'000));
  CHECK(split_notes(first) == Notes{first});
  CHECK(split_notes(first + "\n" + second + "\n") == Notes{first, second});
  CHECK(split_notes("\n\n" + first + "\n\n\n" + second) == Notes{first, second});
  CHECK(split_notes(first + second) == Notes{first, second});
  CHECK(split_notes("").empty());
}

TEST_CASE("a file that was cut anywhere loses one note at most") {
  const NoteSigner log;
  const Notes all = {log.note(1), log.note(2), log.note(3)};
  const std::string last = all[2] + "\n";
  for (size_t kept = 0; kept < all[1].size() - 1; ++kept) {
    const std::string torn = all[0] + "\n" + all[1].substr(0, kept) + "\n\n" + last;
    INFO(kept);
    auto notes = split_notes(torn);
    CHECK(notes.front() == all[0]);
    CHECK(notes.back() == all[2]);
    CHECK((notes.size() == 2 || (notes.size() == 3 && !open_checkpoint(notes[1], log.verifier()))));
  }
}

TEST_CASE("what is no note is passed over") {
  const NoteSigner log;
  const std::string note = log.note(5);
  CHECK(split_notes("# checkpoints\n\n" + note) == Notes{note});
  CHECK(split_notes("\xe2\x80\x94 name AAAAAAAA\n\n" + note) == Notes{note});
  CHECK(split_notes(note + "\nrubbish\n\n\xe2\x80\x94 rubbish\n") == Notes{note});
}

TEST_CASE("a checkpoint goes through a line of syslog") {
  const NoteSigner log;
  const std::string note = log.note(1'234'567);
  const auto line = checkpoint_line(note);
  REQUIRE(line);
  CHECK(line->find('\n') == std::string::npos);
  const std::string logged = "Nov 22 11:08:00 bastion sallyport-witness[7]: " + *line;
  CHECK(note_of_line(logged) == note);
  CHECK(split_notes("Nov 22 11:07:00 bastion sshd[1]: hello\n" + logged + "\r\n" + logged + "\n") ==
        Notes{note, note});
}

TEST_CASE("a cosigned note is a line with the log's signature alone") {
  const NoteSigner log;
  const std::string note = log.note(9);
  const auto line = checkpoint_line(note_text(Cosigner().cosigned(note, 1'700'000'000)));
  REQUIRE(line);
  CHECK(note_of_line(*line) == note);
  Note foreign = *parse_note(note);
  foreign.signatures.front().name = "somebody";
  CHECK_FALSE(checkpoint_line(note_text(foreign)));
}

TEST_CASE("a line that is cut anywhere is no checkpoint that verifies") {
  const NoteSigner log;
  const std::string line = *checkpoint_line(log.note(9));
  for (size_t kept = 0; kept < line.size(); ++kept) {
    const auto note = note_of_line(line.substr(0, kept));
    INFO(kept);
    CHECK((!note || !open_checkpoint(*note, log.verifier())));
  }
}
