// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/reader.h"

#include "shared/asciicast/writer.h"
#include "shared/base/hex.h"
#include "shared/crypto/age.h"
#include "shared/recording/envelope.h"
#include "shared/recording/facts.h"
#include "shared/recording/verify.h"
#include "tests/shared/crypto/age_tool.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <functional>

using namespace sallyport;

namespace {

// All the padding after the envelope.
bool is_zero_from(const std::vector<uint8_t>& file, size_t from, size_t to) {
  return std::all_of(file.begin() + static_cast<ssize_t>(from),
                     file.begin() + static_cast<ssize_t>(to), [](uint8_t b) { return b == 0; });
}

std::vector<uint8_t> joined(const std::vector<uint8_t>& file, const std::vector<size_t>& offsets,
                            const std::vector<size_t>& frames) {
  std::vector<uint8_t> out(file.begin(), file.begin() + static_cast<ssize_t>(offsets[0]));
  for (const size_t frame : frames) {
    out.insert(out.end(), file.begin() + static_cast<ssize_t>(offsets[frame]),
               file.begin() + static_cast<ssize_t>(offsets[frame + 1]));
  }
  return out;
}

}  // namespace

TEST_CASE("recording: every flipped byte is detected") {
  const auto file = sample_recording();
  const ReadBack whole = read_back(file);
  REQUIRE(whole.error.empty());
  for (size_t i = 0; i < file.size(); ++i) {
    auto changed = file;
    changed[i] ^= static_cast<uint8_t>(1u << (i % 8));
    INFO("byte " << i);
    const ReadBack got = read_back(changed);
    CHECK_FALSE(got.error.empty());
    CHECK(whole.text.starts_with(got.text));  // what was given out before is genuine
  }
}

TEST_CASE("recording: without a key every flipped byte but the envelope moves the chain's head") {
  const auto file = sample_recording();
  const auto whole = verify_recording(source_of(file), {});
  REQUIRE(whole);
  CHECK(whole->ended);
  CHECK_FALSE(whole->opened);
  const size_t envelope_end = 128 + whole->header.envelope.size();
  for (size_t i = 0; i < file.size(); ++i) {
    const bool outside = (i >= 12 && i < 16) || (i >= 128 && i < envelope_end);
    auto changed = file;
    changed[i] ^= 0x10;
    const auto got = verify_recording(source_of(changed), {});
    INFO("byte " << i);
    CHECK((outside || !got || got->head != whole->head || !got->ended));
  }
}

TEST_CASE("recording: a torn tail is fine, at every length") {
  const auto file = sample_recording();
  const ReadBack whole = read_back(file);
  const auto offsets = frame_offsets(file);
  const size_t end = offsets.back();  // after E; the trailer follows
  for (size_t length = offsets[0]; length < file.size(); ++length) {
    auto torn = file;
    torn.resize(length);
    INFO("length " << length);
    const ReadBack got = read_back(torn);
    CHECK(got.error.empty());
    CHECK(got.ended == (length >= end));
    const auto past = std::upper_bound(offsets.begin(), offsets.end(), length);
    CHECK(got.frames.size() == static_cast<size_t>(past - offsets.begin()) - 1);
    CHECK(whole.text.starts_with(got.text));
  }
  for (size_t length = 0; length < offsets[0]; ++length) {
    CHECK_FALSE(read_back(std::vector(file.begin(), file.begin() + static_cast<ssize_t>(length)))
                    .error.empty());
  }
}

