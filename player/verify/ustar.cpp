// SPDX-License-Identifier: Apache-2.0
#include "player/verify/ustar.h"

#include "shared/base/hex.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sallyport {

namespace {

constexpr size_t kMaxNameBytes = 99;
constexpr size_t kMaxMembers = 64;
constexpr size_t kSizeAt = 124;
constexpr size_t kSumAt = 148;

// What a name may have: nothing that means something to a shell or a file system.
bool is_member_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name[0] != '.' && name[0] != '-' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string::npos;
}

Error not_ours(const std::string& why) {
  return Error{Errc::corrupt, "not an evidence file: " + why};
}

uint64_t octal(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    value = c >= '0' && c <= '7' ? value * 8 + static_cast<uint64_t>(c - '0') : value;
  }
  return value;
}

}  // namespace

std::string ustar_header(const std::string& name, uint64_t size) {
  std::string block(kUstarBlock, '\0');
  const auto put = [&block](size_t at, const std::string& text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  char number[16];
  std::snprintf(number, sizeof number, "%011llo", static_cast<unsigned long long>(size));
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(kSizeAt, number);
  put(136, "00000000000");
  put(kSumAt, "        ");
  put(156, "0");
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : block) {
    sum += static_cast<unsigned char>(c);
  }
  std::snprintf(number, sizeof number, "%06o", sum);
  put(kSumAt, std::string(number) + '\0');
  return block;
}

size_t ustar_padding(uint64_t size) {
  return static_cast<size_t>((kUstarBlock - size % kUstarBlock) % kUstarBlock);
}

std::string ustar_end() {
  return std::string(2 * kUstarBlock, '\0');
}

Result<std::vector<TarMember>> read_ustar(ByteSource& source) {
  std::vector<TarMember> members;
  for (uint64_t offset = 0;;) {
    std::array<uint8_t, kUstarBlock> bytes{};
    const auto got = source.read_at(offset, bytes);
    const auto whole = source.size();
    if (!got || !whole) {
      return got ? whole.error() : got.error();
    }
    if (*got < bytes.size()) {
      return not_ours("it is cut");
    }
    const std::string block(as_text(bytes));
    if (block == std::string(kUstarBlock, '\0')) {
      return *whole == offset + 2 * kUstarBlock ? Result(members)
                                                : not_ours("something follows it");
    }
    TarMember member{block.substr(0, block.find('\0')), offset + kUstarBlock,
                     octal(block.substr(kSizeAt, 11))};
    if (!is_member_name(member.name) || ustar_header(member.name, member.size) != block) {
      return not_ours("a header that no export writes");
    }
    const bool known = std::any_of(members.begin(), members.end(),
                                   [&](const TarMember& m) { return m.name == member.name; });
    if (known || members.size() == kMaxMembers) {
      return not_ours("a name twice, or too many");
    }
    offset = member.offset + member.size;
    std::vector<uint8_t> padding(ustar_padding(member.size));
    const auto padded = source.read_at(offset, padding);
    if (!padded) {
      return padded.error();
    }
    if (*padded < padding.size() ||
        std::any_of(padding.begin(), padding.end(), [](uint8_t byte) { return byte != 0; })) {
      return not_ours("it is cut, or padded with something");
    }
    offset += padding.size();
    members.push_back(std::move(member));
  }
}

Result<size_t> SubSource::read_at(uint64_t offset, std::span<uint8_t> out) {
  if (offset >= size_) {
    return size_t{0};
  }
  const uint64_t there = std::min<uint64_t>(out.size(), size_ - offset);
  return whole_->read_at(offset_ + offset, out.first(static_cast<size_t>(there)));
}

}  // namespace sallyport
