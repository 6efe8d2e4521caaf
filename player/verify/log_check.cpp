// SPDX-License-Identifier: Apache-2.0
#include "player/verify/log_check.h"

#include "player/bar.h"
#include "player/files.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/note_file.h"
#include "shared/evidence/tiles.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace sallyport {

namespace {

constexpr size_t kMaxKeptBytes = size_t{1} << 30;

// What a note claims, whoever signed it.
Result<Checkpoint> claimed(const std::string& bytes) {
  const auto note = parse_note(bytes);
  return note ? parse_checkpoint(note->text) : Result<Checkpoint>(note.error());
}

// Several nodes may have one witness.
bool is_of_another(const KeptCheckpoint& kept, const LogContents& contents) {
  const auto checkpoint = claimed(kept.note);
  return checkpoint && checkpoint->origin != contents.checkpoint.origin;
}

std::string entries_text(uint64_t count) {
  return std::to_string(count) + (count == 1 ? " entry" : " entries");
}

void compare_kept(const KeptCheckpoint& kept, const LogRequest& request,
                  const LogContents* contents, Findings& findings) {
  const auto checkpoint =
      request.key ? open_checkpoint(kept.note, *request.key) : claimed(kept.note);
  if (!checkpoint) {
    return findings.add(Level::wrong, kept.from + ": " + checkpoint.error().message);
  }
  if (contents == nullptr) {
    return findings.add(Level::wrong, "That the log continues " + kept.from +
                                          " cannot be seen: it has no checkpoint that can be read");
  }
  const uint64_t here = contents->checkpoint.size;
  if (checkpoint->origin != contents->checkpoint.origin) {
    return findings.add(Level::wrong, kept.from + " is of another log, " +
                                          printable(checkpoint->origin) + "; this one is " +
                                          printable(contents->checkpoint.origin));
  }
  if (checkpoint->size > here) {
    return findings.add(Level::wrong, "The log was rolled back: it has " + entries_text(here) +
                                          ", and " + kept.from + " covers " +
                                          std::to_string(checkpoint->size));
  }
  const auto root = contents->roots.find(checkpoint->size);
  if (root == contents->roots.end() || root->second != checkpoint->root) {
    return findings.add(Level::wrong, "The log was forked: its first " +
                                          entries_text(checkpoint->size) + " are not those that " +
                                          kept.from + " covers");
  }
  findings.add(Level::proven, "The log continues " + kept.from + ", which covers " +
                                  entries_text(checkpoint->size) + ": none of them changed since");
}

void add_faults_of_recordings(const LogContents& contents, Findings& findings) {
  for (const auto& [name, faults] : contents.faults_of) {
    for (const std::string& fault : faults) {
      findings.add(Level::wrong,
                   "The log, of recording " + recording_id(name) + ": " + printable(fault, 2000));
    }
  }
}

void add_faults(const LogContents& contents, const LogRequest& request, Findings& findings) {
  for (const std::string& fault : contents.faults) {
    findings.add(Level::wrong, "The log: " + printable(fault, 2000));
  }
  if (request.alone) {
    add_faults_of_recordings(contents, findings);
  } else if (request.every_heads_file && !contents.faults_of.empty()) {
    findings.add(Level::wrong, "The log: what it says of " +
                                   std::to_string(contents.faults_of.size()) +
                                   " of its recordings does not hold; each of them says how");
  }
  if (contents.more_faults > 0) {
    findings.add(Level::wrong, "The log: " + std::to_string(contents.more_faults) +
                                   " more faults, which are not listed");
  }
  for (const ClockStep& step : contents.clock_steps) {
    findings.add(Level::note, "The clock went back by " + duration_text(step.back_ms * 1000) +
                                  " at entry " + std::to_string(step.place.index) +
                                  " of the log; it then said " +
                                  wall_clock_text(static_cast<int64_t>(step.place.time_ms), true));
  }
}

void add_root(const LogContents& contents, Findings& findings) {
  const std::string size = std::to_string(contents.checkpoint.size);
  if (contents.root_holds) {
    findings.add(Level::proven, "The log's " + size + " entries make the root of its checkpoint (" +
                                    to_hex(contents.checkpoint.root) + ")");
  } else {
    findings.add(Level::wrong,
                 "The log's entries are not those of its checkpoint (" + size +
                     " entries): some were changed, dropped or moved, or the checkpoint was "
                     "exchanged. What follows compares with them as they stand");
  }
}

LogQuestions questions_of(const LogRequest& request) {
  LogQuestions questions{request.wants_heads, request.every_heads_file, {}};
  for (const KeptCheckpoint& kept : request.kept) {
    if (const auto checkpoint = claimed(kept.note)) {
      questions.sizes.insert(checkpoint->size);
    }
  }
  return questions;
}

}  // namespace

