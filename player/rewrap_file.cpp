// SPDX-License-Identifier: Apache-2.0
#include "player/rewrap_file.h"

#include "player/event_source.h"
#include "player/saved_header.h"
#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"
#include "shared/recording/envelope_in_place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>

namespace sallyport {

namespace {

class Rewrapping {
public:
  Rewrapping(const std::string& path, std::span<const AgeIdentity> identities)
      : path_(path), identities_(identities) {}

  Status run(const EnvelopeRecipients& to) {
    if (Status opened = open(); !opened) {
      return opened;
    }
    const auto dek = find_key();
    if (!dek) {
      return dek.error();
    }
    const auto envelope = seal_envelope(*dek, to);
    if (!envelope) {
      return envelope.error();
    }
    if (envelope->size() > envelope_room(header_)) {
      return failed({Errc::limit, "its header has no room for that many recipients (" +
                                      std::to_string(envelope->size()) + " bytes, room for " +
                                      std::to_string(envelope_room(header_)) + "); name fewer"});
    }
    Status done = is_saved_ ? ok() : save_header(path_, fd_.get(), header_);
    done = done ? replace(*envelope) : std::move(done);
    return done ? remove_saved_header(path_) : std::move(done);
  }

private:
  Error failed(const Error& error) const {
    return Error{error.code, printable(path_) + ": " + error.message};
  }

  Status open() {
    fd_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd_ || ::fstat(fd_.get(), &before_) != 0) {
      const Error error = errno_error("cannot write " + printable(path_));
      return Error{error.code, error.message + "; re-wrap as its owner, or re-wrap a copy"};
    }
    if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      return failed({Errc::io, "another rewrap is at work on it"});
    }
    auto header = read_header(fd_.get());
    if (!header) {
      return failed(header.error());
    }
    header_ = std::move(*header);
    return ok();
  }

  // From the envelope, or where a rewrap was interrupted from the one that it was to replace.
  Result<SecretBytes> find_key() {
    auto dek = open_envelope(header_, identities_);
    if (dek || is_erased(header_)) {
      return dek ? std::move(dek) : failed(dek.error());
    }
    if (const auto saved = read_saved_header(path_, header_)) {
      auto old = open_envelope(*saved, identities_);
      is_saved_ = old.has_value();
      if (old) {
        return old;
      }
    }
    return cannot_open(path_, dek.error());
  }

  Status replace(const std::vector<uint8_t>& envelope) {
    Status written = replace_envelope(fd_.get(), envelope);
    const auto now = written ? read_header(fd_.get()) : Result<RecordingHeader>(written.error());
    if (!now || now->envelope != envelope || now->first_head != header_.first_head) {
      return failed({Errc::io, (now ? "it does not hold what was written" : now.error().message) +
                                   "; the old header is in " + printable(saved_header_path(path_)) +
                                   ", and the same rewrap again makes use of it"});
    }
    // Not the owner's to set: then the time shows when this was done.
    const std::array<timespec, 2> times = {before_.st_atim, before_.st_mtim};
    static_cast<void>(::futimens(fd_.get(), times.data()));
    return ok();
  }

  const std::string& path_;
  std::span<const AgeIdentity> identities_;
  UniqueFd fd_;
  struct stat before_ {};
  RecordingHeader header_;
  bool is_saved_ = false;
};

}  // namespace

Status rewrap_file(const std::string& path, std::span<const AgeIdentity> identities,
                   const EnvelopeRecipients& to) {
  return Rewrapping(path, identities).run(to);
}

}  // namespace sallyport
