// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/tiles.h"

#include "shared/base/whole_file.h"
#include "shared/evidence/merkle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace sallyport {

namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kMaxCachedTiles = 64;

// "x001/x234/067": groups of three digits, all but the last with an x.
std::string number_path(uint64_t number) {
  char group[8];
  std::snprintf(group, sizeof group, "%03u", static_cast<unsigned>(number % 1000));
  std::string path = group;
  for (number /= 1000; number > 0; number /= 1000) {
    std::snprintf(group, sizeof group, "x%03u", static_cast<unsigned>(number % 1000));
    path = std::string(group) + "/" + path;
  }
  return path;
}

std::string with_width(const std::string& path, uint64_t width) {
  return width == kTileWidth ? path : path + ".p/" + std::to_string(width);
}

// A partial file of at least this width: who reads while the log grows may come late for the exact
// one.
std::optional<std::string> wider_partial(const std::string& full_path, uint64_t width) {
  std::error_code error;
  uint64_t best = kTileWidth;
  for (std::filesystem::directory_iterator files(full_path + ".p", error), end;
       !error && files != end; files.increment(error)) {
    const std::string name = files->path().filename().string();
    uint64_t has = 0;
    const auto [stop, wrong] = std::from_chars(name.data(), name.data() + name.size(), has);
    if (wrong == std::errc() && stop == name.data() + name.size() && has >= width) {
      best = std::min(best, has);
    }
  }
  return best < kTileWidth ? std::optional(with_width(full_path, best)) : std::nullopt;
}

// Among the folders of numbers, "x001/": one that leads back would make a few tiles look like any
// number of them.
bool has_link(const std::string& folder, const std::string& path) {
  for (size_t at = path.find("/x"); at != std::string::npos; at = path.find("/x", at + 1)) {
    struct stat info {};
    const std::string part = folder + "/" + path.substr(0, path.find('/', at + 1));
    if (::lstat(part.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
      return true;
    }
  }
  return false;
}

// The full file, or the partial one of this width, or a wider one. `path` is below `folder`.
Result<std::string> read_widest(const std::string& folder, const std::string& path, uint64_t width,
                                size_t max_bytes) {
  const std::string full_path = folder + "/" + path;
  if (has_link(folder, path)) {
    return Error{Errc::corrupt, full_path + " lies behind a link: a log has none"};
  }
  auto bytes = read_file(full_path, max_bytes);
  if (!bytes && bytes.error().code == Errc::not_found && width < kTileWidth) {
    bytes = read_file(with_width(full_path, width), max_bytes);
  }
  if (!bytes && bytes.error().code == Errc::not_found) {
    if (const auto wider = wider_partial(full_path, width)) {
      bytes = read_file(*wider, max_bytes);
    }
  }
  if (!bytes && bytes.error().code == Errc::not_found) {
    bytes = read_file(full_path, max_bytes);  // finished meanwhile, and the partial one is gone
  }
  return bytes;
}

}  // namespace

std::string tile_path(unsigned level, uint64_t number, uint64_t width) {
  return with_width("tile/" + std::to_string(level) + "/" + number_path(number), width);
}

std::string bundle_path(uint64_t number, uint64_t width) {
  return with_width("tile/entries/" + number_path(number), width);
}

void append_to_bundle(std::string& bundle, std::string_view entry) {
  bundle.push_back(static_cast<char>(entry.size() >> 8));
  bundle.push_back(static_cast<char>(entry.size() & 0xff));
  bundle.append(entry);
}

BundleEntries read_bundle(std::string_view bundle) {
  BundleEntries out;
  while (bundle.size() - out.bytes >= 2) {
    const auto* at = reinterpret_cast<const uint8_t*>(bundle.data()) + out.bytes;
    const size_t length = static_cast<size_t>(at[0]) << 8 | at[1];
    if (length == 0 || length > bundle.size() - out.bytes - 2) {
      break;
    }
    out.entries.push_back(bundle.substr(out.bytes + 2, length));
    out.bytes += 2 + length;
  }
  return out;
}

Result<const TileReader::Tile*> TileReader::tile(unsigned level, uint64_t number) {
  const auto known = tiles_.find({level, number});
  if (known != tiles_.end()) {
    return &known->second;
  }
  const uint64_t hashes = size_ >> (kTileHeight * level);
  const uint64_t width = std::min(kTileWidth, hashes - number * kTileWidth);
  const std::string path = tile_path(level, number, kTileWidth);
  const auto bytes = read_widest(folder_, path, width, kTileWidth * kHashBytes);
  if (!bytes) {
    return bytes.error();
  }
  if (bytes->size() < width * kHashBytes || bytes->size() % kHashBytes != 0) {
    return Error{Errc::corrupt, folder_ + "/" + path + " is too short"};
  }
  Tile tile(width);
  for (size_t i = 0; i < width; ++i) {
    std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(i * kHashBytes), kHashBytes,
                tile[i].begin());
  }
  if (tiles_.size() >= kMaxCachedTiles) {
    tiles_.clear();
  }
  return &(tiles_[{level, number}] = std::move(tile));
}

Result<Sha256Digest> TileReader::subtree(unsigned level, uint64_t index) {
  const unsigned height = level % kTileHeight;
  const uint64_t first = index << height;
  const uint64_t number = first / kTileWidth;
  const size_t count = size_t{1} << height;
  const unsigned tile_level = level / kTileHeight;
  if (first + count > (size_ >> (kTileHeight * tile_level))) {
    return Error{Errc::invalid, "a subtree beyond the tree"};
  }
  const auto hashes = tile(tile_level, number);
  if (!hashes) {
    return hashes.error();
  }
  return perfect_root(std::span(**hashes).subspan(first % kTileWidth, count));
}

Result<std::string> TileReader::bundle(uint64_t number) const {
  if (size_ == 0 || number > (size_ - 1) / kTileWidth) {
    return Error{Errc::invalid, "a bundle beyond the tree"};
  }
  const uint64_t width = std::min(kTileWidth, size_ - number * kTileWidth);
  const std::string path = bundle_path(number, kTileWidth);
  auto bytes = read_widest(folder_, path, width, kMaxBundleBytes);
  if (!bytes) {
    return bytes;
  }
  const auto read = read_bundle(*bytes);
  if (read.entries.size() < width) {
    return Error{Errc::corrupt, folder_ + "/" + path + " has fewer entries than the log"};
  }
  const auto& last = read.entries[width - 1];
  bytes->resize(static_cast<size_t>(last.data() - bytes->data()) + last.size());
  return bytes;
}

}  // namespace sallyport
