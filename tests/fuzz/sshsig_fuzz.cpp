// SPDX-License-Identifier: Apache-2.0
//
// A signature of ssh-keygen. Base64 would keep the fuzzer out, so an input that is not armoured is
// taken as what the lines hold. What is read is written again to the very same bytes.
#include "shared/base/hex.h"
#include "shared/ssh/sshsig.h"
#include "shared/ssh/wire.h"

#include <algorithm>
#include <cstdlib>

using namespace sallyport;

namespace {

constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----\n";
constexpr std::string_view kEnd = "\n-----END SSH SIGNATURE-----\n";
constexpr std::string_view kSigned = "what is signed\n";  // by the seeds' keys

std::string armour(std::span<const uint8_t> bytes) {
  return std::string(kBegin) + to_base64(bytes) + std::string(kEnd);
}

std::vector<uint8_t> encode(const SshSig& sshsig) {
  const auto fields = SshWriter()
                          .u32(1)
                          .string(sshsig.key)
                          .string(sshsig.signature_namespace)
                          .string("")
                          .string(sshsig.hash)
                          .string(sshsig.signature)
                          .take();
  std::vector<uint8_t> bytes = {'S', 'S', 'H', 'S', 'I', 'G'};
  bytes.insert(bytes.end(), fields.begin(), fields.end());
  return bytes;
}

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  const bool is_armour = as_text(bytes).starts_with("-----");
  const std::string text = is_armour ? std::string(as_text(bytes)) : armour(bytes);
  const auto sshsig = parse_sshsig(text);
  if (!sshsig) {
    return 0;
  }
  const auto again = encode(*sshsig);
  require(is_armour || std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  require(parse_sshsig(armour(again)).has_value());
  static_cast<void>(check_sshsig(*sshsig, kSigned, sshsig->signature_namespace));
  return 0;
}