TEST_CASE("recording: a tail of zeros is a power loss, other rubbish is not") {
  auto file = sample_recording();
  const auto offsets = frame_offsets(file);
  file.resize(offsets[4]);
  auto zeros = file;
  zeros.resize(file.size() + 200'000);
  CHECK(read_back(zeros).error.empty());
  CHECK(read_back(zeros).frames.size() == 4);
  zeros.back() = 1;
  CHECK(read_back(zeros).error.find("frame 4 at byte") != std::string::npos);
}

TEST_CASE("recording: zeros from anywhere to the end are a power loss") {
  const auto file = sample_recording();
  const ReadBack whole = read_back(file);
  const auto offsets = frame_offsets(file);
  for (size_t from = offsets[0]; from < file.size(); ++from) {
    auto torn = file;
    std::fill(torn.begin() + static_cast<ssize_t>(from), torn.end(), uint8_t{0});
    INFO("zero from " << from);
    const ReadBack got = read_back(torn);
    CHECK(got.error.empty());
    const auto past = std::upper_bound(offsets.begin(), offsets.end(), from);
    const auto kept = static_cast<size_t>(past - offsets.begin()) - 1;
    // A byte that was zero before is not lost.
    CHECK((got.frames.size() == kept || is_zero_from(file, from, offsets[kept + 1])));
    CHECK(got.ended == (got.frames.size() == whole.frames.size()));
    CHECK(whole.text.starts_with(got.text));
    CHECK(verify_recording(source_of(torn), {}));
  }
}

TEST_CASE("recording: a frame lost to zeros does not count, with a key or without") {
  auto file = sample_recording();
  const auto offsets = frame_offsets(file);
  file.resize(offsets[4]);
  const auto before = verify_recording(source_of(file), {});
  auto torn = sample_recording();
  std::copy(file.begin(), file.end(), torn.begin());
  std::fill(torn.begin() + static_cast<ssize_t>(offsets[4]) + 20, torn.end(), uint8_t{0});
  for (const auto& identities : {std::span<const AgeIdentity>(), std::span(test_identities())}) {
    const auto after = verify_recording(source_of(torn), identities);
    REQUIRE(after);
    CHECK(after->frames == 4);
    CHECK(after->head == before->head);
    CHECK_FALSE(after->ended);
  }
}

TEST_CASE("recording: zeros in the middle, with something after them, are a change") {
  const auto file = sample_recording();
  const auto offsets = frame_offsets(file);
  for (const size_t from : {offsets[1] + 3, offsets[1] + 30, offsets[2] - 1}) {
    auto changed = file;
    std::fill_n(changed.begin() + static_cast<ssize_t>(from), 40, uint8_t{0});
    INFO("zero from " << from);
    CHECK_FALSE(read_back(changed).error.empty());
  }
}

TEST_CASE("recording: swapped, doubled and missing frames are named") {
  const auto file = sample_recording();
  const auto offsets = frame_offsets(file);
  const auto error_of = [&](const std::vector<size_t>& frames) {
    return read_back(joined(file, offsets, frames)).error;
  };
  CHECK(error_of({0, 1, 2, 3}).empty());
  CHECK(error_of({0, 2, 1, 3}).find("frame 1 (D") != std::string::npos);
  CHECK(error_of({0, 1, 1, 2}).find("frame 2 (D") != std::string::npos);
  CHECK(error_of({0, 1, 3}).find("frame 2 (D") != std::string::npos);
  CHECK(error_of({1, 2, 3}).find("frame 0 (D") != std::string::npos);
}

TEST_CASE("recording: frames of another recording of the same session do not fit") {
  const auto one = sample_recording();
  const auto two = sample_recording();
  const auto one_at = frame_offsets(one);
  const auto two_at = frame_offsets(two);
  auto mixed = joined(one, one_at, {0});
  mixed.insert(mixed.end(), two.begin() + static_cast<ssize_t>(two_at[1]), two.end());
  CHECK_FALSE(read_back(mixed).error.empty());
}

TEST_CASE("recording: bytes after the end are refused, a missing trailer is not") {
  auto file = sample_recording();
  auto longer = file;
  longer.push_back(0);
  CHECK(read_back(longer).error.find("trailer") != std::string::npos);
  file.resize(file.size() - brec::kTrailerBytes);
  CHECK(read_back(file).ended);
}

TEST_CASE("recording: an error stays, and names the frame") {
  auto file = sample_recording();
  file[frame_offsets(file)[2] + 20] ^= 1;
  RecordingReader reader = open_reader(file);
  CHECK(reader.next());
  CHECK(reader.next());
  const auto bad = reader.next();
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::corrupt);
  CHECK(bad.error().message.find("frame 2 (D at byte") == 0);
  CHECK_FALSE(reader.next());
}

TEST_CASE("recording: another identity does not open it, each of two recipients does") {
  const AgeIdentity second = age_generate_identity();
  RecordingSetup setup = test_setup();
  setup.recipients.push_back(second.recipient());
  const MemoryFile file;
  REQUIRE(RecordingWriter::create(file.writing_end(), setup, kTestHeader));
  std::vector<AgeIdentity> seconds;
  seconds.push_back(AgeIdentity{SecretBytes(second.key.span())});
  CHECK(RecordingReader::open(source_of(file.bytes()), seconds));
  CHECK(RecordingReader::open(source_of(file.bytes()), test_identities()));
  std::vector<AgeIdentity> strangers;
  strangers.push_back(age_generate_identity());
  const auto denied = RecordingReader::open(source_of(file.bytes()), strangers);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code == Errc::denied);
}

TEST_CASE("recording: many recipients make the header larger") {
  RecordingSetup setup = test_setup();
  for (int i = 0; i < 20; ++i) {
    setup.recipients.push_back(age_generate_identity().recipient());
  }
  const MemoryFile file;
  REQUIRE(RecordingWriter::create(file.writing_end(), setup, kTestHeader));
  const RecordingReader reader = open_reader(file.bytes());
  CHECK(reader.header().size > brec::kMinHeaderBytes);
  CHECK(reader.header().size % 512 == 0);
}

