// SPDX-License-Identifier: Apache-2.0
#include "player/commands.h"
#include "player/files.h"
#include "player/locate.h"
#include "player/sink.h"
#include "player/verify/evidence_file.h"
#include "player/verify/facts_check.h"
#include "player/verify/file_check.h"
#include "player/verify/log_check.h"
#include "player/verify/log_place.h"
#include "player/verify/log_proof.h"
#include "player/verify/recipe.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/evidence/tiles.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace sallyport {

namespace {

using Member = std::pair<std::string, std::string>;

// Entries of a log with their proofs, as members of an evidence file.
class ProofMaker {
public:
  ProofMaker(const std::string& folder, const LogContents& log)
      : log_(log), tiles_(folder, log.checkpoint.size) {}

  Status add(const std::string& name, uint64_t index, std::vector<Member>& members) {
    const auto line = entry(index);
    if (!line) {
      return line.error();
    }
    const Checkpoint& tree = log_.checkpoint;
    const auto hashes = inclusion_proof(index, tree.size, [this](unsigned level, uint64_t subtree) {
      return tiles_.subtree(level, subtree);
    });
    if (!hashes) {
      return hashes.error();
    }
    if (!proves_inclusion(*hashes, index, tree.size, leaf_hash(as_bytes(*line)), tree.root)) {
      return Error{Errc::corrupt,
                   "the log's tiles of hashes were changed: `sallyport-play verify "
                   "--all` says where"};
    }
    members.emplace_back(name + ".entry", *line);
    members.emplace_back(name + ".tlog-proof", log_proof_text({index, *hashes, log_.note}));
    return ok();
  }

private:
  Result<std::string> entry(uint64_t index) const {
    const auto bundle = tiles_.bundle(index / kTileWidth);
    return bundle ? Result(std::string(read_bundle(*bundle).entries[index % kTileWidth]))
                  : Result<std::string>(bundle.error());
  }

  const LogContents& log_;
  TileReader tiles_;
};

class EvidenceExport {
public:
  EvidenceExport(const std::string& path, const Settings& settings)
      : path_(path), settings_(settings), folder_(log_folder_for(path, settings)) {}

  Status prepare() {
    if (!settings_.log_key.empty()) {
      const auto key = read_log_key(settings_.log_key);
      if (!key) {
        return key.error();
      }
      key_ = *key;
    }
    const auto own = name_in_header(path_);
    if (!own) {
      return Error{Errc::invalid, printable(path_) + " is not a recording of Sallyport"};
    }
    name_ = *own;
    checked_ = check_log(
        {folder_, key_, {}, [this](const RecordingName& name) { return name == name_; }, false});
    if (Status good = check(); !good) {
      return good;
    }
    return collect();
  }

  Status write(Sink& sink) {
    for (const auto& [name, text] : members_) {
      sink.buffer() +=
          ustar_header(name, text.size()) + text + std::string(ustar_padding(text.size()), '\0');
    }
    if (Status copied = copy_recording(sink); !copied) {
      return copied;
    }
    sink.buffer() += ustar_end();
    return sink.drain(0);
  }

private:
  // What does not verify here does not verify elsewhere.
  Status check() {
    Findings all = checked_.findings;
    if (checked_.contents) {
      FileVerdict verdict = check_file(path_, open_path(path_), name_, &*checked_.contents, {});
      check_facts(folder_, verdict.id, *checked_.contents, verdict.findings);
      all.add(verdict.findings);
      if (verdict.report) {
        frame_bytes_ = verdict.report->bytes;
      }
    }
    for (const Finding& finding : all.all()) {
      if (finding.level == Level::wrong) {
        return Error{Errc::corrupt, recording_id(name_) + " proves nothing: " + finding.text};
      }
    }
    logged_ = &checked_.contents->recordings.at(name_);
    return ok();
  }

