// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an order of erasure: its text has one spelling, and the keys of the seeds have
// signed none but theirs.
#include "shared/base/hex.h"
#include "shared/evidence/erasure_order.h"

#include <algorithm>
#include <cstdlib>

using namespace sallyport;

namespace {

// The one text that anybody has signed here (tests/fuzz/corpus/erasure_order).
constexpr std::string_view kSigned =
    "sallyport erasure order 1\n"
    "node bastion-1\n"
    "made 1763719200000\n"
    "erase key\n"
    "reason GDPR request 4711\n"
    "recording 00112233445566778899aabbccddeeff-0\n"
    "recording 00112233445566778899aabbccddeeff-0k\n";

constexpr std::string_view kKeys[] = {
    "AAAAC3NzaC1lZDI1NTE5AAAAIIOPYhgIQTi1waP26y+PGIjUisicQYDjBpAIDKgUREei",
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEAuzSIyhPklD317jfET6VizAVyh2xjv+"
    "dsvpQfv9WdMYp68hO9JhP5sE/V+XULxj6LMVlkQkak+oaAm30p5zDg=",
};

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = as_text({data, size});
  const auto read = parse_erasure_order(bytes);
  if (!read) {
    return 0;
  }
  require(bytes.size() <= kMaxOrderBytes && read->signers.size() <= kMaxOrderSignatures);
  const auto text = erasure_order_text(read->order);
  require(text && bytes.starts_with(*text) &&
          (bytes.size() == text->size()) == read->signers.empty());
  for (const auto& signer : read->signers) {
    require(std::count(read->signers.begin(), read->signers.end(), signer) == 1);
    const bool is_known =
        std::find(std::begin(kKeys), std::end(kKeys), to_base64(signer)) != std::end(kKeys);
    require(!is_known || *text == kSigned);
  }
  return 0;
}
