// SPDX-License-Identifier: Apache-2.0
#include "player/commands.h"
#include "player/event_source.h"
#include "player/messages.h"
#include "player/rewrap_file.h"
#include "shared/base/printable.h"
#include "shared/recording/format.h"

#include <cstdio>

namespace sallyport {

namespace {

Result<std::vector<AgeRecipient>> parse_recipients(const std::vector<std::string>& texts,
                                                   const std::string& option) {
  std::vector<AgeRecipient> recipients;
  for (const std::string& text : texts) {
    const auto recipient = parse_age_recipient(text);
    if (!recipient) {
      // Not repeated: it may be the secret half.
      return Error{Errc::invalid, option + ", number " + std::to_string(recipients.size() + 1) +
                                      ": " + recipient.error().message};
    }
    recipients.push_back(*recipient);
  }
  return recipients;
}

Result<EnvelopeRecipients> read_recipients(const RewrapOptions& options) {
  auto to = parse_recipients(options.to, "--to");
  if (!to) {
    return to.error();
  }
  auto second = parse_recipients(options.second, "--second");
  if (!second) {
    return second.error();
  }
  EnvelopeRecipients recipients{std::move(*to), std::move(*second)};
  const auto tried = seal_envelope(SecretBytes(brec::kDekBytes), recipients);
  return tried ? Result(std::move(recipients)) : tried.error();
}

void say_recipients(const std::vector<AgeRecipient>& recipients) {
  for (const AgeRecipient& one : recipients) {
    std::printf("  %s\n", one.text().c_str());
  }
}

void say_done(size_t count, const EnvelopeRecipients& to) {
  std::printf("%s re-wrapped: %s with an identity of\n",
              (std::to_string(count) + (count == 1 ? " recording" : " recordings")).c_str(),
              count == 1 ? "it opens now" : "they open now");
  say_recipients(to.outer);
  if (!to.inner.empty()) {
    std::printf("together with an identity of a second person, of\n");
    say_recipients(to.inner);
  }
  std::printf(
      "and with no other. Frames and chain head are as they were: `sallyport-play verify` says "
      "what they prove.\nCopies made before still open for those who could open them.\n");
}

// All of them, whatever becomes of one; how many were not done.
size_t rewrap_all(const RewrapOptions& options, const std::vector<AgeIdentity>& identities,
                  const EnvelopeRecipients& to, size_t& done) {
  size_t not_done = 0;
  for (const std::string& path : options.recordings) {
    const Status rewrapped = rewrap_file(path, identities, to);
    if (rewrapped) {
      ++done;
      std::printf("%s: has its new envelope\n", printable(path).c_str());
    } else if (options.skip_erased && rewrapped.error().code == Errc::not_found) {
      print_message("note: " + rewrapped.error().message);
    } else {
      ++not_done;
      print_message(rewrapped.error().message);
    }
  }
  return not_done;
}

}  // namespace

Status rewrap(const RewrapOptions& options, const std::vector<std::string>& identity_files) {
  const auto to = read_recipients(options);
  if (!to) {
    return to.error();
  }
  const auto identities = read_identities(identity_files);
  if (!identities) {
    return identities.error();
  }
  size_t done = 0;
  const size_t not_done = rewrap_all(options, *identities, *to, done);
  if (done > 0) {
    say_done(done, *to);
  }
  if (not_done > 0) {
    return Error{Errc::invalid, std::to_string(not_done) + " of " +
                                    std::to_string(options.recordings.size()) +
                                    " not re-wrapped: what they were, they still are"};
  }
  return ok();
}

}  // namespace sallyport
