// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/log_export.h"

#include "bastion/ctl/log_copy.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/log_entry.h"
#include "shared/evidence/log_reader.h"
#include "shared/evidence/merkle.h"
#include "shared/evidence/tiles.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace sallyport {

namespace {

namespace fs = std::filesystem;

// What a note claims, whoever signed it.
Result<Checkpoint> claimed(const std::string& bytes) {
  const auto note = parse_note(bytes);
  return note ? parse_checkpoint(note->text) : Result<Checkpoint>(note.error());
}

Error in_file(const std::string& path, const Error& error) {
  return Error{error.code, printable(path) + ": " + error.message};
}

Error damaged(const Error& error) {
  const bool is_damage = error.code == Errc::corrupt || error.code == Errc::not_found;
  return is_damage ? Error{Errc::corrupt, "the log is damaged: " + error.message +
                                              "; `sallyportctl log verify` says what else is "
                                              "wrong, and `cp -a` copies it as it is"}
                   : error;
}

class LogExport {
public:
  LogExport(const LogExportRequest& request, const LogCopy& copy)
      : request_(request), copy_(copy), tiles_(request.log, 0) {}

  Result<ExportedLog> run() {
    // Cosigned ones first: then the checkpoint covers each of them.
    for (const auto step :
         {&LogExport::read_cosigned, &LogExport::read_checkpoint, &LogExport::compare_with_copy,
          &LogExport::copy_tiles, &LogExport::copy_cosigned, &LogExport::finish}) {
      if (const Status done = (this->*step)(); !done) {
        return done.error();
      }
    }
    return exported_;
  }

private:
  Status read_cosigned() {
    const std::string folder = request_.log + "/cosigned";
    std::error_code error;
    for (fs::directory_iterator file(folder, error), end; !error && file != end;
         file.increment(error)) {
      const std::string name = file->path().filename().string();
      if (name.ends_with(".new")) {  // being written
        continue;
      }
      auto note = read_file(file->path().string(), kMaxNoteBytes);
      if (!note) {
        return note.error();
      }
      cosigned_[name] = std::move(*note);
    }
    return error && error != std::errc::no_such_file_or_directory
               ? Status(Error{Errc::io, folder + ": " + error.message()})
               : ok();
  }

  Status read_checkpoint() {
    const std::string path = request_.log + "/checkpoint";
    auto note = read_file(path, kMaxNoteBytes);
    if (!note) {
      return note.error().code == Errc::not_found
                 ? Error{Errc::not_found, "there is no checkpoint yet (" + path + ")"}
                 : note.error();
    }
    const auto checkpoint = request_.key ? open_checkpoint(*note, *request_.key) : claimed(*note);
    if (!checkpoint) {
      return in_file(path, checkpoint.error());
    }
    note_ = std::move(*note);
    checkpoint_ = *checkpoint;
    exported_.size = checkpoint_.size;
    tiles_ = TileReader(request_.log, checkpoint_.size);
    const auto root = root_of_first(checkpoint_.size);
    if (!root) {
      return damaged(root.error());
    }
    return *root == checkpoint_.root
               ? ok()
               : Status(damaged({Errc::corrupt, "its tiles do not make the root of " + path}));
  }

  Result<Sha256Digest> root_of_first(uint64_t size) {
    return tree_root(size, [this](unsigned level, uint64_t index) -> Result<Sha256Digest> {
      const uint64_t number = (index << level % kTileHeight) / kTileWidth;
      const Status good = check_tile(level / kTileHeight, number);
      return good ? tiles_.subtree(level, index) : good.error();
    });
  }

  uint64_t width_of(unsigned level, uint64_t number) const {
    const uint64_t hashes = checkpoint_.size >> (kTileHeight * level);
    return std::min(kTileWidth, hashes - number * kTileWidth);
  }

