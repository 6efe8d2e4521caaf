// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/event.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/reader.h"
#include "shared/recording/writer.h"

#include <memory>
#include <string>
#include <vector>

namespace sallyport {

// An anonymous file (memfd) that a writer fills and a test takes apart.
class MemoryFile {
public:
  MemoryFile();
  UniqueFd writing_end() const;
  UniqueFd reading_end() const;
  UniqueFd changing_end() const;  // O_RDWR
  void write(std::span<const uint8_t> bytes) const;
  std::vector<uint8_t> bytes() const;

private:
  UniqueFd open_again(int flags) const;

  UniqueFd fd_;
};

const std::vector<AgeIdentity>& test_identities();
RecordingSetup test_setup();
inline constexpr std::string_view kTestHeader =
    R"({"version":3,"term":{"cols":80,"rows":24},"sallyport":{"who":"ada"}})";

RecordingWriter start_writer(const MemoryFile& file);

// A finished recording with one or more frames of each type, about 3 KiB long.
std::vector<uint8_t> sample_recording();

std::unique_ptr<ByteSource> source_of(std::vector<uint8_t> bytes);
RecordingReader open_reader(std::vector<uint8_t> bytes);

struct ReadBack {
  std::vector<RecordingFrame> frames;
  std::string text;   // of all D frames
  std::string error;  // empty: the end of the bytes
  bool ended = false;
  std::string head;  // hex, of the chain
};
ReadBack read_back(std::vector<uint8_t> bytes,
                   std::span<const AgeIdentity> identities = test_identities());

// The exact output of a recording's text, as a player would show it.
std::string shown(const std::string& asciicast);
std::vector<AsciicastEvent> events_of(const std::string& asciicast);

// Where each frame begins, and the end of the last.
std::vector<size_t> frame_offsets(const std::vector<uint8_t>& file);

}  // namespace sallyport
