// SPDX-License-Identifier: Apache-2.0
//
// tests/data/evidence/vectors.txt, which make_vectors.py has computed without a line of ours.
#pragma once

#include "shared/base/hex.h"
#include "tests/support/catch.h"

#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace sallyport::test {

// What stands behind `key`, for example "root 17".
inline const std::string& vector_of(const std::string& key) {
  static const std::map<std::string, std::string> vectors = [] {
    std::map<std::string, std::string> out;
    std::ifstream file(SALLYPORT_TEST_DATA "/evidence/vectors.txt");
    for (std::string line; std::getline(file, line);) {
      const size_t space = line.rfind(' ');
      out[line.substr(0, space)] = line.substr(space + 1);
    }
    return out;
  }();
  const auto found = vectors.find(key);
  REQUIRE(found != vectors.end());
  return found->second;
}

}  // namespace sallyport::test