  Status collect() {
    const LogContents& log = *checked_.contents;
    ProofMaker proofs(folder_, log);
    members_.emplace_back(kRecipeName, recipe_text(recording_id(name_)));
    members_.emplace_back("checkpoint", log.note);
    if (key_) {
      members_.emplace_back("log-key.txt", key_->text() + "\n");
    }
    Status done = proofs.add("start", logged_->start->index, members_);
    if (done && logged_->end) {
      done = proofs.add("end", logged_->end->index, members_);
    } else if (done && !logged_->heads.empty()) {
      done = add_head(proofs);
    }
    if (done && logged_->erasure) {
      done = add_erasure(proofs);
    }
    return done ? add_facts(proofs) : done;
  }

  Status add_head(ProofMaker& proofs) {
    if (Status added = proofs.add("head", logged_->heads.back().index, members_); !added) {
      return added;
    }
    const auto entry = parse_log_entry(members_[members_.size() - 2].second);
    return entry ? add_hashed("heads.txt", "heads", entry->hash) : Status(entry.error());
  }

  Status add_erasure(ProofMaker& proofs) {
    Status added = proofs.add("erase", logged_->erasure->index, members_);
    return added ? add_hashed("order.txt", "orders", logged_->erasure->order) : added;
  }

  Status add_hashed(const std::string& name, const std::string& kind, const Sha256Digest& hash) {
    const auto bytes = read_hashed_file(folder_, kind, hash);
    if (!bytes) {
      return bytes.error();
    }
    members_.emplace_back(name, *bytes);
    return ok();
  }

  Status add_facts(ProofMaker& proofs) {
    const std::string path = facts_path(folder_, recording_id(name_));
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      return ok();
    }
    const auto text = read_small_file(path);
    const auto facts = text ? parse_recorded_facts(*text, recording_id(name_))
                            : Result<RecordedFacts>(text.error());
    if (!facts) {
      return facts.error();
    }
    members_.emplace_back("facts.json", *text);
    return proofs.add("facts", facts_index(*logged_->start),
                      members_);  // check() has compared them
  }

  // As long as it is now: one that runs grows meanwhile.
  Status copy_recording(Sink& sink) {
    auto source = open_path(path_)();
    if (!source) {
      return source.error();
    }
    const auto there = (*source)->size();
    if (!there) {
      return there.error();
    }
    const uint64_t size = logged_->end ? *there : frame_bytes_;
    if (size > kUstarMaxBytes) {
      return Error{Errc::limit, "a recording of more than 8 GiB does not fit into one file"};
    }
    sink.buffer() += ustar_header(recording_id(name_) + ".brec", size);
    std::vector<uint8_t> piece(Sink::kBlockBytes);
    for (uint64_t offset = 0; offset < size;) {
      const auto wanted = std::min<uint64_t>(piece.size(), size - offset);
      const auto got = (*source)->read_at(offset, std::span(piece).first(wanted));
      if (!got || *got != wanted) {
        return got ? Error{Errc::io, printable(path_) + " became shorter"} : got.error();
      }
      sink.buffer() += as_text(std::span(piece).first(wanted));
      if (Status drained = sink.drain(); !drained) {
        return drained;
      }
      offset += wanted;
    }
    sink.buffer() += std::string(ustar_padding(size), '\0');
    return ok();
  }

  const std::string& path_;
  const Settings& settings_;
  std::string folder_;
  RecordingName name_;
  std::optional<NoteVerifier> key_;
  CheckedLog checked_;
  const LoggedRecording* logged_ = nullptr;
  uint64_t frame_bytes_ = 0;
  std::vector<Member> members_;
};

}  // namespace

Status export_evidence(const std::string& name, const Settings& settings,
                       const std::string& output) {
  const auto path = locate_recording(name, settings.recordings);
  if (!path) {
    return path.error();
  }
  EvidenceExport exporting(*path, settings);
  if (Status prepared = exporting.prepare(); !prepared) {
    return prepared;
  }
  auto sink = Sink::open(output);
  if (!sink) {
    return sink.error();
  }
  if (sink->is_terminal()) {
    return Error{Errc::invalid, "an evidence file is no text: name a file with -o, or use a pipe"};
  }
  const Status written = exporting.write(*sink);
  if (!written && !output.empty() && output != "-") {
    std::remove(output.c_str());  // half of it proves nothing
  }
  return written;
}

}  // namespace sallyport
