// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/envelope.h"

#include "shared/base/hex.h"
#include "shared/crypto/age.h"
#include "shared/recording/format.h"

#include <algorithm>

namespace sallyport {

namespace {

using brec::kDekBytes;

Error in_envelope(const Error& error) {
  return Error{error.code, "the recording's envelope: " + error.message};
}

// Its length tells before it is opened: a data key is shorter than any age file.
bool takes_two_people(std::span<const uint8_t> envelope) {
  const auto inside = age_plaintext_size(envelope);
  return inside && *inside > kDekBytes;
}

Error outer_closed(std::span<const uint8_t> envelope, const Error& error) {
  if (error.code != Errc::denied || !takes_two_people(envelope)) {
    return in_envelope(error);
  }
  return Error{Errc::denied,
               "the recording's envelope takes two people, and the first one's identity (of "
               "recording.recipients) is missing: none of those given opens the outer layer"};
}

Error inner_closed(const Error& error) {
  if (error.code != Errc::denied) {
    return in_envelope({error.code, "inner layer: " + error.message});
  }
  return Error{Errc::denied,
               "the recording's envelope takes two people: it needs a second person's identity as "
               "well (of recording.second_recipients)"};
}

// Two layers at most: whoever makes a file must not decide how long a reader digs.
Result<SecretBytes> open_layers(std::span<const uint8_t> envelope,
                                std::span<const AgeIdentity> identities) {
  auto outer = age_decrypt(envelope, identities);
  if (!outer) {
    return outer_closed(envelope, outer.error());
  }
  if (!is_age_file(outer->span())) {
    return outer;
  }
  auto inner = age_decrypt(outer->span(), identities);
  if (!inner) {
    return inner_closed(inner.error());
  }
  if (is_age_file(inner->span())) {
    return Error{Errc::corrupt, "the recording's envelope has more than two layers"};
  }
  return inner;
}

}  // namespace

Result<std::vector<uint8_t>> seal_envelope(const SecretBytes& dek, const EnvelopeRecipients& to) {
  for (const AgeRecipient& one : to.inner) {
    if (std::find(to.outer.begin(), to.outer.end(), one) != to.outer.end()) {
      return Error{Errc::invalid, one.text() +
                                      " is a recipient of both layers: one person could open the "
                                      "recording alone; name it once"};
    }
  }
  if (to.inner.empty()) {
    return age_encrypt(dek.span(), to.outer);
  }
  const auto inner = age_encrypt(dek.span(), to.inner);
  return inner ? age_encrypt(*inner, to.outer) : inner;
}

Result<SecretBytes> open_envelope(const RecordingHeader& header,
                                  std::span<const AgeIdentity> identities) {
  if (is_erased(header)) {
    return Error{Errc::not_found,
                 "the recording was erased: its key is gone, and nobody can read it any more"};
  }
  auto dek = open_layers(header.envelope, identities);
  if (!dek) {
    return dek;
  }
  if (dek->size() != kDekBytes ||
      !equal_in_constant_time(commit_of(*dek, header.session), header.commit)) {
    return Error{Errc::corrupt,
                 "the envelope holds the key of another recording (its commitment does not fit)"};
  }
  return dek;
}

bool is_erased(const RecordingHeader& header) {
  return std::all_of(header.envelope.begin(), header.envelope.end(),
                     [](uint8_t byte) { return byte == 0; });
}

}  // namespace sallyport
