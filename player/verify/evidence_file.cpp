// SPDX-License-Identifier: Apache-2.0
#include "player/verify/evidence_file.h"

#include "player/verify/facts_check.h"
#include "player/verify/file_check.h"
#include "player/verify/log_proof.h"
#include "player/verify/recipe.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"

#include <algorithm>
#include <array>

namespace sallyport {

namespace {

constexpr uint64_t kMaxSmallMember = 64 * 1024 * 1024;
constexpr std::array<std::string_view, 5> kEntries{"start", "end", "head", "erase", "facts"};
constexpr std::array<std::string_view, 6> kFiles{kRecipeName, "checkpoint", "log-key.txt",
                                                 "heads.txt", "order.txt",  "facts.json"};

template <class Place>
bool same_place(const std::optional<Place>& a, const std::optional<Place>& b) {
  return a.has_value() == b.has_value() && (!a || a->index == b->index);
}

class EvidenceReader {
public:
  explicit EvidenceReader(ByteSource& source) : source_(source) {}

  Result<OpenedEvidence> run() {
    auto members = read_ustar(source_);
    if (!members) {
      return members.error();
    }
    members_ = std::move(*members);
    if (Status found = find_recording(); !found) {
      return found.error();
    }
    if (Status read = read_checkpoint(); !read) {
      return read.error();
    }
    check_members();
    take_start();
    take_end();
    take_head();
    take_erasure();
    take_facts();
    return std::move(out_);
  }

private:
  Findings& findings() { return out_.findings; }
  LoggedRecording& logged() { return out_.log.recordings[out_.recording]; }

  const TarMember* member(const std::string& name) const {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const TarMember& m) { return m.name == name; });
    return found == members_.end() ? nullptr : &*found;
  }

  std::optional<std::string> text(const std::string& name) {
    const TarMember* found = member(name);
    const auto size = source_.size();
    if (found == nullptr || found->size > kMaxSmallMember || !size ||
        found->offset + found->size > *size) {
      return std::nullopt;
    }
    std::vector<uint8_t> bytes(found->size);
    const auto got = source_.read_at(found->offset, bytes);
    return got && *got == bytes.size() ? std::optional(std::string(as_text(bytes))) : std::nullopt;
  }

  Status find_recording() {
    for (const TarMember& member : members_) {
      if (const auto name = parse_recording_file_name(member.name)) {
        out_.recording = *name;
        out_.file = member;
        return ok();
      }
    }
    return Error{Errc::corrupt, "not an evidence file: there is no recording in it"};
  }

  Status read_checkpoint() {
    out_.log.note = text("checkpoint").value_or("");
    const auto note = parse_note(out_.log.note);
    const auto checkpoint = note ? parse_checkpoint(note->text) : Result<Checkpoint>(note.error());
    if (!checkpoint) {
      return Error{Errc::corrupt, "the checkpoint: " + checkpoint.error().message};
    }
    out_.log.checkpoint = *checkpoint;
    out_.log.root_holds = true;
    return ok();
  }

  void wrong(const std::string& what) { findings().add(Level::wrong, what); }

  bool is_expected(const TarMember& member) const {
    const auto is_entry = [&](std::string_view entry) {
      return member.name == std::string(entry) + ".entry" ||
             member.name == std::string(entry) + ".tlog-proof";
    };
    return member.name == out_.file.name ||
           std::find(kFiles.begin(), kFiles.end(), member.name) != kFiles.end() ||
           std::any_of(kEntries.begin(), kEntries.end(), is_entry);
  }

  // Nobody is to unpack what no export has packed.
  void check_members() {
    for (const TarMember& member : members_) {
      if (!is_expected(member)) {
        wrong(printable(member.name) + " is not part of an evidence file");
      } else if (member.name != out_.file.name && !text(member.name)) {
        wrong(member.name + " is too large, or cut");
      }
    }
    if (text(std::string(kRecipeName)) != recipe_text(recording_id(out_.recording))) {
      findings().add(Level::open,
                     std::string(kRecipeName) +
                         " in it is not the one that this version writes: its commands are those "
                         "of another version, or of somebody; read them before you run them");
    }
  }

  struct Proven {
    LogPlace place;
    LogEntry entry;
  };
  // NAME.entry, where NAME.tlog-proof proves it and it is of the kind that the name promises.
  std::optional<Proven> entry(const std::string& name, LogEntry::Kind kind) {
    const auto line = text(name + ".entry");
    if (!line) {
      return std::nullopt;
    }
    const auto proof = parse_log_proof(text(name + ".tlog-proof").value_or(""));
    const auto parsed = parse_log_entry(*line);
    if (!proof || !parsed || parsed->kind != kind) {
      wrong(name + ".entry or its proof cannot be read");
      return std::nullopt;
    }
    const Checkpoint& tree = out_.log.checkpoint;
    if (proof->checkpoint != out_.log.note ||
        !proves_inclusion(proof->hashes, proof->index, tree.size, leaf_hash(as_bytes(*line)),
                          tree.root)) {
      wrong(name +
            ".entry is not proven to be in the log: its proof does not lead to the "
            "checkpoint's root");
      return std::nullopt;
    }
    findings().add(Level::proven, name + ".entry is entry " + std::to_string(proof->index) +
                                      " of the checkpoint's " + std::to_string(tree.size));
    return Proven{{proof->index, parsed->time_ms}, *parsed};
  }