  Result<std::vector<Sha256Digest>> tile_hashes(unsigned level, uint64_t number) {
    std::vector<Sha256Digest> hashes;
    for (uint64_t i = 0; i < width_of(level, number); ++i) {
      const auto hash = tiles_.subtree(kTileHeight * level, number * kTileWidth + i);
      if (!hash) {
        return hash.error();
      }
      hashes.push_back(*hash);
    }
    return hashes;
  }

  // The hashes of a full tile make one of the tile above, and so on; those of all partial tiles
  // make the signed root.
  Status check_tile(unsigned level, uint64_t number) {
    if (width_of(level, number) < kTileWidth || checked_.contains({level, number})) {
      return ok();
    }
    const auto hashes = tile_hashes(level, number);
    const auto above = tiles_.subtree(kTileHeight * (level + 1), number);
    if (!hashes || !above) {
      return hashes ? above.error() : hashes.error();
    }
    if (*above != perfect_root(*hashes)) {
      return Error{Errc::corrupt, tile_path(level, number, kTileWidth) + " is not what was signed"};
    }
    const Status good = check_tile(level + 1, number / kTileWidth);
    if (good) {
      checked_.emplace(level, number);
    }
    return good;
  }

  Status compare_with_copy() {
    const std::string path = copy_.path("checkpoint");
    const auto note = read_file(path, kMaxNoteBytes);
    if (!note) {
      return note.error().code == Errc::not_found ? ok() : Status(note.error());
    }
    const auto before = claimed(*note);
    if (!before) {
      return Error{Errc::invalid, in_file(path, before.error()).message +
                                      "; name a folder that is empty or has a copy of this log"};
    }
    if (before->origin != checkpoint_.origin) {
      return Error{Errc::invalid, printable(path) + " is of another log, " +
                                      printable(before->origin) + "; this one is " +
                                      printable(checkpoint_.origin) + ": name another folder"};
    }
    if (before->size > checkpoint_.size) {
      return not_continued(path, "has " + std::to_string(before->size) + " entries, and our log " +
                                     std::to_string(checkpoint_.size));
    }
    const auto root = root_of_first(before->size);
    if (!root) {
      return damaged(root.error());
    }
    exported_.size_before = before->size;
    return *root == before->root
               ? ok()
               : Status(not_continued(path, "covers " + std::to_string(before->size) +
                                                " entries that are not the first of our log"));
  }

  static Error not_continued(const std::string& path, const std::string& what) {
    return Error{Errc::corrupt,
                 printable(path) + " " + what +
                     ": our log was rolled back or forked, or another bastion has its name. Keep "
                     "that copy, it is the proof (docs/operations.md, \"The log\"); to copy this "
                     "log nevertheless, name another folder"};
  }

  Status copy_tiles() {
    for (unsigned level = 0; checkpoint_.size >> (kTileHeight * level) != 0; ++level) {
      const uint64_t hashes = checkpoint_.size >> (kTileHeight * level);
      for (uint64_t number = 0; number * kTileWidth < hashes; ++number) {
        const uint64_t width = width_of(level, number);
        Status done = copy_tile(level, number, width);
        if (done && level == 0) {
          done = copy_bundle(number, width);
        }
        if (!done) {
          return done;
        }
      }
    }
    return ok();
  }

  // Full, and of what the copy's own checkpoint covers: it was looked at when it was put there.
  bool is_there(const std::string& name, unsigned level, uint64_t number, uint64_t width) const {
    const uint64_t entries = (number + 1) << (kTileHeight * (level + 1));
    return width == kTileWidth && entries <= exported_.size_before && copy_.has(name);
  }

  Status put_tile(const std::string& name, uint64_t width, std::string_view bytes) {
    if (width == kTileWidth) {
      obsolete_.push_back(name + ".p");
    }
    return copy_.put(name, bytes);
  }

