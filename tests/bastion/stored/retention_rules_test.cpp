// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/retention_rules.h"

#include "tests/support/catch.h"

#include <algorithm>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

constexpr uint64_t kDay = 24ULL * 3600 * 1000;
constexpr uint64_t kNow = 20'000 * kDay;
constexpr uint64_t kMib = 1024 * 1024;

// `days` old, of one MiB.
KeptRecording recording(uint32_t channel, uint64_t days, const std::string& target = "web1",
                        const std::string& roles = "users") {
  return {{Id{}, channel}, kNow - days * kDay, kMib, target, roles, false};
}

// "RULE: CHANNEL CHANNEL", one line each.
std::string due(const std::vector<KeptRecording>& newest_first, const RetentionRules& rules,
                uint64_t now = kNow) {
  std::string text;
  for (const auto& [rule, recordings] : due_recordings(newest_first, rules, now)) {
    text += rule + ":";
    for (const RecordingName& name : recordings) {
      text += " " + std::to_string(name.channel);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("retention: without a rule everything stays") {
  CHECK(due({recording(0, 0), recording(1, 19'000)}, {}).empty());
}

TEST_CASE("retention: by age, and to the millisecond") {
  RetentionRules rules;
  rules.all.days = 10;
  KeptRecording young = recording(0, 10);
  ++young.over_ms;
  CHECK(due({young, recording(1, 10), recording(2, 11)}, rules) ==
        "recording.retention_days is 10: 1 2\n");
}

TEST_CASE("retention: the target's word comes first, then the longest of the roles'") {
  RetentionRules rules;
  rules.all.days = 5;
  rules.roles["users"].days = 20;
  rules.roles["interns"].days = 10;
  rules.targets["web1"].days = 7;
  CHECK(due({recording(0, 6), recording(1, 7), recording(2, 7, "db1"), recording(3, 12, "db1"),
             recording(4, 12, "db1", "interns"), recording(5, 12, "db1", "interns,users"),
             recording(6, 20, "db1", "interns,users"), recording(7, 6, "db1", "others"),
             recording(8, 6, "db1", "")},
            rules) ==
        "recording.retention_days is 5: 7 8\n"
        "roles.interns.retention_days is 10: 4\n"
        "roles.users.retention_days is 20: 6\n"
        "targets.web1.retention_days is 7: 1\n");
}

TEST_CASE("retention: what was typed has days of its own") {
  RetentionRules rules;
  rules.targets["web1"].days = 10;
  KeptRecording typed = recording(0, 6);
  typed.name.part = RecordingPart::keystrokes;
  CHECK(due({typed}, rules).empty());
  rules.keystrokes_days = 5;
  CHECK(due({typed, recording(1, 6)}, rules) == "recording.keystrokes.retention_days is 5: 0\n");
}

TEST_CASE("retention: by size the oldest go, each limit counts what it is about") {
  RetentionRules rules;
  rules.targets["web1"].mib = 2;
  rules.roles["users"].mib = 3;
  CHECK(due({recording(0, 1), recording(1, 2, "db1"), recording(2, 3),
             recording(3, 4, "db1", "admins"), recording(4, 5), recording(5, 6, "db1")},
            rules) ==
        "roles.users.retention_mib is 3: 5\n"
        "targets.web1.retention_mib is 2: 4\n");
  rules = {};
  rules.all.mib = 1;
  CHECK(due({recording(0, 1), recording(1, 2)}, rules) == "recording.retention_mib is 1: 1\n");
}

TEST_CASE("retention: by size nothing goes that has ended within a day") {
  RetentionRules rules;
  rules.all.mib = 1;
  KeptRecording huge = recording(0, 0);
  huge.bytes = 100 * kMib;
  KeptRecording young = recording(1, 1);
  ++young.over_ms;
  CHECK(due({huge, young, recording(2, 1)}, rules) == "recording.retention_mib is 1: 2\n");
}

TEST_CASE("retention: what goes by age leaves its room to others") {
  RetentionRules rules;
  rules.roles["short"].days = 1;
  rules.all.mib = 1;
  CHECK(due({recording(0, 2, "web1", "short"), recording(1, 3)}, rules) ==
        "roles.short.retention_days is 1: 0\n");
}

TEST_CASE("retention: what is held or runs stays, and takes room") {
  RetentionRules rules;
  rules.all = {1, 1};
  KeptRecording held = recording(0, 500);
  held.held = true;
  KeptRecording running = recording(1, 500);
  running.over_ms = 0;
  CHECK(due({held, running}, rules).empty());
  rules.all.days = 0;
  CHECK(due({held, running, recording(2, 1)}, rules) == "recording.retention_mib is 1: 2\n");
}

TEST_CASE("retention: a clock before the recording's end deletes nothing") {
  RetentionRules rules;
  rules.all.days = 1;
  CHECK(due({recording(0, 0)}, rules, kNow - 100 * kDay).empty());
}