Result<std::vector<KeptCheckpoint>> read_kept_checkpoints(const std::vector<std::string>& files) {
  std::vector<KeptCheckpoint> all;
  for (const std::string& file : files) {
    std::vector<KeptCheckpoint> found;
    // A witness's file grows by a note a minute, for years.
    std::error_code ignored;
    const auto real = std::filesystem::canonical(file, ignored);
    const auto text = read_file(ignored ? file : real.string(), kMaxKeptBytes);
    if (!text) {
      return text.error();
    }
    for (std::string& note : split_notes(*text)) {
      found.push_back(
          {printable(file) + ", checkpoint " + std::to_string(found.size() + 1), std::move(note)});
    }
    if (found.empty()) {
      return Error{Errc::invalid, printable(file) + " has no checkpoint in it"};
    }
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

Result<NoteVerifier> read_log_key(const std::string& text_or_file) {
  auto given = parse_note_verifier(text_or_file);
  std::error_code ignored;
  if (given || (!std::filesystem::exists(text_or_file, ignored) &&
                text_or_file.find('/') == std::string::npos)) {
    return given;
  }
  const auto text = read_small_file(text_or_file);
  if (!text) {
    return text.error();
  }
  auto key = parse_note_verifier(*text);
  return key ? key : Error{key.error().code, printable(text_or_file) + ": " + key.error().message};
}

void check_signature(const std::string& note, const std::optional<NoteVerifier>& key,
                     Findings& findings) {
  if (!key) {
    const auto parsed = parse_note(note);
    const std::string signer =
        parsed ? printable(parsed->signatures[0].name) + "+" + to_hex(parsed->signatures[0].key_id)
               : "nobody";
    return findings.add(
        Level::open,
        "That the bastion signed the log: its key is not known to you. The checkpoint "
        "names " +
            signer +
            "; give the key that you noted on the first day with --log-key, or as "
            "\"log_key\" in ~/.config/sallyport/play.json");
  }
  const auto opened = open_checkpoint(note, *key);
  if (!opened) {
    return findings.add(Level::wrong, "The log's checkpoint: " + opened.error().message);
  }
  findings.add(Level::proven, "The checkpoint of " + entries_text(opened->size) +
                                  " was signed by the key of " + printable(key->name) + " (" +
                                  to_hex(key->key_id()) + ")");
}

void compare_same_size(const KeptCheckpoint& kept, const LogContents& contents,
                       const std::optional<NoteVerifier>& key, Findings& findings) {
  const auto checkpoint = key ? open_checkpoint(kept.note, *key) : claimed(kept.note);
  if (!checkpoint) {
    return findings.add(Level::wrong, kept.from + ": " + checkpoint.error().message);
  }
  if (checkpoint->size != contents.checkpoint.size) {
    return findings.add(Level::open, "That " + kept.from +
                                         " is of the same log: it has another size, and only "
                                         "the whole log can show that one continues the other");
  }
  *checkpoint == contents.checkpoint
      ? findings.add(Level::proven, kept.from + " is the same checkpoint")
      : findings.add(Level::wrong, "The log was forked: " + kept.from + " is another one");
}

CheckedLog check_log(const LogRequest& request) {
  CheckedLog checked;
  auto contents = read_log(request.folder, questions_of(request));
  if (contents) {
    checked.contents = std::move(*contents);
    check_signature(checked.contents->note, request.key, checked.findings);
    add_root(*checked.contents, checked.findings);
    add_faults(*checked.contents, request, checked.findings);
  } else {
    checked.findings.add(Level::wrong, "The log: " + contents.error().message);
  }
  const LogContents* there = checked.contents ? &*checked.contents : nullptr;
  const bool some_are_ours =
      there != nullptr &&
      std::any_of(request.kept.begin(), request.kept.end(),
                  [&](const KeptCheckpoint& kept) { return !is_of_another(kept, *there); });
  size_t others = 0;
  for (const KeptCheckpoint& kept : request.kept) {
    if (some_are_ours && is_of_another(kept, *there)) {
      ++others;
    } else {
      compare_kept(kept, request, there, checked.findings);
    }
  }
  if (others > 0) {
    checked.findings.add(Level::note, std::to_string(others) +
                                          " kept checkpoints are of other logs and passed over");
  }
  return checked;
}

}  // namespace sallyport
