// SPDX-License-Identifier: Apache-2.0
//
// What one target shows against what is pinned. Three ways to pin it: a person looks and says yes
// (pin), a host CA says so (ca_only), or the target itself does, in a connection in which it has
// proven a pinned key (learn). The last two ask nobody.
#pragma once

#include "bastion/ctl/context.h"
#include "bastion/ctl/host_keys/compare.h"
#include "shared/config/address.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace sallyport {

struct ScanOptions {
  enum class Pin { nothing, asked, certified, learnt };
  Pin pin = Pin::nothing;
  std::string login;  // for learnt
  std::string identity;
  bool prune = false;
  bool yes = false;
  bool as_json = false;
};

// sallyportctl's exit status, the worst of all targets: 0 is that all of it is pinned.
inline constexpr int kScanDiffers = 3;
inline constexpr int kScanRefused = 4;  // changed, or revoked

class TargetScan {
public:
  // `name`: a target, or an address that is none, which can be looked at but not pinned.
  static Result<TargetScan> find(const Ctl& ctl, const Config& config, const ScanOptions& options,
                                 const std::string& name);

  // Looks, shows and pins as the options say. An error also when what is there is refused.
  Status run();
  int status() const;
  nlohmann::json json() const;

private:
  TargetScan(const Ctl& ctl, const Config& config, const ScanOptions& options)
      : ctl_(ctl), config_(config), options_(options) {}
  Status look();
  Status learn();
  void compare();
  void show() const;
  Status pin();
  Status save(const std::vector<std::string>& pins);
  Status judge() const;

  const Ctl& ctl_;
  const Config& config_;
  const ScanOptions& options_;
  std::string name_;
  HostPort address_;
  bool in_inventory_ = false;
  std::vector<std::string> pinned_;
  std::vector<PublicKeyLine> shown_;
  std::vector<PublicKeyLine> certified_;  // by a CA; or learnt, which is as good
  std::vector<std::string> notes_;
  bool unproven_ = false;  // it was asked for a proof of a pinned key and had none
  Comparison comparison_;
};

}  // namespace sallyport
