// SPDX-License-Identifier: Apache-2.0
//
// Keys made by the stock ssh-keygen and openssl, in a folder that goes with the test.
#pragma once

#include "shared/base/secret_bytes.h"
#include "tests/support/test_folder.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace sallyport::test {

inline void run(const std::string& command) {
  if (std::system(("(" + command + ") >/dev/null 2>&1 </dev/null").c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

inline std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// ssh-keygen with one round of bcrypt; FILE and FILE.pub.
inline std::string make_key(const TestFolder& folder, const std::string& options,
                            const std::string& passphrase = "") {
  static int count = 0;
  const std::string file = folder / ("key" + std::to_string(++count));
  run("ssh-keygen -q -a 1 -C 'a comment' -N '" + passphrase + "' " + options + " -f " + file);
  return file;
}

// TEXT.sig, after `ssh-keygen -Y sign -n NAMESPACE -f FILE OPTIONS TEXT`.
inline std::string sign(const TestFolder& folder, const std::string& file, const std::string& text,
                        const std::string& signature_namespace, const std::string& options = "") {
  static int count = 0;
  const std::string name = folder / ("text" + std::to_string(++count));
  write_text(name, text);
  run("ssh-keygen -Y sign -n " + signature_namespace + " -f " + file + " " + options + " " + name);
  return read_text(name + ".sig");
}

// "ssh-ed25519 AAAA...", without the comment.
inline std::string public_half(const std::string& file) {
  const std::string line = read_text(file + ".pub");
  return line.substr(0, line.find(' ', line.find(' ') + 1));
}

}  // namespace sallyport::test
