// SPDX-License-Identifier: Apache-2.0
//
// An order of erasure (docs/formats/log.md): a text, and OpenSSH signatures over it below. Whose
// keys may sign is not known here.
#pragma once

#include "shared/base/result.h"
#include "shared/recording/file_name.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// Which recordings are erased, what of them, and why.
struct ErasureOrder {
  enum class What : uint8_t {
    key,   // the envelope is zeroed: nobody can read it, chain and log still prove that it was
    file,  // the whole file is deleted
  };
  std::string node;
  uint64_t made_ms = 0;  // Unix
  What what = What::key;
  std::string reason;                     // one line of 1 to 500 bytes of printable UTF-8
  std::vector<RecordingName> recordings;  // 1 to kMaxErased, sorted, none twice

  bool operator==(const ErasureOrder&) const = default;
};

inline constexpr size_t kMaxErased = 1000;
inline constexpr size_t kMaxOrderBytes = 120 * 1024;  // with signatures
inline constexpr size_t kMaxOrderSignatures = 16;
inline constexpr std::string_view kErasureNamespace = "sallyport-erasure";

// The text that is signed; sorts the recordings. Errc::invalid: what is no order, with what is
// wrong.
Result<std::string> erasure_order_text(ErasureOrder order);

struct SignedErasureOrder {
  ErasureOrder order;
  // Of each signature below the text, the key blob: all good, none twice.
  std::vector<std::vector<uint8_t>> signers;
};

// Takes what erasure_order_text() writes and nothing else, and below it any number (at most
// kMaxOrderSignatures) of OpenSSH signatures over it, each after an empty line. Errc::corrupt: not
// of this form; Errc::invalid: a value that no order has, or a signature that is not taken;
// Errc::denied: a signature does not fit.
Result<SignedErasureOrder> parse_erasure_order(std::string_view bytes);

// Text (or text with signatures) and signatures, in the form that is parsed. `signatures`: the .sig
// files as they are.
std::string with_signatures(std::string_view text, const std::vector<std::string>& signatures);

}  // namespace sallyport
