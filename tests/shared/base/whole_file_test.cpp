// SPDX-License-Identifier: Apache-2.0
#include "shared/base/whole_file.h"

#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <sys/stat.h>

using namespace sallyport;

TEST_CASE("what is read is a regular file of bounded length") {
  const TestFolder folder;
  CHECK(read_file(folder / "none", 10).error().code == Errc::not_found);
  folder.write("ten", "0123456789");
  CHECK(*read_file(folder / "ten", 10) == "0123456789");
  CHECK(read_file(folder / "ten", 9).error().code == Errc::corrupt);
  std::filesystem::create_symlink("ten", folder / "link");
  CHECK(!read_file(folder / "link", 10));
  std::filesystem::create_directory(folder / "folder");
  CHECK(!read_file(folder / "folder", 10));
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  const auto fifo = read_file(folder / "fifo", 10);  // it does not wait for a writer
  CHECK((!fifo || fifo->empty()));
}

TEST_CASE("replacing a file leaves the old one where it fails") {
  const TestFolder folder;
  folder.write("file", "old");
  REQUIRE(replace_file(folder / "file", "new"));
  CHECK(*read_file(folder / "file", 10) == "new");
  std::filesystem::create_directory(folder / "file.new");
  CHECK(!replace_file(folder / "file", "newer"));
  CHECK(*read_file(folder / "file", 10) == "new");
  CHECK(!replace_file(folder / "none/file", "x"));
}
