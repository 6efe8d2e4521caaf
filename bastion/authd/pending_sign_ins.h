// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sallyport {

// One pending device flow per key and per person: two codes for one person at once is how phishing
// looks. And not many per address: a client that reconnects in a loop, each time with a key made
// for it, would fill the provider with flows.
class PendingSignIns {
public:
  // LegalHolds its names until it goes. It may outlive the table.
  class Claim {
  public:
    Claim() = default;
    Claim(Claim&&) noexcept = default;
    Claim& operator=(Claim&& other) noexcept {
      std::swap(table_, other.table_);
      std::swap(names_, other.names_);
      return *this;
    }
    ~Claim() {
      for (const std::string& name : names_) {
        table_->erase(name);
      }
    }
    explicit operator bool() const { return table_ != nullptr; }

  private:
    friend class PendingSignIns;
    std::shared_ptr<std::set<std::string>> table_;
    std::vector<std::string> names_;
  };

  // One of so many names for the same thing that is not taken; "" where all are.
  std::string free_place(const std::string& name, size_t places) const {
    for (size_t i = 0; i < places; ++i) {
      const std::string place = name + " " + std::to_string(i);
      if (!table_->contains(place)) {
        return place;
      }
    }
    return "";
  }

  // Empty when one of the names is taken.
  Claim claim(std::vector<std::string> names) {
    Claim claim;
    for (const std::string& name : names) {
      if (table_->contains(name)) {
        return claim;
      }
    }
    table_->insert(names.begin(), names.end());
    claim.table_ = table_;
    claim.names_ = std::move(names);
    return claim;
  }

private:
  std::shared_ptr<std::set<std::string>> table_ = std::make_shared<std::set<std::string>>();
};

}  // namespace sallyport
