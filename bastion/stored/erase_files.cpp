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

// Is the key there, or the file where it should be gone, or who it was?
bool has_something(const RecordingsFolder& folder, const FactsFolder& facts,
                   const RecordingName& name, ErasureOrder::What what) {
  const std::string path = folder.path_of(name);
  if (::access((path + ".rewrap").c_str(), F_OK) == 0) {
    return true;
  }
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    return errno != ENOENT || facts.has(name);
  }
  const auto header = read_header(fd.get());
  return what == ErasureOrder::What::file || !header || !is_erased(*header) || facts.has(name);
}

}  // namespace

ErasureOrder::What OrdersOfLog::what(const Sha256Digest& hash) {
  const auto known = known_.find(hash);
  if (known != known_.end()) {
    return known->second;
  }
  const auto bytes = read_hashed_file(log_folder_, "orders", hash);
  const auto order =
      bytes ? parse_erasure_order(*bytes) : Result<SignedErasureOrder>(bytes.error());
  return known_[hash] = order ? order->order.what : ErasureOrder::What::key;
}

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
  OrdersOfLog orders(log_folder);
  for (const auto& [name, hash] : logged.erased) {
    const auto what = orders.what(hash);
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