TEST_CASE("recording: the header says session, channel, node and start without a key") {
  const auto walker = RecordingWalker::open(source_of(sample_recording()));
  REQUIRE(walker);
  CHECK(walker->header().session == test_setup().session);
  CHECK(walker->header().channel == 7);
  CHECK(walker->header().node == "bastion-1");
  CHECK(walker->header().start_ms == 1700000000123);
}

TEST_CASE("recording: the stock age opens the envelope, and it holds 32 bytes") {
  const TempDir dir;
  const auto walker = RecordingWalker::open(source_of(sample_recording()));
  REQUIRE(walker);
  dir.write("envelope.age", as_text(walker->header().envelope));
  dir.write("key.txt", age_identity_file(test_identities().front()).view());
  REQUIRE(dir.run("age -d -i key.txt -o dek envelope.age") == 0);
  CHECK(dir.read("dek").size() == 32);
}

TEST_CASE("recording: a zeroed envelope is an erased recording; the chain stands") {
  auto file = sample_recording();
  const auto before = verify_recording(source_of(file), {});
  const size_t size = before->header.size;
  std::fill(file.begin() + 128, file.begin() + static_cast<ssize_t>(size), uint8_t{0});
  std::fill(file.begin() + 12, file.begin() + 16, uint8_t{0});
  REQUIRE(is_zero_from(file, 128, size));
  const auto erased = RecordingReader::open(source_of(file), test_identities());
  REQUIRE_FALSE(erased);
  CHECK(erased.error().code == Errc::not_found);
  const auto after = verify_recording(source_of(file), {});
  REQUIRE(after);
  CHECK(after->head == before->head);
}

TEST_CASE("recording: the key of another recording in the envelope is refused") {
  auto file = sample_recording();
  const auto other = RecordingWalker::open(source_of(sample_recording()))->header().envelope;
  std::copy(other.begin(), other.end(), file.begin() + 128);
  const auto opened = RecordingReader::open(source_of(file), test_identities());
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("commitment") != std::string::npos);
}

TEST_CASE("recording: a re-wrapped envelope opens for the new recipient, the head is the same") {
  auto file = sample_recording();
  const auto before = verify_recording(source_of(file), {});
  const auto dek = open_envelope(before->header, test_identities());
  REQUIRE(dek);
  std::vector<AgeIdentity> auditor;
  auditor.push_back(age_generate_identity());
  const std::vector<AgeRecipient> recipients = {auditor[0].recipient(),
                                                age_generate_identity().recipient()};
  const auto envelope = age_encrypt(dek->span(), recipients);
  REQUIRE(envelope);
  std::fill(file.begin() + 128, file.begin() + static_cast<ssize_t>(before->header.size),
            uint8_t{0});
  std::copy(envelope->begin(), envelope->end(), file.begin() + 128);
  put_le(std::span(file).subspan(12), envelope->size(), 4);
  const ReadBack got = read_back(file, auditor);
  CHECK(got.error.empty());
  CHECK(got.head == to_hex(before->head));
}

TEST_CASE("recording: one that still runs is read as it grows") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  auto opened = RecordingReader::open(file.reading_end(), test_identities());
  REQUIRE(opened);
  RecordingReader& live = *opened;
  REQUIRE(live.next()->has_value());
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(live.next()->has_value());
    CHECK_FALSE(live.ended());
    REQUIRE(writer.add_event(1, 'o', "more"));
    REQUIRE(writer.flush());
    CHECK(live.next()->has_value());
  }
  REQUIRE(writer.finish());
  while (live.next()->has_value()) {
  }
  CHECK(live.ended());
}

TEST_CASE("recording: it can be read again from where a segment begins, chain and all") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  for (uint64_t i = 1; i <= 20; ++i) {
    REQUIRE(writer.add_event(i * 100'000'000, 'o', "at " + std::to_string(i)));
    REQUIRE(writer.flush());
    if (writer.at_segment_end() && i > 10) {
      REQUIRE(writer.add_screen(i * 100'000'000, "screen " + std::to_string(i)));
    }
  }
  const bool finished = GENERATE(true, false);
  if (finished) {
    REQUIRE(writer.finish());
  }
  RecordingReader reader = open_reader(file.bytes());
  std::vector<RecordingReader::Place> places;
  for (;;) {
    const RecordingReader::Place here = reader.place();
    const auto frame = reader.next();
    REQUIRE(frame);
    if (!*frame) {
      break;
    }
    if ((*frame)->starts_segment) {
      places.push_back(here);
    }
  }
  CHECK(places.size() > 4);
  const auto head = reader.chain_head();
  for (const RecordingReader::Place& place : places) {
    reader.return_to(place);
    const auto first = reader.next();
    REQUIRE(first);
    CHECK((*first)->starts_segment);
    CHECK((*first)->number == place.walk.number);
    while (reader.next()->has_value()) {
    }
    CHECK(reader.ended() == finished);
    CHECK(reader.chain_head() == head);
  }
}

