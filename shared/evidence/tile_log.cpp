// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/tile_log.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/whole_file.h"
#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace sallyport {

namespace {

std::string hashes_bytes(const std::vector<Sha256Digest>& hashes) {
  std::string bytes;
  for (const Sha256Digest& hash : hashes) {
    bytes.append(as_text(hash));
  }
  return bytes;
}

Error lost_entries(const std::string& folder, const std::string& why) {
  return Error{Errc::corrupt,
               folder + ": " + why +
                   ". The log was rolled back or damaged: restore it from a copy that has "
                   "them (docs/operations.md, \"The log\")"};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// At the beginning of a bundle; what follows is torn.
std::vector<std::string_view> good_entries(std::string_view bytes) {
  auto entries = read_bundle(bytes).entries;
  entries.resize(std::min<size_t>(entries.size(), kTileWidth));
  const auto bad = std::find_if(entries.begin(), entries.end(),
                                [](const auto& entry) { return !parse_log_entry(entry); });
  entries.erase(bad, entries.end());
  return entries;
}

}  // namespace

std::string TileLog::pending_path(uint64_t bundle) const {
  return folder_ + "/pending-" + std::to_string(bundle);
}

Result<TileLog> TileLog::open(const std::string& folder, const std::optional<Checkpoint>& last,
                              const KeepEntry& keep) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  TileLog log(folder);
  Status done = last && last->size > 0 ? log.read_edges(*last) : log.is_from_the_beginning();
  if (done) {
    done = log.read_pending(last, keep);
  }
  if (!done) {
    return done.error();
  }
  log.leave_old_pending(last ? last->size / kTileWidth : 0);
  return log;
}

// As long as nothing was signed, all that came lies in pending files.
Status TileLog::is_from_the_beginning() const {
  if (exists(folder_ + "/tile") && !exists(pending_path(0))) {
    return Error{Errc::corrupt,
                 folder_ +
                     ": there is a log, and no checkpoint of it: restore \"checkpoint\" in this "
                     "folder, or keyd's log.state, from a backup. To begin a new log, move the "
                     "folder away"};
  }
  return ok();
}

// Whose bundles are on disk; a crash left them. Who reads beside us needs them as long as the
// checkpoint on disk is an older one.
void TileLog::leave_old_pending(uint64_t bundle) {
  while (bundle > 0 && exists(folder_ + "/" + bundle_path(--bundle, kTileWidth)) &&
         exists(pending_path(bundle))) {
    finished_.obsolete.push_back("pending-" + std::to_string(bundle));
  }
}

Status TileLog::check_signed(const Checkpoint& last) const {
  return size_ != last.size || root() == last.root
             ? ok()
             : Status(lost_entries(folder_, "its first " + std::to_string(size_) +
                                                " entries are not those that were signed"));
}

// What lies before the bundle of the last checkpoint is in full tiles.
Status TileLog::read_edges(const Checkpoint& last) {
  const uint64_t bundle = last.size / kTileWidth;
  size_ = bundle * kTileWidth;
  TileReader tiles(folder_, last.size);
  for (unsigned level = 1; size_ >> (kTileHeight * level) != 0; ++level) {
    levels_.resize(level + 1);
    const uint64_t end = size_ >> (kTileHeight * level);
    for (uint64_t index = end / kTileWidth * kTileWidth; index < end; ++index) {
      const auto hash = tiles.subtree(kTileHeight * level, index);
      if (!hash) {
        return lost_entries(folder_, hash.error().message);
      }
      levels_[level].push_back(*hash);
    }
  }
  return check_signed(last);
}

// The entries since the last full tile. What no checkpoint covers may be left out: nobody else has
// seen it.
Status TileLog::read_pending(const std::optional<Checkpoint>& last, const KeepEntry& keep) {
  const uint64_t first = size_ / kTileWidth;
  const auto texts = pending_entries(first, last);
  if (!texts) {
    return texts.error();
  }
  uint64_t index = size_;
  for (const std::string& text : *texts) {
    const bool is_signed = last && index++ < last->size;
    const Result<bool> kept =
        is_signed || !keep ? Result(true) : keep(*parse_log_entry(text), last ? last->size : 0);
    if (!kept) {
      return kept.error();
    }
    if (!*kept) {
      log_warning("an entry that was not signed yet is left out", {{"entry", text}});
      continue;
    }
    take(text);
    if (Status same = last ? check_signed(*last) : ok(); !same) {
      return same;
    }
  }
  if (last && size_ < last->size) {
    return lost_entries(folder_, "it has " + std::to_string(size_) + " entries, and " +
                                     std::to_string(last->size) + " were signed");
  }
  return rewrite_pending(first);
}

