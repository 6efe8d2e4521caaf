// SPDX-License-Identifier: Apache-2.0
#include "shared/base/place_descriptors.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

namespace sallyport {

namespace {

constexpr int kFirstDescriptor = 3;

}  // namespace

void place_descriptors(const std::vector<int>& descriptors) {
  const int count = static_cast<int>(descriptors.size());
  // Aside first, so that none overwrites another that is still to be moved.
  std::vector<int> aside;
  for (const int fd : descriptors) {
    aside.push_back(::fcntl(fd, F_DUPFD, kFirstDescriptor + count));
  }
  for (int i = 0; i < count; ++i) {
    if (::dup2(aside[static_cast<size_t>(i)], kFirstDescriptor + i) < 0) {
      ::_exit(127);
    }
  }
  ::close_range(static_cast<unsigned>(kFirstDescriptor + count), ~0U, 0);
}

}  // namespace sallyport