TEST_CASE("recording: reading again from the beginning sees a changed header") {
  auto file = sample_recording();
  file[16] ^= 1;
  RecordingReader reader = open_reader(file);
  const RecordingReader::Place beginning = reader.place();
  REQUIRE(reader.next());
  reader.return_to(beginning);
  Result<std::optional<RecordingFrame>> frame = reader.next();
  while (frame && *frame) {
    frame = reader.next();
  }
  REQUIRE_FALSE(frame);
  CHECK(frame.error().code == Errc::corrupt);
}

TEST_CASE("recording: the end record leaves the place of reading alone") {
  RecordingReader reader = open_reader(sample_recording());
  REQUIRE(reader.next());
  const auto record = reader.end_record();
  REQUIRE(record);
  REQUIRE(*record);
  CHECK((*record)->end_us == 400'001'000);
  CHECK((*record)->segments.all().size() == 2);
  CHECK((*reader.next())->number == 1);
  while (reader.next()->has_value()) {
  }
  CHECK(reader.ended());
  CHECK(reader.chain_head());
}

TEST_CASE("recording: verify with the key checks every tag, and says how it ended") {
  auto file = sample_recording();
  const auto whole = verify_recording(source_of(file), test_identities());
  REQUIRE(whole);
  CHECK(whole->opened);
  CHECK(whole->ended);
  CHECK(whole->bytes + brec::kTrailerBytes == file.size());
  CHECK(whole->end_us == 400'001'000);
  file.resize(file.size() - 60);
  CHECK_FALSE(verify_recording(source_of(file), test_identities())->ended);
  file[file.size() - 300] ^= 1;
  CHECK_FALSE(verify_recording(source_of(file), test_identities()));
}

namespace {

// As the monitor begins one: the first line repeats the header.
std::vector<uint8_t> recording_with_facts(const std::function<void(SessionFacts&)>& change = {}) {
  const RecordingSetup setup = test_setup();
  SessionFacts facts;
  facts.session = setup.session.hex();
  facts.channel = setup.channel;
  facts.node = setup.node;
  if (change) {
    change(facts);
  }
  AsciicastHeader header;
  header.timestamp = static_cast<int64_t>(setup.start_ms / 1000);
  header.sallyport = facts_json(facts);
  const MemoryFile file;
  auto writer = RecordingWriter::create(file.writing_end(), setup, asciicast_header_line(header));
  REQUIRE(writer);
  REQUIRE(writer->add_event(1000, 'o', "hello\r\n"));
  REQUIRE(writer->flush());
  return file.bytes();
}

}  // namespace

TEST_CASE("recording: the first line proves the header of a recording without an end") {
  const auto file = recording_with_facts();
  const auto report = verify_recording(source_of(file), test_identities());
  REQUIRE(report);
  CHECK_FALSE(report->ended);
  CHECK(report->header_proven);
  CHECK_FALSE(verify_recording(source_of(file), {})->header_proven);
  for (const auto& [place, name] :
       {std::pair<size_t, const char*>{18, "start"}, {104, "channel"}, {108, "part"}}) {
    auto changed = file;
    changed[place] ^= 1;
    CHECK(read_back(changed).error.find(name) != std::string::npos);
    CHECK(read_back(changed).frames.empty());
  }
}

TEST_CASE("recording: a first line with another session or node is refused") {
  CHECK(read_back(recording_with_facts([](SessionFacts& facts) {
          facts.node = "other";
        })).error.find("node") != std::string::npos);
  CHECK(read_back(recording_with_facts([](SessionFacts& facts) {
          facts.session = Id::random().hex();
        })).error.find("session") != std::string::npos);
}

TEST_CASE("recording: a first line that says less proves nothing; an end frame does") {
  const auto less = recording_with_facts([](SessionFacts& facts) { facts.node.clear(); });
  CHECK_FALSE(verify_recording(source_of(less), test_identities())->header_proven);
  auto file = sample_recording();
  CHECK(verify_recording(source_of(file), test_identities())->header_proven);
  file.resize(file.size() - brec::kTrailerBytes - 1);
  CHECK_FALSE(verify_recording(source_of(file), test_identities())->header_proven);
}
