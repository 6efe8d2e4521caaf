// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/log_reader.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/log_book.h"
#include "shared/evidence/merkle.h"
#include "shared/evidence/tiles.h"

#include <algorithm>

namespace sallyport {

namespace {

constexpr size_t kMaxHashedFile = 64 * 1024 * 1024;
constexpr uint64_t kMaxPendingFiles = 64;

// One way through the entries.
class LogWalk {
public:
  // With `only_signed`: an entry that is not what its tile says is not taken.
  LogWalk(const std::string& folder, const LogQuestions& questions, LogContents& contents,
          bool only_signed)
      : questions_(questions),
        contents_(contents),
        tiles_(folder, contents.checkpoint.size),
        book_(folder, questions, contents),
        only_signed_(only_signed) {}

  void run() {
    note_root();
    const uint64_t size = contents_.checkpoint.size;
    for (uint64_t bundle = 0; bundle * kTileWidth < size; ++bundle) {
      if (!take_bundle(bundle, std::min(kTileWidth, size - bundle * kTileWidth))) {
        break;
      }
    }
    book_.finish();
    contents_.entries = frontier_.size();
  }

  bool makes_signed_root() const {
    return frontier_.size() == contents_.checkpoint.size &&
           frontier_.root() == contents_.checkpoint.root;
  }

  // The tree as the tiles alone have it.
  bool tiles_make_signed_root() {
    const auto root = root_of_tiles(contents_.checkpoint.size);
    return root && *root == contents_.checkpoint.root;
  }
  void take_roots_of_tiles() {
    for (auto& [size, root] : contents_.roots) {
      root = root_of_tiles(size).value_or(root);
    }
  }

private:
  std::optional<Sha256Digest> root_of_tiles(uint64_t size) {
    const auto root = tree_root(
        size, [this](unsigned level, uint64_t index) { return tiles_.subtree(level, index); });
    return root ? std::optional(*root) : std::nullopt;
  }

  // False: there is nothing more to read.
  bool take_bundle(uint64_t bundle, uint64_t width) {
    const auto bytes = tiles_.bundle(bundle);
    const auto hashes = tile_hashes(bundle, width);
    if (!bytes) {
      book_.fault(std::nullopt, bytes.error().message + ": what entries " +
                                    std::to_string(bundle * kTileWidth) + " to " +
                                    std::to_string(bundle * kTileWidth + width - 1) +
                                    " of the log said is lost");
    }
    if (!bytes && !hashes) {
      return false;
    }
    if (!hashes) {
      book_.fault(std::nullopt, hashes.error().message + " (a tile of hashes)");
    }
    const auto entries = bytes ? read_bundle(*bytes).entries : std::vector<std::string_view>();
    std::vector<Sha256Digest> leaves;
    for (uint64_t i = 0; i < width; ++i) {
      const uint64_t index = bundle * kTileWidth + i;
      leaves.push_back(bytes ? leaf_hash(as_bytes(entries[i])) : (*hashes)[i]);
      frontier_.append(leaves.back());
      note_root();
      if (bytes) {
        take_entry(index, entries[i], !hashes || (*hashes)[i] == leaves.back());
      }
    }
    take_level(0, leaves);
    return true;
  }

  Result<std::vector<Sha256Digest>> tile_hashes(uint64_t bundle, uint64_t width) {
    std::vector<Sha256Digest> hashes;
    for (uint64_t i = 0; i < width; ++i) {
      const auto hash = tiles_.subtree(0, bundle * kTileWidth + i);
      if (!hash) {
        return hash.error();
      }
      hashes.push_back(*hash);
    }
    return hashes;
  }

  void take_entry(uint64_t index, std::string_view text, bool as_in_tile) {
    const auto entry = parse_log_entry(text);
    const bool named =
        entry && (entry->kind == LogEntry::Kind::start || entry->kind == LogEntry::Kind::end ||
                  entry->kind == LogEntry::Kind::erase);
    if (!as_in_tile) {
      book_.fault(named ? std::optional(entry->recording) : std::nullopt,
                  "entry " + std::to_string(index) + " of the log (\"" + printable(text, 160) +
                      "\") " +
                      (only_signed_ ? "was changed: it is not what was signed"
                                    : "and its hash in the tile differ"));
    }
    if (!entry) {
      book_.fault(std::nullopt, "entry " + std::to_string(index) + ": " + entry.error().message);
    } else if (as_in_tile || !only_signed_) {
      book_.take(index, *entry);
    }
  }

