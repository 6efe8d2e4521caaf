// SPDX-License-Identifier: Apache-2.0
//
// For end-to-end tests of the player: an asciicast file becomes a BREC recording, by the product's
// own writer. Usage: make_recording CAST OUT RECIPIENT SESSION_HEX CHANNEL pty|no-pty end|cut
// An event "B" is content that is no text: its data is base64 of the bytes.
#include "shared/asciicast/exact_bytes.h"
#include "shared/asciicast/reader.h"
#include "shared/asciicast/writer.h"
#include "shared/base/hex.h"
#include "shared/recording/writer.h"

#include <fcntl.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

using namespace sallyport;

namespace {

int failed(const std::string& what) {
  std::fprintf(stderr, "make_recording: %s\n", what.c_str());
  return 1;
}

Status add(RecordingWriter& writer, const AsciicastEvent& event) {
  if (event.code == 'B') {
    const auto bytes = from_base64(event.data);
    return writer.add_bytes(event.time_us, ByteDirection::to_target, bytes.value());
  }
  if (Status added = writer.add_event(event.time_us, event.code, event.data); !added) {
    return added;
  }
  return writer.flush();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    return failed("seven arguments");
  }
  std::ifstream in(argv[1], std::ios::binary);
  const std::string cast{std::istreambuf_iterator<char>(in), {}};
  AsciicastReader reader;
  std::vector<AsciicastEvent> events;
  if (!reader.feed(cast, events) || !reader.finish(events)) {
    return failed("not an asciicast");
  }
  AsciicastHeader header = *reader.header();
  header.version = 3;
  header.sallyport =
      std::string(R"({"pty":)") + (std::string(argv[6]) == "pty" ? "true}" : "false}");
  const auto recipient = parse_age_recipient(argv[3]);
  const auto session = Id::from_hex(argv[4]);
  if (!recipient || !session) {
    return failed("a bad recipient or session");
  }
  UniqueFd fd(::open(argv[2], O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  const RecordingSetup setup{*session,
                             static_cast<uint32_t>(std::stoul(argv[5])),
                             "node1",
                             1'790'000'000'000,
                             {*recipient}};
  auto writer = RecordingWriter::create(std::move(fd), setup, asciicast_header_line(header));
  if (!writer) {
    return failed(writer.error().message);
  }
  ExactDecoder decoder;
  for (AsciicastEvent& event : events) {
    const auto exact = decoder.take(std::move(event));
    if (!exact) {
      continue;
    }
    if (Status added = add(*writer, *exact); !added) {
      return failed(added.error().message);
    }
  }
  const Status ended = std::string(argv[7]) == "end" ? writer->finish() : writer->flush();
  return ended ? 0 : failed(ended.error().message);
}
