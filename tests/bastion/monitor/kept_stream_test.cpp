// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/channel_recording.h"
#include "shared/base/hex.h"
#include "shared/base/write_and_sync.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

using namespace sallyport;
using namespace sallyport::monitor;

namespace {

constexpr size_t kKib = 1024;

// Bytes that look like no text, all different.
std::string noise(size_t size, uint64_t seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(seed >> 56);
  }
  return bytes;
}

struct Kept {
  std::string bytes;                    // of the B frames of one direction
  std::vector<nlohmann::json> digests;  // the events "d"
};

ChannelRecording begin(const MemoryFile& file, ChannelKind kind, uint64_t allowance) {
  RecordedSession session;
  session.session = Id::random();
  session.node = "node";
  session.grant.recipients = {test_identities().front().recipient().text()};
  session.grant.stream_bytes = session.grant.forward_bytes = allowance;
  RecordedChannel channel;
  channel.start = {0, kind, "cat"};
  if (kind == ChannelKind::direct_tcpip) {
    channel.forward.emplace();
  }
  auto prepared = prepare_recording(session, 0, RecordingPart::channel);
  REQUIRE(prepared);
  UniqueFd end = file.writing_end();
  REQUIRE(write_all(end.get(), prepared->header));  // as stored does
  auto recording = ChannelRecording::begin(std::move(end), std::move(*prepared), session, channel);
  REQUIRE(recording);
  return std::move(*recording);
}

Kept read(const MemoryFile& file, ByteDirection direction) {
  Kept kept;
  const ReadBack got = read_back(file.bytes());
  REQUIRE(got.error.empty());
  for (const RecordingFrame& frame : got.frames) {
    if (frame.type == FrameType::bytes && frame.direction == direction) {
      kept.bytes += frame.data;
    }
  }
  for (const AsciicastEvent& event : events_of(got.text)) {
    if (event.code == 'd') {
      kept.digests.push_back(nlohmann::json::parse(event.data));
    }
  }
  return kept;
}

void add(ChannelRecording& recording, std::string_view bytes) {
  for (size_t at = 0; at < bytes.size(); at += 32 * kKib) {
    REQUIRE(recording.add_input(bytes.substr(at, 32 * kKib)));
  }
}

std::string digest_of(std::string_view bytes) {
  return to_hex(sha256(as_bytes(bytes)));
}

}  // namespace

TEST_CASE("within its allowance a stream is kept and needs no digest") {
  const MemoryFile file;
  const std::string bytes = noise(300 * kKib);
  auto recording = begin(file, ChannelKind::exec, 300 * kKib);
  add(recording, bytes);
  REQUIRE(recording.finish());
  const Kept kept = read(file, ByteDirection::to_target);
  CHECK(kept.bytes == bytes);
  CHECK(kept.digests.empty());
}

TEST_CASE("beyond it the digest of the whole and the last 64 KiB are kept") {
  const MemoryFile file;
  const std::string bytes = noise(1000 * kKib + 7);
  auto recording = begin(file, ChannelKind::exec, 100 * kKib);
  add(recording, bytes);
  REQUIRE(recording.finish());
  const Kept kept = read(file, ByteDirection::to_target);
  REQUIRE(kept.digests.size() == 1);
  CHECK(kept.digests[0]["stream"] == "input");
  CHECK(kept.digests[0]["bytes"] == bytes.size());
  CHECK(kept.digests[0]["sha256"] == digest_of(bytes));
  CHECK(kept.digests[0]["next"] == bytes.size() - 64 * kKib);
  CHECK(kept.bytes == bytes.substr(0, 100 * kKib) + bytes.substr(bytes.size() - 64 * kKib));
}

TEST_CASE("without an allowance the first and the last 64 KiB of each direction are kept") {
  const MemoryFile file;
  const std::string bytes = noise(500 * kKib);
  auto recording = begin(file, ChannelKind::direct_tcpip, 0);
  add(recording, bytes);
  REQUIRE(recording.add_output(Stream::output, "an answer"));
  REQUIRE(recording.finish());
  const Kept kept = read(file, ByteDirection::to_target);
  CHECK(kept.bytes == bytes.substr(0, 64 * kKib) + bytes.substr(436 * kKib));
  CHECK(read(file, ByteDirection::output).bytes == "an answer");
}

TEST_CASE("a shell after many bytes is recorded in full: `scp -t x; bash`") {
  const MemoryFile file;
  const std::string bytes = noise(500 * kKib);
  auto recording = begin(file, ChannelKind::exec, 100 * kKib);
  add(recording, bytes);
  for (int i = 0; i < 1000; ++i) {
    add(recording, "cat /etc/shadow; echo " + std::to_string(i) + "\n");
  }
  REQUIRE(recording.add_output(Stream::output, bytes));
  REQUIRE(recording.add_output(Stream::output, "root:x:0:0:root\n"));
  REQUIRE(recording.finish());
  const Kept input = read(file, ByteDirection::to_target);
  CHECK(input.bytes.find("cat /etc/shadow; echo 999\n") != std::string::npos);
  CHECK(input.digests.size() >= 1);
  CHECK(input.digests[0]["next"] == bytes.size());
  const Kept output = read(file, ByteDirection::output);
  CHECK(output.bytes.ends_with("root:x:0:0:root\n"));
}

TEST_CASE("of a forward text is kept within the allowance alone") {
  const MemoryFile file;
  auto recording = begin(file, ChannelKind::direct_tcpip, 0);
  add(recording, std::string(300 * kKib, 'x'));
  REQUIRE(recording.finish());
  CHECK(read(file, ByteDirection::to_target).bytes.size() == 128 * kKib);
}
