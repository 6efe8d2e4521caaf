// SPDX-License-Identifier: Apache-2.0
//
// Files of a log as C2SP tlog-tiles lays them out: the hashes of the tree in tiles of 256, the
// entries in bundles of 256. A tile of level L has the roots of subtrees of 256^L entries.
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/sha256.h"
#include "shared/evidence/log_entry.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

inline constexpr unsigned kTileHeight = 8;
inline constexpr uint64_t kTileWidth = 256;
inline constexpr size_t kMaxBundleBytes = kTileWidth * (2 + kMaxLogEntryBytes);

// Below the log's folder: "tile/0/x001/067", "tile/entries/000.p/12".
std::string tile_path(unsigned level, uint64_t number, uint64_t width);
std::string bundle_path(uint64_t number, uint64_t width);

// (u16 big-endian length ‖ entry)*
void append_to_bundle(std::string& bundle, std::string_view entry);
// The whole entries at the beginning, and how many bytes they are.
struct BundleEntries {
  std::vector<std::string_view> entries;  // into the bundle
  size_t bytes = 0;
};
BundleEntries read_bundle(std::string_view bundle);

// The tree of `size` entries, by its files. Not thread-safe: keeps the tiles that it read last.
class TileReader {
public:
  TileReader(std::string folder, uint64_t size) : folder_(std::move(folder)), size_(size) {}

  uint64_t size() const { return size_; }
  // A SubtreeHash (merkle.h).
  Result<Sha256Digest> subtree(unsigned level, uint64_t index);
  // The entries of bundle `number` that this tree has, as bytes of whole entries.
  Result<std::string> bundle(uint64_t number) const;

private:
  using Tile = std::vector<Sha256Digest>;
  Result<const Tile*> tile(unsigned level, uint64_t number);

  std::string folder_;
  uint64_t size_;
  std::map<std::pair<unsigned, uint64_t>, Tile> tiles_;
};

}  // namespace sallyport
