// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/erase_files.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/evidence/log_reader.h"
#include "shared/recording/envelope.h"
#include "shared/recording/envelope_in_place.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace sallyport::stored {

namespace {

Status remove_file(const std::string& path) {
  return ::unlink(path.c_str()) == 0 || errno == ENOENT ? ok() : Status(errno_error(path));
}

Status erase_key(const std::string& path, const RecordingName& name) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    return errno == ENOENT ? ok() : Status(errno_error(path));
  }
  return erase_envelope(fd.get(), name);
}

// By the order of the recording before: many come by one.
class LastOrder {
public:
  explicit LastOrder(const std::string& log_folder) : log_folder_(log_folder) {}

  // An order that cannot be read has erased the key at least.
  ErasureOrder::What what(const Sha256Digest& hash) {
    if (hash != hash_) {
      const auto bytes = read_hashed_file(log_folder_, "orders", hash);
      const auto order =
          bytes ? parse_erasure_order(*bytes) : Result<SignedErasureOrder>(bytes.error());
      what_ = order ? order->order.what : ErasureOrder::What::key;
      hash_ = hash;
    }
    return what_;
  }

private:
  const std::string& log_folder_;
  std::optional<Sha256Digest> hash_;
  ErasureOrder::What what_ = ErasureOrder::What::key;
};

// Without an order's content: is the key there, or the file where it should be gone, or who it was?
bool has_something(const RecordingsFolder& folder, const FactsFolder& facts,
                   const RecordingName& name, ErasureOrder::What what) {
  const UniqueFd fd(
      ::open(folder.path_of(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    return errno != ENOENT || facts.has(name);
  }
  const auto header = read_header(fd.get());
  return what == ErasureOrder::What::file || !header || !is_erased(*header) || facts.has(name);
}

}  // namespace

Status erase_files(const RecordingsFolder& folder, const FactsFolder& facts,
                   const RecordingName& name, ErasureOrder::What what) {
  const std::string path = folder.path_of(name);
  // The saved header first: it has the key, too.
  Status done = remove_file(path + ".rewrap");
  if (done) {
    done = what == ErasureOrder::What::file ? remove_file(path) : erase_key(path, name);
  }
  return done ? facts.remove(name) : done;
}

std::vector<RecordingName> finish_erasures(const RecordingsFolder& folder, const FactsFolder& facts,
                                           const std::string& log_folder,
                                           const LoggedRecordings& logged) {
  std::vector<RecordingName> finished;
  LastOrder last(log_folder);
  for (const auto& [name, hash] : logged.erased) {
    const auto what = last.what(hash);
    if (!has_something(folder, facts, name, what)) {
      continue;
    }
    if (const Status erased = erase_files(folder, facts, name, what); !erased) {
      log_error("a recording that was erased is still there",
                {{"recording", recording_id(name)}, {"why", erased.error().message}});
      continue;
    }
    log_warning("a recording that was erased was there again, and is erased now",
                {{"recording", recording_id(name)}, {"order", to_hex(hash)}});
    finished.push_back(name);
  }
  return finished;
}

}  // namespace sallyport::stored
