// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/log_book.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"

#include <algorithm>
#include <utility>

namespace sallyport {

namespace {

constexpr size_t kMaxFaults = 200;     // of the log itself
constexpr size_t kMaxFaultsOfOne = 4;  // of each recording, however many have some

std::string entry_name(uint64_t index) {
  return "entry " + std::to_string(index) + " of the log";
}

}  // namespace

void LogBook::fault(std::optional<RecordingName> recording, std::string text) {
  auto& faults = recording ? contents_.faults_of[*recording] : contents_.faults;
  if (faults.size() == (recording ? kMaxFaultsOfOne : kMaxFaults)) {
    ++contents_.more_faults;
    return;
  }
  faults.push_back(std::move(text));
}

bool LogBook::wants(const RecordingName& name) const {
  return questions_.wants_heads && questions_.wants_heads(name);
}

void LogBook::take(uint64_t index, const LogEntry& entry) {
  const LogPlace place{index, entry.time_ms};
  if (entry.time_ms + kClockStepMs < last_ms_) {
    contents_.clock_steps.push_back({place, last_ms_ - entry.time_ms});
  }
  last_ms_ = entry.time_ms;
  switch (entry.kind) {
    case LogEntry::Kind::start:
      return take_start(place, entry);
    case LogEntry::Kind::heads:
      return take_heads(place, entry);
    case LogEntry::Kind::end:
      return take_end(place, entry);
    case LogEntry::Kind::audit:
      contents_.audits.emplace_back(entry.hash, index);
      return;
    case LogEntry::Kind::erase:
      return take_erasure(place, entry);
  }
}

void LogBook::take_start(const LogPlace& place, const LogEntry& entry) {
  LoggedRecording& logged = contents_.recordings[entry.recording];
  if (logged.start) {
    return fault(entry.recording, "it starts twice: in " + entry_name(logged.start->index) +
                                      " and in entry " + std::to_string(place.index));
  }
  logged.start = LoggedRecording::Start{place, entry.hash};
  wanted_running_ += wants(entry.recording) && !logged.end ? 1 : 0;
}

void LogBook::take_heads(const LogPlace& place, const LogEntry& entry) {
  if (wanted_running_ == 0 && !questions_.every_heads_file) {
    return;
  }
  const auto bytes = read_hashed_file(folder_, "heads", entry.hash);
  if (!bytes && bytes.error().code == Errc::not_found) {
    missing_heads_.emplace_back(place.index, bytes.error().message);
    return;
  }
  if (!bytes) {
    return fault(std::nullopt, entry_name(place.index) + ": " + bytes.error().message);
  }
  const auto heads = parse_heads(*bytes);
  if (!heads || heads->size() != entry.count) {
    return fault(std::nullopt, entry_name(place.index) + ": its heads file " +
                                   (heads ? "has another number of lines"
                                          : "cannot be read: " + heads.error().message));
  }
  for (const RecordingHead& head : *heads) {
    take_head(place, head);
  }
}

void LogBook::take_head(const LogPlace& place, const RecordingHead& head) {
  const auto known = contents_.recordings.find(head.recording);
  if (known == contents_.recordings.end() || !known->second.start) {
    return fault(head.recording,
                 entry_name(place.index) + " has a head of it, and it never started");
  }
  LoggedRecording& logged = known->second;
  if (logged.end) {
    return fault(head.recording, entry_name(place.index) + " has a head of it after its end");
  }
  if (head.frames < logged.last_frames) {
    return fault(head.recording, "it shrank: " + entry_name(place.index) + " has " +
                                     std::to_string(head.frames) + " frames, an earlier one " +
                                     std::to_string(logged.last_frames));
  }
  logged.last_frames = head.frames;
  if (wants(head.recording)) {
    logged.heads.push_back({place.index, head.frames, head.head});
  }
}

void LogBook::take_end(const LogPlace& place, const LogEntry& entry) {
  LoggedRecording& logged = contents_.recordings[entry.recording];
  if (!logged.start) {
    fault(entry.recording, "it ends in " + entry_name(place.index) + " and never started");
  }
  if (logged.end) {
    return fault(entry.recording, "it ends twice: in " + entry_name(logged.end->index) +
                                      " and in entry " + std::to_string(place.index));
  }
  if (entry.count < logged.last_frames) {
    fault(entry.recording, "it ends in " + entry_name(place.index) + " with " +
                               std::to_string(entry.count) + " frames, and had " +
                               std::to_string(logged.last_frames) + " before");
  }
  logged.end = LoggedRecording::End{place, entry.count, entry.hash, entry.reason};
  wanted_running_ -= wants(entry.recording) && logged.start ? 1 : 0;
}

void LogBook::take_erasure(const LogPlace& place, const LogEntry& entry) {
  LoggedRecording& logged = contents_.recordings[entry.recording];
  if (!logged.start) {
    fault(entry.recording, "it is erased in " + entry_name(place.index) + " and never started");
  }
  LoggedRecording::Erasure erasure{place, entry.hash, nullptr};
  const auto order = read_order(entry.hash);
  if (!order) {
    fault(entry.recording, "its order of erasure: " + order.error().message);
  } else if (const auto& named = (*order)->order.recordings;
             !std::binary_search(named.begin(), named.end(), entry.recording)) {
    fault(entry.recording, "its order of erasure is about others and does not name it");
  } else if (origin_of((*order)->order.node) != contents_.checkpoint.origin) {
    fault(entry.recording,
          "its order of erasure is for another node, " + printable((*order)->order.node));
  } else {
    erasure.says = *order;
  }
  const bool deletes = erasure.says && erasure.says->order.what == ErasureOrder::What::file;
  if (deletes && !logged.deletion) {
    logged.deletion = erasure;
  }
  if (!logged.erasure) {
    logged.erasure = std::move(erasure);
  }
}

// Many are erased by one.
Result<std::shared_ptr<const SignedErasureOrder>> LogBook::read_order(const Sha256Digest& hash) {
  if (last_order_.second && last_order_.first == hash) {
    return last_order_.second;
  }
  const auto bytes = read_hashed_file(folder_, "orders", hash);
  if (!bytes) {
    return bytes.error();
  }
  auto order = parse_erasure_order(*bytes);
  if (!order) {
    return order.error();
  }
  last_order_ = {hash, std::make_shared<const SignedErasureOrder>(std::move(*order))};
  return last_order_.second;
}

// What was erased need not be compared with its heads any more, and stored deletes such files
// (docs/formats/log.md).
void LogBook::finish() {
  uint64_t first_kept = UINT64_MAX;
  for (const auto& [name, logged] : contents_.recordings) {
    if (logged.start && !logged.erasure) {
      first_kept = std::min(first_kept, logged.start->index);
    }
  }
  for (auto& [index, text] : missing_heads_) {
    if (first_kept < index) {
      fault(std::nullopt, entry_name(index) + ": " + text);
    }
  }
}

}  // namespace sallyport
