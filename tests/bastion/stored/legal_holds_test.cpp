// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/legal_holds.h"

#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <filesystem>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

const RecordingName kRecording{*Id::from_hex(std::string(32, 'a')), 3};

}  // namespace

TEST_CASE("legal hold: a second reason is refused with the first one, and what to do") {
  const TestFolder folder;
  auto holds = LegalHolds::open(folder / "holds");
  REQUIRE(holds);
  REQUIRE(holds->hold(kRecording, "case 12"));
  CHECK(holds->hold(kRecording, "case 12"));
  const Status second = holds->hold(kRecording, "case 13");
  REQUIRE_FALSE(second);
  const std::string id = recording_id(kRecording);
  CHECK(second.error().message ==
        id +
            " is held already, for the reason \"case 12\"; for another one: sallyportctl "
            "recordings release " +
            id + ", then hold it again");
  CHECK(*holds->reason_of(kRecording) == "case 12");
  REQUIRE(holds->release(kRecording));
  CHECK_FALSE(holds->reason_of(kRecording));
  REQUIRE(holds->hold(kRecording, "case 13"));
  CHECK(*holds->reason_of(kRecording) == "case 13");
}

TEST_CASE("legal hold: what cannot be written is not held, and that is said") {
  const TestFolder folder;
  auto holds = LegalHolds::open(folder / "holds");
  REQUIRE(holds);
  std::filesystem::remove(folder / "holds");
  const Status held = holds->hold(kRecording, "case 12");
  REQUIRE_FALSE(held);
  CHECK(held.error().message.starts_with(recording_id(kRecording) +
                                         " is not held, as a hold needs a file: "));
  CHECK_FALSE(holds->is_held(kRecording));
}