Result<std::vector<std::string>> TileLog::pending_entries(uint64_t bundle,
                                                          const std::optional<Checkpoint>& last) {
  std::vector<std::string> texts;
  for (;; ++bundle) {
    const auto bytes = read_bundle_file(bundle, last);
    if (!bytes) {
      return bytes.error();
    }
    const auto good = good_entries(*bytes);
    texts.insert(texts.end(), good.begin(), good.end());
    if (good.size() < kTileWidth) {
      return texts;
    }
  }
}

// Torn ends and what was left out are gone from the files, too.
Status TileLog::rewrite_pending(uint64_t first) {
  const uint64_t last = size_ / kTileWidth;
  for (uint64_t bundle = first; bundle <= last; ++bundle) {
    const std::string wanted = bundle == last ? bundle_ : finished_bundle(bundle);
    const auto there = read_file(pending_path(bundle), kMaxBundleBytes);
    if (there && *there == wanted) {
      continue;
    }
    if (there && there->size() != wanted.size()) {
      log_warning("the log's end was torn", {{"bytes", std::to_string(there->size())},
                                             {"kept", std::to_string(wanted.size())}});
    }
    if (Status written = replace_file(pending_path(bundle), wanted); !written) {
      return written;
    }
  }
  for (uint64_t later = last + 1; ::unlink(pending_path(later).c_str()) == 0; ++later) {
    log_warning("entries behind the end of the log are removed", {{"file", pending_path(later)}});
  }
  return open_pending(last);
}

const std::string& TileLog::finished_bundle(uint64_t bundle) const {
  const std::string path = bundle_path(bundle, kTileWidth);
  const auto found = std::find_if(finished_.files.begin(), finished_.files.end(),
                                  [&](const auto& file) { return file.first == path; });
  return found->second;
}

// pending-<bundle>; or what was signed of the bundle, where that is more: in a log that was
// restored from a copy.
Result<std::string> TileLog::read_bundle_file(uint64_t bundle,
                                              const std::optional<Checkpoint>& last) {
  auto pending = read_file(pending_path(bundle), kMaxBundleBytes);
  if (!pending && pending.error().code != Errc::not_found) {
    return pending;
  }
  const uint64_t first = bundle * kTileWidth;
  const uint64_t was_signed = last && last->size > first ? last->size - first : 0;
  std::string bytes = pending ? std::move(*pending) : "";
  if (good_entries(bytes).size() >= std::min(was_signed, kTileWidth)) {
    return bytes;
  }
  auto tiled = TileReader(folder_, last->size).bundle(bundle);
  return tiled ? std::move(tiled) : lost_entries(folder_, tiled.error().message);
}

Status TileLog::open_pending(uint64_t bundle, int flags) {
  const std::string path = pending_path(bundle);
  pending_.reset(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0640));
  pending_bundle_ = bundle;
  return pending_ ? ok() : Status(errno_error(path));
}

Status TileLog::append(const std::vector<LogEntry>& entries) {
  if (broken_) {
    return Error{Errc::io, folder_ + " can no longer be written"};
  }
  std::vector<Part> parts;
  std::vector<std::string> texts;
  for (size_t i = 0; i < entries.size(); ++i) {
    const uint64_t bundle = (size_ + i) / kTileWidth;
    if (parts.empty() || parts.back().bundle != bundle) {
      parts.push_back({bundle, ""});
    }
    texts.push_back(log_entry_text(entries[i]));
    if (const auto readable = parse_log_entry(texts.back()); !readable) {
      return Error{Errc::invalid, readable.error().message};
    }
    append_to_bundle(parts.back().bytes, texts.back());
  }
  for (const Part& part : parts) {
    if (Status written = write_part(part); !written) {
      take_back();
      return written;
    }
  }
  for (const std::string& text : texts) {
    take(text);
  }
  return ok();
}

