// SPDX-License-Identifier: Apache-2.0
#include "tests/shared/recording/sample.h"

#include "shared/asciicast/exact_bytes.h"
#include "shared/asciicast/reader.h"
#include "shared/base/hex.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/mman.h>

namespace sallyport {

MemoryFile::MemoryFile() : fd_(::memfd_create("recording", MFD_CLOEXEC)) {
  REQUIRE(fd_);
}

UniqueFd MemoryFile::open_again(int flags) const {
  const std::string path = "/proc/self/fd/" + std::to_string(fd_.get());
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));
  REQUIRE(fd);
  return fd;
}

UniqueFd MemoryFile::writing_end() const {
  return open_again(O_WRONLY | O_APPEND);
}
UniqueFd MemoryFile::reading_end() const {
  return open_again(O_RDONLY);
}

UniqueFd MemoryFile::changing_end() const {
  return open_again(O_RDWR);
}

void MemoryFile::write(std::span<const uint8_t> bytes) const {
  REQUIRE(::pwrite(fd_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

std::vector<uint8_t> MemoryFile::bytes() const {
  std::vector<uint8_t> bytes(static_cast<size_t>(::lseek(fd_.get(), 0, SEEK_END)));
  REQUIRE(::pread(fd_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return bytes;
}

const std::vector<AgeIdentity>& test_identities() {
  static const std::vector<AgeIdentity> kIdentities = [] {
    std::vector<AgeIdentity> all;
    all.push_back(age_generate_identity());
    return all;
  }();
  return kIdentities;
}

RecordingSetup test_setup() {
  return RecordingSetup{Id::from_hex("00112233445566778899aabbccddeeff").value(),
                        7,
                        "bastion-1",
                        1700000000123,
                        {test_identities().front().recipient()}};
}

RecordingWriter start_writer(const MemoryFile& file) {
  auto writer = RecordingWriter::create(file.writing_end(), test_setup(), kTestHeader);
  REQUIRE(writer);
  return std::move(*writer);
}

std::vector<uint8_t> sample_recording() {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_event(1000, 'o', "hello\r\n"));
  REQUIRE(writer.flush());
  REQUIRE(writer.add_event(2000, 'o', "caf\xc3"));
  REQUIRE(writer.flush());
  REQUIRE(writer.add_event(3000, 'o', "\xa9\r\n"));
  REQUIRE(writer.add_event(3000, 'r', "100x30"));
  REQUIRE(writer.add_bytes(4000, ByteDirection::to_target, as_bytes("input")));
  REQUIRE(writer.add_bytes(4000, ByteDirection::output, as_bytes(std::string(500, 'b'))));
  REQUIRE(writer.add_text(3000, "hello"));
  REQUIRE(writer.add_event(400'000'000, 'o', "later"));  // ends the segment
  REQUIRE(writer.flush());
  REQUIRE(writer.add_screen(400'000'000, "\x1b[2Jscreen"));
  REQUIRE(writer.add_event(400'001'000, 'x', "0"));
  REQUIRE(writer.finish());
  return file.bytes();
}

std::unique_ptr<ByteSource> source_of(std::vector<uint8_t> bytes) {
  return std::make_unique<MemorySource>(std::move(bytes));
}

RecordingReader open_reader(std::vector<uint8_t> bytes) {
  auto reader = RecordingReader::open(source_of(std::move(bytes)), test_identities());
  REQUIRE(reader);
  return std::move(*reader);
}

ReadBack read_back(std::vector<uint8_t> bytes, std::span<const AgeIdentity> identities) {
  ReadBack got;
  auto reader = RecordingReader::open(source_of(std::move(bytes)), identities);
  if (!reader) {
    got.error = reader.error().message;
    return got;
  }
  for (;;) {
    auto frame = reader->next();
    if (!frame || !*frame) {
      got.error = frame ? "" : frame.error().message;
      got.ended = reader->ended();
      got.head = to_hex(reader->chain_head().value());
      return got;
    }
    if ((*frame)->type == FrameType::data) {
      got.text += (*frame)->data;
    }
    got.frames.push_back(std::move(**frame));
  }
}

std::vector<AsciicastEvent> events_of(const std::string& asciicast) {
  AsciicastReader reader;
  std::vector<AsciicastEvent> events;
  REQUIRE(reader.feed(asciicast, events));
  REQUIRE(reader.finish(events));
  return events;
}

std::string shown(const std::string& asciicast) {
  ExactDecoder exact;
  std::string text;
  for (const AsciicastEvent& event : events_of(asciicast)) {
    const auto show = exact.take(event);
    text += show && show->code == 'o' ? show->data : "";
  }
  return text;
}

std::vector<size_t> frame_offsets(const std::vector<uint8_t>& file) {
  auto walker = RecordingWalker::open(source_of(file));
  REQUIRE(walker);
  std::vector<size_t> offsets = {static_cast<size_t>(walker->offset())};
  for (;;) {
    const auto frame = walker->next();
    REQUIRE(frame);
    if (!*frame) {
      return offsets;
    }
    offsets.push_back(static_cast<size_t>(walker->offset()));
  }
}

}  // namespace sallyport
