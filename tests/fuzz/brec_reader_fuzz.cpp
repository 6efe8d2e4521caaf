// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/age.h"
#include "shared/recording/envelope.h"
#include "shared/recording/file_name.h"
#include "shared/recording/frame_sealer.h"
#include "shared/recording/reader.h"
#include "shared/recording/verify.h"

#include <algorithm>
#include <cstdlib>

using namespace sallyport;

namespace {

// tests/data/recording/identity.txt: so the golden file is a seed that opens.
constexpr std::string_view kIdentity =
    "AGE-SECRET-KEY-1MQA3C0UX78373JYTL3U26VG2MGFCWUU3GZXWRKED7UVQ0RYHX3XSML0E4P";

const std::vector<AgeIdentity>& identities() {
  static const auto kAll = parse_age_identities(kIdentity);
  return *kAll;
}

const SecretBytes& dek() {
  static const SecretBytes kDek{std::string_view("0123456789abcdef0123456789abcdef")};
  return kDek;
}

std::vector<uint8_t> envelope_of(std::span<const uint8_t> plaintext) {
  const std::vector<AgeRecipient> recipients = {identities().front().recipient()};
  return *age_encrypt(plaintext, recipients);
}

RecordingHeader header_with(std::vector<uint8_t> envelope) {
  RecordingHeader header;
  header.node = "fuzz";
  header.commit = commit_of(dek(), header.session);
  header.envelope = std::move(envelope);
  return header;
}

// An input that begins like an age file is the inner layer of a recording for two people: behind
// the outer one there is a decoder, too.
void open_inner(std::span<const uint8_t> input) {
  const auto opened = open_envelope(header_with(envelope_of(input)), identities());
  if (opened && opened->view() != dek().view()) {
    std::abort();
  }
}

// An input that is not a file is a list of plaintexts, sealed here as a recorder with the right key
// would: type, flags, u16 length, bytes. Behind the tag there is a decoder too.
std::vector<uint8_t> seal_frames(std::span<const uint8_t> input) {
  static const std::vector<uint8_t> kHeader =
      *encode_header(header_with(envelope_of(dek().span())));
  std::vector<uint8_t> file = kHeader;
  FrameSealer sealer(payload_key(dek(), Id{}), decode_header(kHeader)->first_head);
  while (input.size() >= 4) {
    const size_t length = std::min<size_t>(get_le(input.subspan(2), 2), input.size() - 4);
    sealer.seal(static_cast<FrameType>(input[0]), input[1], 0, input.subspan(4, length), file);
    input = input.subspan(4 + length);
  }
  return file;
}

void read_all(RecordingReader& reader) {
  for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> input(data, size);
  const bool is_file = size >= 4 && std::equal(input.begin(), input.begin() + 4, "BREC");
  const std::vector<uint8_t> file =
      is_file ? std::vector<uint8_t>(input.begin(), input.end()) : seal_frames(input);
  static_cast<void>(age_plaintext_size(input));
  if (is_age_file(input)) {
    open_inner(input);
    return 0;
  }
  static_cast<void>(parse_recording_file_name({reinterpret_cast<const char*>(data), size}));
  static_cast<void>(verify_recording(std::make_unique<MemorySource>(file), {}));
  auto reader = RecordingReader::open(std::make_unique<MemorySource>(file), identities());
  if (!reader) {
    return 0;
  }
  const RecordingReader::Place beginning = reader->place();
  read_all(*reader);
  static_cast<void>(reader->end_record());
  reader->return_to(beginning);
  read_all(*reader);
  return 0;
}
