// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/id.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace sallyport {

// A directory for one test, in which stock tools run on files.
class TempDir {
public:
  TempDir() : path_(std::filesystem::temp_directory_path() / ("sallyport-" + Id::random().hex())) {
    std::filesystem::create_directory(path_);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  void write(std::string_view name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  std::string read(std::string_view name) const {
    std::ifstream in(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  int run(const std::string& command) const {
    return std::system(("cd " + path_.string() + " && " + command).c_str());
  }

private:
  std::filesystem::path path_;
};

}  // namespace sallyport