Status TileLog::write_part(const Part& part) {
  if (!pending_ || pending_bundle_ != part.bundle) {
    const bool is_new = part.bundle != size_ / kTileWidth || bundle_.empty();
    if (Status opened = open_pending(part.bundle, is_new ? O_TRUNC : 0); !opened) {
      return opened;
    }
  }
  return write_all(pending_.get(), as_bytes(part.bytes))
             ? ok()
             : Status(errno_error(pending_path(part.bundle)));
}

// The log is as it was before the append that failed, or it is never written again: what stands
// there half would come before whatever is appended next. By names: there may be no descriptor left
// to open a file with.
void TileLog::take_back() {
  const uint64_t bundle = size_ / kTileWidth;
  for (uint64_t later = pending_bundle_; later > bundle; --later) {
    broken_ = broken_ || (::unlink(pending_path(later).c_str()) != 0 && errno != ENOENT);
  }
  const bool is_cut =
      ::truncate(pending_path(bundle).c_str(), static_cast<off_t>(bundle_.size())) == 0 ||
      (errno == ENOENT && bundle_.empty());
  broken_ = broken_ || !is_cut;
  pending_.reset();
}

void TileLog::take(std::string_view entry) {
  append_to_bundle(bundle_, entry);
  if (levels_.empty()) {
    levels_.resize(1);
  }
  levels_[0].push_back(leaf_hash(as_bytes(entry)));
  ++size_;
  for (size_t level = 0; level < levels_.size() && levels_[level].size() == kTileWidth; ++level) {
    finish_tile(level);
  }
}

void TileLog::finish_tile(size_t level) {
  const auto number = (size_ >> (kTileHeight * (level + 1))) - 1;
  const std::string path = tile_path(static_cast<unsigned>(level), number, kTileWidth);
  finished_.files.emplace_back(path, hashes_bytes(levels_[level]));
  finished_.obsolete.push_back(path + ".p");
  if (level == 0) {
    const std::string bundle = bundle_path(number, kTileWidth);
    finished_.files.emplace_back(bundle, std::move(bundle_));
    finished_.obsolete.push_back(bundle + ".p");
    finished_.obsolete.push_back("pending-" + std::to_string(number));
    bundle_.clear();
  }
  if (levels_.size() == level + 1) {
    levels_.emplace_back();
  }
  levels_[level + 1].push_back(perfect_root(levels_[level]));
  levels_[level].clear();
}

Sha256Digest TileLog::root() const {
  const auto hash = [this](unsigned level, uint64_t index) -> Result<Sha256Digest> {
    const unsigned height = level % kTileHeight;
    const std::span hashes(levels_[level / kTileHeight]);
    return perfect_root(hashes.subspan((index << height) % kTileWidth, size_t{1} << height));
  };
  return *tree_root(size_, hash);
}

TileFiles TileLog::files() {
  TileFiles out = std::exchange(finished_, {});
  out.size = size_;
  out.root = root();
  handed_out_.resize(levels_.size());
  for (size_t level = 0; level < levels_.size(); ++level) {
    const uint64_t width = levels_[level].size();
    const uint64_t number = size_ >> (kTileHeight * (level + 1));
    const uint64_t hashes = size_ >> (kTileHeight * level);
    if (width == 0 || std::exchange(handed_out_[level], hashes) == hashes) {
      continue;
    }
    out.files.emplace_back(tile_path(static_cast<unsigned>(level), number, width),
                           hashes_bytes(levels_[level]));
    if (level == 0) {
      out.files.emplace_back(bundle_path(number, width), bundle_);
    }
  }
  return out;
}

Status write_tile_files(const std::string& folder, const TileFiles& files) {
  for (const auto& [name, bytes] : files.files) {
    const std::string path = folder + "/" + name;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    // What a checkpoint covers already is not touched: a power loss could take it.
    if (const auto there = read_file(path, bytes.size()); there && *there == bytes) {
      continue;
    }
    if (Status written = replace_file(path, bytes); !written) {
      return written;
    }
  }
  return ok();
}

void remove_obsolete(const std::string& folder, const TileFiles& files) {
  for (const std::string& name : files.obsolete) {
    std::error_code ignored;
    std::filesystem::remove_all(folder + "/" + name, ignored);
  }
}

}  // namespace sallyport