  // Hashes of a tile that is full: its root is one of the next level, and stands in a tile there.
  void take_level(unsigned level, const std::vector<Sha256Digest>& hashes) {
    if (hashes.size() != kTileWidth) {
      return;
    }
    const unsigned above = level + 1;
    if (levels_.size() <= above) {
      levels_.resize(above + 1);
      counts_.resize(above + 1);
    }
    const auto root = perfect_root(hashes);
    const uint64_t index = counts_[above]++;
    const auto there = tiles_.subtree(kTileHeight * above, index);
    if (!there || *there != root) {
      book_.fault(std::nullopt, there ? tile_path(above, index / kTileWidth, kTileWidth) +
                                            ": hash " + std::to_string(index % kTileWidth) +
                                            " is not that of the entries"
                                      : there.error().message + " (a tile of hashes)");
    }
    levels_[above].push_back(root);
    if (levels_[above].size() == kTileWidth) {
      const auto full = std::exchange(levels_[above], {});
      take_level(above, full);
    }
  }

  void note_root() {
    if (questions_.sizes.contains(frontier_.size())) {
      contents_.roots[frontier_.size()] = frontier_.root();
    }
  }

  const LogQuestions& questions_;
  LogContents& contents_;
  TileReader tiles_;
  LogBook book_;
  MerkleFrontier frontier_;
  std::vector<std::vector<Sha256Digest>> levels_;
  std::vector<uint64_t> counts_;
  bool only_signed_;
};

// What was appended since the checkpoint: no proof of anything, but no reason for alarm either.
void read_pending(const std::string& folder, LogContents& contents) {
  const uint64_t size = contents.checkpoint.size;
  const uint64_t first = size / kTileWidth;
  for (uint64_t bundle = first; bundle < first + kMaxPendingFiles; ++bundle) {
    const auto bytes = read_file(folder + "/pending-" + std::to_string(bundle), kMaxBundleBytes);
    if (!bytes) {
      return;
    }
    uint64_t index = bundle * kTileWidth;
    for (const auto& text : read_bundle(*bytes).entries) {
      const auto entry = parse_log_entry(text);
      if (index++ >= size && entry && entry->kind == LogEntry::Kind::start) {
        contents.unsigned_starts.insert(entry->recording);
      }
    }
  }
}

Result<LogContents> read_checkpoint_file(const std::string& folder) {
  const std::string path = folder + "/checkpoint";
  auto bytes = read_file(path, kMaxNoteBytes);
  if (!bytes) {
    return Error{bytes.error().code, bytes.error().code == Errc::not_found
                                         ? printable(folder) + " has no checkpoint: no log"
                                         : bytes.error().message};
  }
  const auto note = parse_note(*bytes);
  const auto checkpoint = note ? parse_checkpoint(note->text) : Result<Checkpoint>(note.error());
  if (!checkpoint) {
    return Error{checkpoint.error().code, printable(path) + ": " + checkpoint.error().message};
  }
  LogContents contents;
  contents.note = std::move(*bytes);
  contents.checkpoint = *checkpoint;
  return contents;
}

}  // namespace

Result<LogContents> read_log(const std::string& folder, const LogQuestions& questions) {
  auto begun = read_checkpoint_file(folder);
  if (!begun) {
    return begun;
  }
  LogContents contents = *begun;
  LogWalk walk(folder, questions, contents, false);
  walk.run();
  contents.root_holds = walk.makes_signed_root();
  if (!contents.root_holds && walk.tiles_make_signed_root()) {
    contents = std::move(*begun);
    LogWalk again(folder, questions, contents, true);
    again.run();
    again.take_roots_of_tiles();
    contents.root_holds = true;
  }
  std::sort(contents.audits.begin(), contents.audits.end());
  read_pending(folder, contents);
  return contents;
}

Result<std::string> read_hashed_file(const std::string& folder, const std::string& kind,
                                     const Sha256Digest& hash) {
  const std::string path = folder + "/" + kind + "/" + to_hex(hash);
  auto bytes = read_file(path, kMaxHashedFile);
  if (!bytes) {
    return Error{bytes.error().code, bytes.error().code == Errc::not_found
                                         ? printable(path) + " is missing"
                                         : bytes.error().message};
  }
  if (sha256(as_bytes(*bytes)) != hash) {
    return Error{Errc::corrupt, printable(path) + " was changed: its SHA-256 is another"};
  }
  return bytes;
}

}  // namespace sallyport