  Status copy_tile(unsigned level, uint64_t number, uint64_t width) {
    const std::string name = tile_path(level, number, width);
    if (is_there(name, level, number, width)) {
      return ok();
    }
    const Status good = check_tile(level, number);
    const auto hashes =
        good ? tile_hashes(level, number) : Result<std::vector<Sha256Digest>>(good.error());
    if (!hashes) {
      return damaged(hashes.error());
    }
    std::string bytes;
    for (const Sha256Digest& hash : *hashes) {
      bytes += as_text(hash);
    }
    return put_tile(name, width, bytes);
  }

  Status copy_bundle(uint64_t number, uint64_t width) {
    const std::string name = bundle_path(number, width);
    if (is_there(name, 0, number, width)) {
      return ok();
    }
    const auto bytes = tiles_.bundle(number);
    if (!bytes) {
      return damaged(bytes.error());
    }
    uint64_t index = number * kTileWidth;
    for (const std::string_view entry : read_bundle(*bytes).entries) {
      const auto hash = tiles_.subtree(0, index);
      if (!hash || *hash != leaf_hash(as_bytes(entry))) {
        return damaged({Errc::corrupt, "entry " + std::to_string(index) +
                                           " is not what was "
                                           "signed"});
      }
      if (Status copied = copy_named_file(entry); !copied) {
        return damaged(copied.error());
      }
      ++index;
    }
    return put_tile(name, width, *bytes);
  }

  // The heads file or the order that an entry has the hash of.
  Status copy_named_file(std::string_view text) {
    const auto entry = parse_log_entry(text);
    if (!entry) {
      return entry.error();
    }
    const bool of_heads = entry->kind == LogEntry::Kind::heads;
    if (!of_heads && entry->kind != LogEntry::Kind::erase) {
      return ok();
    }
    const std::string kind = of_heads ? "heads" : "orders";
    const std::string name = kind + "/" + to_hex(entry->hash);
    if (copy_.has(name)) {
      return ok();
    }
    const auto bytes = read_hashed_file(request_.log, kind, entry->hash);
    if (!bytes && of_heads && bytes.error().code == Errc::not_found) {
      return ok();  // stored deletes old ones; verification knows which it may
    }
    return bytes ? copy_.put(name, *bytes) : Status(bytes.error());
  }

  Status copy_cosigned() {
    for (const auto& [witness, note] : cosigned_) {
      const auto checkpoint = claimed(note);
      if (!checkpoint || !is_covered(*checkpoint)) {
        exported_.left_out.push_back(
            "cosigned/" + witness +
            " is left out: " + (checkpoint ? "it is not of this log" : checkpoint.error().message));
      } else if (Status put = copy_.put("cosigned/" + witness, note); !put) {
        return put;
      }
    }
    return ok();
  }

  bool is_covered(const Checkpoint& other) {
    const auto root =
        other.size > checkpoint_.size ? Error{Errc::corrupt, "larger"} : root_of_first(other.size);
    return other.origin == checkpoint_.origin && root && *root == other.root;
  }

  // A checkpoint never covers what the disk does not have.
  Status finish() {
    Status done = copy_.sync();
    if (done) {
      done = copy_.put("checkpoint", note_);
    }
    if (done) {
      done = copy_.sync();
    }
    for (const std::string& partial : obsolete_) {
      if (done) {
        copy_.remove(partial);
      }
    }
    return done;
  }

  const LogExportRequest& request_;
  const LogCopy& copy_;
  TileReader tiles_;
  std::map<std::string, std::string> cosigned_;  // by the witness
  std::string note_;
  Checkpoint checkpoint_;
  ExportedLog exported_;
  std::set<std::pair<unsigned, uint64_t>> checked_;  // full tiles
  std::vector<std::string> obsolete_;                // partial tiles, whose full ones are there
};

}  // namespace

Result<ExportedLog> export_log(const LogExportRequest& request) {
  const auto copy = LogCopy::open(request.to, request.kept_out);
  return copy ? LogExport(request, *copy).run() : copy.error();
}

}  // namespace sallyport
