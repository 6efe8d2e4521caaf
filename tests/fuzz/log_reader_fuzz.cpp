// SPDX-License-Identifier: Apache-2.0
//
// A log's folder: the input is its files one after the other, each with a byte that says which, and
// a u16 length.
#include "shared/base/hex.h"
#include "shared/evidence/log_reader.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>

using namespace sallyport;

namespace {

constexpr std::array<const char*, 8> kFiles = {
    "checkpoint",           "tile/0/000",     "tile/0/000.p/3", "tile/entries/000",
    "tile/entries/000.p/3", "tile/1/000.p/1", "pending-0",      "heads"};

// In memory, where there is such a file system: disks are slow.
struct Folder {
  Folder() {
    path =
        std::filesystem::exists("/dev/shm") ? "/dev/shm/fuzz-log.XXXXXX" : "/tmp/fuzz-log.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      std::abort();
    }
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

void write(const std::string& path, std::string_view bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder made;
  const std::string& folder = made.path;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  std::span<const uint8_t> input(data, size);
  while (input.size() >= 3) {
    const std::string name = kFiles[input[0] % kFiles.size()];
    const size_t length = std::min<size_t>(input[1] * 256 + input[2], input.size() - 3);
    const auto bytes = input.subspan(3, length);
    write(folder + "/" + name + (name == "heads" ? "/" + to_hex(sha256(bytes)) : ""),
          as_text(bytes));
    input = input.subspan(3 + length);
  }
  const LogQuestions questions{[](const RecordingName&) { return true; }, true, {1, 2}};
  static_cast<void>(read_log(folder, questions));
  return 0;
}
