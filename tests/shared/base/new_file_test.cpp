// SPDX-License-Identifier: Apache-2.0
#include "shared/base/new_file.h"

#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace sallyport;
namespace fs = std::filesystem;

namespace {

// Writes stop at so many bytes, as on a full disk: first a short one, then none.
struct FullDisk {
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before); }
  rlimit before{};
};

std::string content(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("a new file has its mode whatever the umask") {
  const TestFolder folder;
  const mode_t before = ::umask(077);
  CHECK(write_new_file(folder / "key", "secret"));
  CHECK(write_new_file(folder / "text", "all", 0644));
  ::umask(before);
  CHECK(mode_of(folder / "key") == 0600);
  CHECK(mode_of(folder / "text") == 0644);
  CHECK(content(folder / "text") == "all");
}

TEST_CASE("a new file never replaces one, nor a link to nowhere") {
  const TestFolder folder;
  REQUIRE(write_new_file(folder / "key", "secret"));
  fs::create_symlink("nowhere", folder / "link");
  for (const char* taken : {"key", "link"}) {
    const Status again = write_new_file(folder / taken, "other");
    REQUIRE_FALSE(again);
    CHECK(again.error().message.find("File exists") != std::string::npos);
  }
  CHECK(content(folder / "key") == "secret");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("a new file that the disk has no room for leaves nothing and says why") {
  const TestFolder folder;
  Status made = ok();
  {
    const FullDisk full(10);
    made = write_new_file(folder / "key", std::string(100, 'x'));
  }
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find("File too large") != std::string::npos);
  CHECK(fs::is_empty(folder.path()));
}
