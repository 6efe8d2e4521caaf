// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/log_entry.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace sallyport {

namespace {

constexpr std::string_view kVersion = "1";
constexpr std::array<std::string_view, 5> kKinds = {"start", "heads", "end", "audit", "erase"};
constexpr std::array<std::string_view, 9> kReasons = {
    "closed", "client", "target", "limit", "refused", "revoked", "killed", "failed", "lost"};

Error not_an_entry(std::string_view text) {
  return Error{Errc::corrupt, "not an entry of the log: \"" + printable(text, 200) + "\""};
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> fields;
  for (;;) {
    const size_t space = text.find(' ');
    fields.push_back(text.substr(0, space));
    if (space == std::string_view::npos) {
      return fields;
    }
    text.remove_prefix(space + 1);
  }
}

// One spelling for one number.
std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && (text[0] != '0' || text.size() == 1) ? std::optional(value) : std::nullopt;
}

std::optional<Sha256Digest> digest(std::string_view text) {
  const auto bytes = from_hex(text);
  Sha256Digest value{};
  if (!bytes || bytes->size() != value.size() || to_hex(*bytes) != text) {
    return std::nullopt;
  }
  std::copy(bytes->begin(), bytes->end(), value.begin());
  return value;
}

// The fields behind the kind, in their order; each says whether it is one.
bool take_fields(std::span<const std::string_view> fields, LogEntry& entry) {
  using Kind = LogEntry::Kind;
  const bool named =
      entry.kind == Kind::start || entry.kind == Kind::end || entry.kind == Kind::erase;
  const bool counted = entry.kind == Kind::heads || entry.kind == Kind::end;
  const bool reasoned = entry.kind == Kind::end;
  if (fields.size() != size_t{1} + (named ? 1 : 0) + (counted ? 1 : 0) + (reasoned ? 1 : 0)) {
    return false;
  }
  size_t next = 0;
  if (named) {
    const auto recording = parse_recording_id(fields[next++]);
    entry.recording = recording.value_or(RecordingName{});
    if (!recording) {
      return false;
    }
  }
  if (counted) {
    const auto count = number(fields[next++]);
    entry.count = count.value_or(0);
    if (!count) {
      return false;
    }
  }
  const auto hash = digest(fields[next++]);
  entry.hash = hash.value_or(Sha256Digest{});
  if (reasoned) {
    entry.reason = fields[next];
  }
  return hash && (!reasoned || is_end_reason(entry.reason));
}

}  // namespace

bool is_end_reason(std::string_view reason) {
  return std::find(kReasons.begin(), kReasons.end(), reason) != kReasons.end();
}

std::string log_entry_text(const LogEntry& entry) {
  using Kind = LogEntry::Kind;
  std::string text(kVersion);
  text += " " + std::to_string(entry.time_ms) + " ";
  text += kKinds[static_cast<size_t>(entry.kind)];
  if (entry.kind == Kind::start || entry.kind == Kind::end || entry.kind == Kind::erase) {
    text += " " + recording_id(entry.recording);
  }
  if (entry.kind == Kind::heads || entry.kind == Kind::end) {
    text += " " + std::to_string(entry.count);
  }
  text += " " + to_hex(entry.hash);
  return entry.kind == Kind::end ? text + " " + entry.reason : text;
}

Result<LogEntry> parse_log_entry(std::string_view text) {
  const auto fields = split(text.substr(0, kMaxLogEntryBytes + 1));
  if (text.size() > kMaxLogEntryBytes || fields.size() < 3 || fields[0] != kVersion) {
    return not_an_entry(text);
  }
  LogEntry entry;
  const auto time = number(fields[1]);
  const auto kind = std::find(kKinds.begin(), kKinds.end(), fields[2]);
  if (!time || kind == kKinds.end()) {
    return not_an_entry(text);
  }
  entry.time_ms = *time;
  entry.kind = static_cast<LogEntry::Kind>(kind - kKinds.begin());
  return take_fields(std::span(fields).subspan(3), entry) ? Result(entry) : not_an_entry(text);
}

std::string heads_text(std::vector<RecordingHead> heads) {
  std::vector<std::string> lines;
  for (const RecordingHead& head : heads) {
    lines.push_back(recording_id(head.recording) + " " + std::to_string(head.frames) + " " +
                    to_hex(head.head) + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) {
    text += line;
  }
  return text;
}

Result<std::vector<RecordingHead>> parse_heads(std::string_view text) {
  std::vector<RecordingHead> heads;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const auto fields = split(text.substr(0, end));
    const auto recording = parse_recording_id(fields[0]);
    const auto frames = fields.size() == 3 ? number(fields[1]) : std::nullopt;
    const auto head = fields.size() == 3 ? digest(fields[2]) : std::nullopt;
    const bool in_order = heads.empty() || !recording ||
                          recording_id(heads.back().recording) < recording_id(*recording);
    if (!recording || !frames || !head || end == text.size() || !in_order) {
      return Error{Errc::corrupt,
                   "not a line of a heads file: \"" + printable(text.substr(0, end), 200) + "\""};
    }
    heads.push_back({*recording, *frames, *head});
    text.remove_prefix(end + 1);
  }
  return heads;
}

}  // namespace sallyport
