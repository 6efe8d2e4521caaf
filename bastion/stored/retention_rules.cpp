// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/retention_rules.h"

#include <algorithm>
#include <string_view>

namespace sallyport::stored {

namespace {

constexpr uint64_t kDayMs = 24ULL * 3600 * 1000;
constexpr uint64_t kMinDaysBySize = 1;
constexpr uint64_t kMib = 1024 * 1024;

std::vector<std::string> split(std::string_view roles) {
  std::vector<std::string> names;
  while (!roles.empty()) {
    const size_t end = std::min(roles.find(','), roles.size());
    names.emplace_back(roles.substr(0, end));
    roles.remove_prefix(std::min(end + 1, roles.size()));
  }
  return names;
}

std::string role_key(const std::string& role) {
  return "roles." + role + ".retention_";
}

std::string target_key(const std::string& target) {
  return "targets." + target + ".retention_";
}

class Choice {
public:
  Choice(const RetentionRules& rules, uint64_t now_ms) : rules_(rules), now_ms_(now_ms) {}

  void look_at(const KeptRecording& recording) {
    const bool may_go = recording.over_ms != 0 && !recording.held;
    std::string rule = may_go ? too_old(recording) : "";
    if (rule.empty()) {
      rule = too_much(recording);
      rule = is_older_than(recording, kMinDaysBySize) ? rule : "";
    }
    if (may_go && !rule.empty()) {
      due_[rule].push_back(recording.name);
    }
  }

  std::vector<DueRecordings> due() const {
    std::vector<DueRecordings> out;
    for (const auto& [rule, recordings] : due_) {
      out.push_back({rule, recordings});
    }
    return out;
  }

private:
  struct AgeRule {
    std::string key;
    uint32_t days = 0;
  };

  // Every limit is asked: each counts what it is about.
  std::string too_much(const KeptRecording& recording) {
    std::string rule;
    const auto also = [&](const std::string& key, const RetentionConfig& limit) {
      const bool over = limit.mib > 0 && (bytes_[key] += recording.bytes) > limit.mib * kMib;
      if (over && rule.empty()) {
        rule = key + "mib is " + std::to_string(limit.mib);
      }
    };
    if (const auto target = rules_.targets.find(recording.target); target != rules_.targets.end()) {
      also(target_key(target->first), target->second);
    }
    for (const std::string& name : split(recording.roles)) {
      if (const auto role = rules_.roles.find(name); role != rules_.roles.end()) {
        also(role_key(name), role->second);
      }
    }
    also("recording.retention_", rules_.all);
    return rule;
  }

  std::string too_old(const KeptRecording& recording) const {
    const AgeRule rule = age_rule(recording);
    const bool is_over = rule.days > 0 && is_older_than(recording, rule.days);
    return is_over ? rule.key + "days is " + std::to_string(rule.days) : "";
  }

  bool is_older_than(const KeptRecording& recording, uint64_t days) const {
    return now_ms_ >= recording.over_ms && now_ms_ - recording.over_ms >= days * kDayMs;
  }

  AgeRule age_rule(const KeptRecording& recording) const {
    if (recording.name.part == RecordingPart::keystrokes && rules_.keystrokes_days > 0) {
      return {"recording.keystrokes.retention_", rules_.keystrokes_days};
    }
    if (const auto target = rules_.targets.find(recording.target);
        target != rules_.targets.end() && target->second.days > 0) {
      return {target_key(target->first), target->second.days};
    }
    AgeRule longest;
    for (const std::string& name : split(recording.roles)) {
      const auto role = rules_.roles.find(name);
      if (role != rules_.roles.end() && role->second.days > longest.days) {
        longest = {role_key(name), role->second.days};
      }
    }
    return longest.days > 0 ? longest : AgeRule{"recording.retention_", rules_.all.days};
  }

  const RetentionRules& rules_;
  const uint64_t now_ms_;
  std::map<std::string, uint64_t> bytes_;  // by the limit's key: of what was looked at
  std::map<std::string, std::vector<RecordingName>> due_;
};

}  // namespace

RetentionRules retention_rules(const Config& config) {
  RetentionRules rules{config.retention, config.keystrokes_retention_days, {}, {}};
  for (const auto& [name, role] : config.roles) {
    if (role.retention.days > 0 || role.retention.mib > 0) {
      rules.roles.emplace(name, role.retention);
    }
  }
  for (const auto& [name, target] : config.targets) {
    if (target.retention.days > 0 || target.retention.mib > 0) {
      rules.targets.emplace(name, target.retention);
    }
  }
  return rules;
}

std::vector<DueRecordings> due_recordings(std::span<const KeptRecording> newest_first,
                                          const RetentionRules& rules, uint64_t now_ms) {
  Choice choice(rules, now_ms);
  for (const KeptRecording& recording : newest_first) {
    choice.look_at(recording);
  }
  return choice.due();
}

}  // namespace sallyport::stored
