// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "shared/recording/verify.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <fstream>
#include <iterator>

using namespace sallyport;

// A recording that was written once and lies in the repository. When this test fails, a file that
// somebody keeps can no longer be read: the format needs a new version, not a new golden file.
namespace {

std::string read_data(const std::string& name) {
  std::ifstream in(SALLYPORT_TEST_DATA "/recording/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("recording: the golden file reads as it did on the day it was made") {
  const std::string file = read_data("00112233445566778899aabbccddeeff-7.brec");
  const auto identities = parse_age_identities(read_data("identity.txt"));
  REQUIRE(identities);
  const ReadBack got = read_back(std::vector<uint8_t>(file.begin(), file.end()), *identities);
  CHECK(got.error.empty());
  CHECK(got.ended);
  CHECK(got.text == read_data("expected.cast"));
  CHECK(got.head + "\n" == read_data("expected-head.txt"));
  std::string others;
  for (const RecordingFrame& frame : got.frames) {
    if (frame.type == FrameType::bytes || frame.type == FrameType::text ||
        frame.type == FrameType::screen) {
      others += std::to_string(frame.number) + " " + static_cast<char>(frame.type) + " " +
                std::to_string(frame.t_us) + " " + to_hex(as_bytes(frame.data)) + "\n";
    }
  }
  CHECK(others == read_data("expected-frames.txt"));
}
