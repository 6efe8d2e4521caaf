// SPDX-License-Identifier: Apache-2.0
//
// An evidence file. Checksums of ustar headers would keep the fuzzer out, so an input that is none
// is taken as members: length of the name, name, u16 length, bytes; and what it finds is verified.
#include "player/verify/evidence_file.h"
#include "player/verify/facts_check.h"
#include "player/verify/file_check.h"
#include "player/verify/log_proof.h"
#include "shared/base/hex.h"

#include <algorithm>

using namespace sallyport;

namespace {

std::vector<uint8_t> pack_members(std::span<const uint8_t> input) {
  std::string archive;
  while (input.size() >= 3) {
    const size_t name_size = std::min<size_t>(input[0] % 64, input.size() - 3);
    const std::string name(as_text(input.subspan(1, name_size)));
    input = input.subspan(1 + name_size);
    const size_t size = std::min<size_t>(input[0] * 256 + input[1], input.size() - 2);
    archive += ustar_header(name, size) + std::string(as_text(input.subspan(2, size))) +
               std::string(ustar_padding(size), '\0');
    input = input.subspan(2 + size);
  }
  archive += ustar_end();
  return {archive.begin(), archive.end()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> input(data, size);
  const bool is_archive = size > 262 && as_text(input.subspan(257, 5)) == "ustar";
  const auto bytes =
      is_archive ? std::vector<uint8_t>(input.begin(), input.end()) : pack_members(input);
  static_cast<void>(parse_log_proof(as_text(input)));
  static_cast<void>(parse_recorded_facts(as_text(input), ""));
  MemorySource source(bytes);
  const auto opened = open_evidence(source);
  if (!opened) {
    return 0;
  }
  const OpenSource open = [&]() -> Result<std::unique_ptr<ByteSource>> {
    return std::unique_ptr<ByteSource>(std::make_unique<SubSource>(
        std::make_unique<MemorySource>(bytes), opened->file.offset, opened->file.size));
  };
  static_cast<void>(check_file(opened->file.name, open, opened->recording, &opened->log, {}));
  return 0;
}
