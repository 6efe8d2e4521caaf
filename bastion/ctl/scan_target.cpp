// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/scan_target.h"

#include "bastion/ctl/keyscan.h"
#include "bastion/ctl/learn.h"
#include "bastion/ctl/reload.h"
#include "bastion/ctl/targets_file.h"
#include "bastion/ctl/terminal.h"
#include "shared/config/nearest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

using Pin = ScanOptions::Pin;
using Verdict = Comparison::Verdict;

bool contains(const std::vector<PublicKeyLine>& list, const PublicKeyLine& key) {
  return std::any_of(list.begin(), list.end(),
                     [&](const auto& other) { return other.text() == key.text(); });
}

Error unknown_target(const Config& config, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [target, ignored] : config.targets) {
    known.push_back(target);
  }
  return Error{Errc::not_found, "there is no target \"" + name + "\"" + did_you_mean(name, known)};
}

}  // namespace

Result<TargetScan> TargetScan::find(const Ctl& ctl, const Config& config,
                                    const ScanOptions& options, const std::string& name) {
  TargetScan out(ctl, config, options);
  out.name_ = name;
  const auto target = config.targets.find(name);
  out.in_inventory_ = target != config.targets.end();
  const auto address = parse_host_port(out.in_inventory_ ? target->second.address : name, kSshPort);
  if (!address || (!out.in_inventory_ && options.pin != Pin::nothing)) {
    return unknown_target(config, name);
  }
  out.address_ = *address;
  if (out.in_inventory_) {
    out.pinned_ = target->second.host_keys;
  }
  return out;
}

Status TargetScan::run() {
  if (auto looked = options_.pin == Pin::learnt ? learn() : look(); !looked) {
    return looked;
  }
  if (!options_.as_json) {
    show();
  }
  if (auto pinned = pin(); !pinned) {
    return pinned;
  }
  return judge();
}

int TargetScan::status() const {
  return unproven_                                 ? kScanRefused
         : comparison_.verdict == Verdict::same    ? 0
         : comparison_.verdict == Verdict::differs ? kScanDiffers
                                                   : kScanRefused;
}

nlohmann::json TargetScan::json() const {
  auto keys = nlohmann::json::array();
  for (const auto& key : comparison_.keys) {
    keys.push_back({{"key", key.key.text()},
                    {"fingerprint", key.key.fingerprint()},
                    {"state", word_for(key.state)},
                    {"certified", key.certified}});
  }
  return {{"name", name_}, {"address", address_.text()}, {"status", status()}, {"keys", keys}};
}

Status TargetScan::look() {
  auto shown = scan_host_keys(address_);
  if (!shown) {
    return shown.error();
  }
  shown_ = std::move(*shown);
  auto certified = scan_certified_keys(config_.host_cas, name_, address_);
  if (!certified) {
    return certified.error();
  }
  certified_ = std::move(certified->keys);
  notes_ = std::move(certified->notes);
  std::copy_if(certified_.begin(), certified_.end(), std::back_inserter(shown_),
               [&](const auto& key) { return !contains(shown_, key); });
  compare();
  return ok();
}

Status TargetScan::learn() {
  if (pinned_.empty()) {
    return Error{Errc::invalid, name_ +
                                    " has no pinned host key that could prove others; pin one "
                                    "with: sallyportctl target scan " +
                                    name_ + " --pin"};
  }
  auto learnt = learn_host_keys({address_, pinned_, options_.login, options_.identity});
  if (!learnt && learnt.error().code == Errc::denied) {
    unproven_ = true;
    return look();  // to say what is there instead
  }
  if (!learnt) {
    return learnt.error();
  }
  shown_ = *learnt;
  certified_ = std::move(*learnt);
  compare();
  return ok();
}

void TargetScan::compare() {
  comparison_ = compare_host_keys(pinned_, shown_, config_.revoked_host_keys);
  for (auto& key : comparison_.keys) {
    key.certified = contains(certified_, key.key);
  }
}

void TargetScan::show() const {
  print_line(name_ + " (" + address_.text() + ")");
  for (const auto& key : comparison_.keys) {
    print_line("  " + key.key.type + "  " + key.key.fingerprint() + "  " + word_for(key.state));
  }
  for (const auto& note : notes_) {
    print_line("  " + note);
  }
}

Status TargetScan::pin() {
  if (options_.pin == Pin::nothing || unproven_) {
    return ok();
  }
  const Accept accept = options_.pin == Pin::asked ? Accept::all : Accept::certified;
  const auto pins = pins_after(comparison_, accept, options_.prune);
  if (pins.empty() ||
      std::is_permutation(pins.begin(), pins.end(), pinned_.begin(), pinned_.end())) {
    return ok();
  }
  if (accept == Accept::all) {
    const auto agreed = confirm(
        "Compare them with what " + name_ + " itself says. Pin what it shows?", options_.yes);
    if (!agreed) {
      return agreed.error();
    }
    if (!*agreed) {
      return Error{Errc::denied, "not pinned; nothing was changed"};
    }
  }
  return save(pins);
}

Status TargetScan::save(const std::vector<std::string>& pins) {
  auto file = TargetsFile::open(ctl_.config_path);
  if (!file) {
    return file.error();
  }
  const auto target = file->targets().find(name_);
  if (target == file->targets().end()) {
    return Error{Errc::invalid, "\"" + name_ + "\" is not in " + file->path() +
                                    " but in another file; pin its keys there (--json shows them), "
                                    "then `sallyportctl reload`"};
  }
  auto meanwhile = target->second.host_keys;
  std::erase_if(meanwhile, [&](const auto& key) {
    const auto& revoked = config_.revoked_host_keys;
    return std::find(revoked.begin(), revoked.end(), key) != revoked.end();
  });
  if (meanwhile != pinned_) {
    return Error{Errc::invalid, name_ + " was changed meanwhile; nothing was pinned"};
  }
  target->second.host_keys = pins;
  if (auto saved = file->save(); !saved) {
    return saved;
  }
  const std::string applied = reload_after_change(ctl_);
  pinned_ = pins;
  compare();
  if (!options_.as_json) {
    print_line("  pinned now: " + comparison_.fingerprints(Comparison::Side::pinned) + "; " +
               applied);
  }
  return ok();
}

Status TargetScan::judge() const {
  const std::string shown = comparison_.fingerprints(Comparison::Side::shown);
  if (unproven_ && comparison_.verdict != Verdict::changed) {
    return Error{Errc::denied, name_ +
                                   " shows a pinned host key and CANNOT PROVE IT; it may be "
                                   "somebody in between: pinned " +
                                   comparison_.fingerprints(Comparison::Side::pinned) +
                                   ", offered " + shown};
  }
  if (comparison_.verdict == Verdict::changed) {
    return Error{Errc::denied, "the host key of " + name_ + " HAS CHANGED: pinned " +
                                   comparison_.fingerprints(Comparison::Side::pinned) +
                                   ", offered " + shown +
                                   "; nobody reaches it until an administrator has looked at it "
                                   "and said: sallyportctl target scan " +
                                   name_ + " --pin"};
  }
  if (comparison_.verdict == Verdict::revoked) {
    return Error{Errc::denied, name_ + " shows a REVOKED host key: offered " + shown};
  }
  return ok();
}

}  // namespace sallyport