  bool is_ours(const std::string& name, const LogEntry& entry) {
    if (entry.recording == out_.recording) {
      return true;
    }
    wrong(name + ".entry is of another recording, " + recording_id(entry.recording));
    return false;
  }

  void take_start() {
    const auto found = entry("start", LogEntry::Kind::start);
    if (found && is_ours("start", found->entry)) {
      logged().start = LoggedRecording::Start{found->place, found->entry.hash};
    }
  }

  void take_end() {
    const auto found = entry("end", LogEntry::Kind::end);
    if (found && logged().start && found->place.index <= logged().start->index) {
      wrong("end.entry stands before start.entry in the log");
    }
    if (found && is_ours("end", found->entry)) {
      logged().end = LoggedRecording::End{found->place, found->entry.count, found->entry.hash,
                                          found->entry.reason};
    }
  }

  void take_head() {
    const auto found = entry("head", LogEntry::Kind::heads);
    if (!found) {
      return;
    }
    const std::string file = text("heads.txt").value_or("");
    const auto heads = parse_heads(file);
    if (sha256(as_bytes(file)) != found->entry.hash || !heads) {
      return wrong("heads.txt is not the file that head.entry names");
    }
    for (const RecordingHead& head : *heads) {
      if (head.recording == out_.recording) {
        logged().heads.push_back({found->place.index, head.frames, head.head});
      }
    }
  }

  void take_erasure() {
    const auto found = entry("erase", LogEntry::Kind::erase);
    if (!found || !is_ours("erase", found->entry)) {
      return;
    }
    logged().erasure = LoggedRecording::Erasure{found->place, found->entry.hash, nullptr};
    const std::string bytes = text("order.txt").value_or("");
    const auto order = parse_erasure_order(bytes);
    if (sha256(as_bytes(bytes)) != found->entry.hash) {
      return wrong("order.txt is not the order that erase.entry names");
    }
    if (!order || !std::binary_search(order->order.recordings.begin(),
                                      order->order.recordings.end(), out_.recording)) {
      return wrong("order.txt: " + (order ? "it does not name this recording"
                                          : printable(order.error().message, 2000)));
    }
    if (origin_of(order->order.node) != out_.log.checkpoint.origin) {
      return wrong("order.txt is for another node, " + printable(order->order.node));
    }
    logged().erasure->says = std::make_shared<const SignedErasureOrder>(*order);
  }

  void take_facts() {
    const auto json = text("facts.json");
    if (!json) {
      return;
    }
    const auto found = entry("facts", LogEntry::Kind::audit);
    const auto facts = parse_recorded_facts(*json, recording_id(out_.recording));
    if (!facts || !found || facts->hash != found->entry.hash) {
      return wrong("facts.json is not what facts.entry proves");
    }
    if (!logged().start || found->place.index != facts_index(*logged().start)) {
      return wrong("facts.entry is not the one that was logged with the start: made later");
    }
    findings().add(Level::proven,
                   "The facts are those that were logged: " + printable(facts->event, 2000));
  }

  ByteSource& source_;
  std::vector<TarMember> members_;
  OpenedEvidence out_;
};

}  // namespace

void compare_with_log(const LogContents& whole, const std::string& folder,
                      OpenedEvidence& evidence) {
  Findings& findings = evidence.findings;
  const std::string log = "The log in " + printable(folder, 1000);
  if (whole.checkpoint.origin != evidence.log.checkpoint.origin) {
    return findings.add(Level::open, log + " is of another node, " +
                                         printable(whole.checkpoint.origin) + ": not compared");
  }
  add_faults_of(evidence.recording, whole, findings);
  const auto there = whole.recordings.find(evidence.recording);
  const LoggedRecording& here = evidence.log.recordings[evidence.recording];
  const bool same = there != whole.recordings.end() &&
                    same_place(there->second.start, here.start) &&
                    (!here.end || same_place(there->second.end, here.end)) &&
                    (!here.erasure || same_place(there->second.erasure, here.erasure));
  same ? findings.add(Level::proven, log + " says the same of the recording, and nothing else")
       : findings.add(Level::wrong, log + " says something else of the recording than this file");
}

bool is_evidence_file(const std::string& path) {
  const auto source = open_path(path)();
  std::array<uint8_t, kUstarBlock> block{};
  if (!source) {
    return false;
  }
  const auto got = (*source)->read_at(0, block);
  const auto text = as_text(block);
  return got && *got == block.size() && text.substr(257, 5) == "ustar" &&
         text.substr(0, text.find('\0')) == kRecipeName;
}

Result<OpenedEvidence> open_evidence(ByteSource& source) {
  return EvidenceReader(source).run();
}

}  // namespace sallyport
