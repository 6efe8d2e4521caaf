// SPDX-License-Identifier: Apache-2.0
#include "player/verify/file_check.h"

#include "player/bar.h"
#include "player/verify/chain_marks.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/crypto/ssh_fingerprint.h"
#include "shared/recording/envelope.h"
#include "shared/recording/walker.h"

#include <fcntl.h>

#include <algorithm>

namespace sallyport {

namespace {

std::string at(const LogPlace& place) {
  return "entry " + std::to_string(place.index) + " of the log, " +
         wall_clock_text(static_cast<int64_t>(place.time_ms), true);
}

std::string frames_text(uint64_t frames) {
  return std::to_string(frames) + (frames == 1 ? " frame" : " frames");
}

std::string fingerprints(const std::vector<std::vector<uint8_t>>& keys) {
  std::string text;
  for (const auto& key : keys) {
    text += (text.empty() ? "" : " and ") + ssh_fingerprint(key);
  }
  return text.empty() ? "nobody" : text;
}

// Nobody was there to write the last bytes.
bool ended_abruptly(const LoggedRecording::End& end) {
  return end.reason == "killed" || end.reason == "lost" || end.reason == "failed";
}

class FileCheck {
public:
  FileCheck(FileVerdict& verdict, const OpenSource& open, const LogContents* log)
      : verdict_(verdict), open_(open), log_(log) {}

  void run(const std::optional<RecordingName>& name, std::span<const AgeIdentity> identities) {
    if (Status read = read_header(); !read) {
      verdict_.state = "unreadable";
      return wrong(printable(read.error().message, 2000));
    }
    const RecordingName own = header_.name();
    if (name && *name != own) {
      wrong("Its header says that it is " + recording_id(own) +
            ": another recording in its place, or one that was renamed or copied");
    }
    verdict_.id = name ? recording_id(*name) : recording_id(own);
    find_in_log(own);
    check_start(own);
    check_erasure();
    check_envelope(identities);
    ChainMarks marks(logged_);
    walk(marks);
    if (logged_ != nullptr) {
      check_chain(marks);
      check_clock();
    }
  }

private:
  void wrong(std::string text) { verdict_.findings.add(Level::wrong, std::move(text)); }
  void unproven(std::string text) { verdict_.findings.add(Level::open, std::move(text)); }
  void proven(std::string text) { verdict_.findings.add(Level::proven, std::move(text)); }
  void note(std::string text) { verdict_.findings.add(Level::note, std::move(text)); }

  Status read_header() {
    auto source = open_();
    if (!source) {
      return source.error();
    }
    const auto size = (*source)->size();
    if (!size) {
      return size.error();
    }
    file_bytes_ = *size;
    auto walker = RecordingWalker::open(std::move(*source));
    if (!walker) {
      return walker.error();
    }
    const auto trailer = walker->trailer();
    if (!trailer) {
      return trailer.error();
    }
    has_trailer_ = trailer->has_value();
    header_ = walker->header();
    return ok();
  }

  void find_in_log(const RecordingName& own) {
    verdict_.state = "not logged";
    if (log_ == nullptr) {
      return;
    }
    const auto found = log_->recordings.find(own);
    logged_ = found != log_->recordings.end() && found->second.start ? &found->second : nullptr;
    if (logged_ != nullptr) {
      verdict_.state = logged_->erasure ? "erased"
                       : logged_->end   ? logged_->end->reason
                                        : "running";
    }
    add_faults_of(own, *log_, verdict_.findings);
  }

  void check_start(const RecordingName& own) {
    if (log_ == nullptr) {
      return unproven(
          "That this is the file the bastion logged, and all of it: there is no log here to "
          "compare with (--log DIR)");
    }
    if (logged_ == nullptr && log_->unsigned_starts.contains(own)) {
      return unproven("That it is in the log: its start was logged, and not yet signed");
    }
    if (logged_ == nullptr) {
      return file_bytes_ == header_.size
                 ? note(
                       "It is not in the log, and nothing is in it: the bastion was interrupted "
                       "between making the file and logging its start")
                 : wrong("It is not in the log: no start of it was ever logged");
    }
    if (logged_->start->head != header_.first_head) {
      return wrong("Its header is not the one that was logged when it started (" +
                   at(*logged_->start) + "): another file in its place, or a changed one");
    }
    header_logged_ = true;
    proven("Session, channel, node, start and key are those that were logged when it started (" +
           at(*logged_->start) + ")");
  }

  void check_erasure() {
    const bool erased = is_erased(header_);
    if (logged_ != nullptr && logged_->deletion) {
      return wrong("Its file was to be deleted, by " + order_words(*logged_->deletion) + " (" +
                   at(*logged_->deletion) + "), and is there: an old copy was put back");
    }
    if (logged_ != nullptr && logged_->erasure) {
      const std::string order = order_words(*logged_->erasure) + " (" + at(*logged_->erasure) + ")";
      return erased ? note("It was erased, by " + order + ": nobody can read it any more")
                    : wrong("It was erased by " + order +
                            ", and has its key again: it was restored, or the erasure never ended");
    }
    if (!erased) {
      return;
    }
    log_ == nullptr ? unproven(
                          "By whose order: the recording was erased, its key is gone; only "
                          "the log says who wanted that")
                    : wrong("Its key was zeroed, and no erasure of it was logged");
  }

  void check_envelope(std::span<const AgeIdentity> identities) {
    if (is_erased(header_)) {
      return;
    }
    if (identities.empty()) {
      return unproven(header_logged_
                          ? "The content: without an identity (-i FILE) no frame was opened"
                          : "The header and the content: without an identity (-i FILE) no frame "
                            "can be opened, and who rewrites all frames makes another chain that "
                            "looks as good");
    }
    const auto dek = open_envelope(header_, identities);
    // Who reads what went through a channel need not read what was typed.
    const bool is_of_others =
        !dek && dek.error().code == Errc::denied && header_.part == RecordingPart::keystrokes;
    if (is_of_others) {
      return unproven(
          "The content: what was typed has readers of its own, and your identities are not theirs "
          "(" +
          dek.error().message + "), or its envelope was changed");
    }
    if (!dek) {
      return wrong("It cannot be opened with your identity: " + dek.error().message +
                   (dek.error().code == Errc::denied ? "; or its envelope was changed" : ""));
    }
    identities_ = identities;
  }

  void walk(ChainMarks& marks) {
    auto source = open_();
    auto report = source ? verify_recording(std::move(*source), identities_,
                                            [&](uint64_t frames, const Sha256Digest& head) {
                                              frames_ = frames;
                                              marks.watch(frames, head);
                                            })
                         : Result<RecordingReport>(source.error());
    if (!report) {
      return wrong(printable(report.error().message, 2000));
    }
    verdict_.report = std::move(*report);
    const RecordingReport& found = *verdict_.report;
    proven("The chain of " + frames_text(found.frames) + " (" + std::to_string(found.bytes) +
           " bytes) has the right form; its head is " + to_hex(found.head));
    if (found.opened) {
      proven(
          "Each frame was opened with your identity: content, order and times are as they were "
          "recorded");
    }
    if (logged_ == nullptr) {
      check_alone(found);
    }
  }

  // What a file can show of itself.
  void check_alone(const RecordingReport& found) {
    if (found.opened && found.ended) {
      proven("The end frame is there and agrees: the header is unchanged and no frame is missing");
    } else if (found.opened && found.header_proven) {
      proven("Session, channel, node and start (to the second) are those inside the encryption");
    } else if (found.opened) {
      unproven(
          "The header: session, channel, node and start are what the file claims, and nothing "
          "that was opened says the same");
    }
    if (!found.ended) {
      unproven(
          "That nothing is missing at the end: it has no end; the recorder was cut off, or "
          "still runs");
    }
  }

  void check_chain(const ChainMarks& marks) {
    if (const auto& mark = marks.mismatch()) {
      wrong("Its first " + frames_text(mark->frames) + " are not those that were logged (entry " +
            std::to_string(mark->index) + " of the log): changed, exchanged or written anew");
    }
    if (const auto mark = marks.beyond(frames_)) {
      wrong("It was cut: the log has " + frames_text(mark->frames) + " (entry " +
            std::to_string(mark->index) + "), and here are " + std::to_string(frames_) +
            (verdict_.report ? "" : " good ones"));
    }
    if (marks.matched() > 0 && logged_->heads.size() > 0) {
      proven("The chain is the one that was logged in " + std::to_string(marks.matched()) +
             " entries while it grew, the last with " + frames_text(marks.last_match()->frames));
    }
    if (!verdict_.report) {
      return;
    }
    logged_->end ? check_end(*logged_->end) : check_running(marks);
  }

  void check_end(const LoggedRecording::End& end) {
    const RecordingReport& found = *verdict_.report;
    if (found.frames > end.frames) {
      return wrong("It goes on after its end: " + frames_text(end.frames) + " were logged (" +
                   at(end) + "), and here are " + std::to_string(found.frames));
    }
    if (found.frames < end.frames || found.head != end.head) {
      return;  // said already
    }
    proven("All of its " + frames_text(end.frames) + " are those that were logged at its end (" +
           at(end) + ", \"" + end.reason + "\"): none is missing, none was changed");
    check_tail(end);
  }

  // Bytes that the chain does not cover. What ended in order was on disk before its end was signed.
  void check_tail(const LoggedRecording::End& end) {
    const RecordingReport& found = *verdict_.report;
    const Level level = ended_abruptly(end) ? Level::note : Level::wrong;
    // Of a session that never began there are no frames at all.
    if (!found.ended && !ended_abruptly(end) && end.frames > 0) {
      wrong("Its end was logged as \"" + end.reason +
            "\", and it has no end frame, which its monitor writes then: it was cut, and this end "
            "logged afterwards");
    }
    if (found.ended && !has_trailer_) {
      verdict_.findings.add(level,
                            "Its trailer is missing or cut short; nothing of the content is");
    } else if (!found.ended && file_bytes_ > found.bytes) {
      verdict_.findings.add(level, std::to_string(file_bytes_ - found.bytes) +
                                       " bytes follow its last frame, the beginning of one that "
                                       "was never whole");
    }
    if (ended_abruptly(end)) {
      note("It ended without its monitor (\"" + end.reason +
           "\"); the bastion computed its head from the file afterwards");
    }
  }

  void check_running(const ChainMarks& marks) {
    const uint64_t logged = marks.last_match() ? marks.last_match()->frames : 0;
    unproven(
        "That nothing is missing at the end: it has no end in the log, so it still runs, or "
        "the bastion stopped; of " +
        frames_text(verdict_.report->frames) + " the log has " + std::to_string(logged));
  }

  void check_clock() {
    const uint64_t first = logged_->start->index;
    const uint64_t last = logged_->end ? logged_->end->index : UINT64_MAX;
    for (const ClockStep& step : log_->clock_steps) {
      if (step.place.index >= first && step.place.index <= last) {
        note("The clock went back by " + duration_text(step.back_ms * 1000) + " while it ran (" +
             at(step.place) + "): its wall clock times are in doubt, its order is not");
      }
    }
    if (header_.start_ms > logged_->start->time_ms + kClockStepMs) {
      note("Its session says that it began after its start was logged: the clock went back by " +
           duration_text((header_.start_ms - logged_->start->time_ms) * 1000) + " or more");
    }
  }

  FileVerdict& verdict_;
  const OpenSource& open_;
  const LogContents* log_;
  const LoggedRecording* logged_ = nullptr;
  RecordingHeader header_;
  uint64_t file_bytes_ = 0;
  uint64_t frames_ = 0;
  bool has_trailer_ = false;
  bool header_logged_ = false;
  std::span<const AgeIdentity> identities_;
};

}  // namespace

std::string order_words(const LoggedRecording::Erasure& erasure) {
  const std::string name = "order " + to_hex(erasure.order);
  return erasure.says == nullptr ? name
                                 : name + ", \"" + printable(erasure.says->order.reason, 2000) +
                                       "\", signed by " + fingerprints(erasure.says->signers);
}

OpenSource open_path(const std::string& path) {
  return [path]() -> Result<std::unique_ptr<ByteSource>> {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) {
      return errno_error("cannot open " + printable(path));
    }
    return std::unique_ptr<ByteSource>(std::make_unique<FdSource>(std::move(fd)));
  };
}

void add_faults_of(const RecordingName& name, const LogContents& log, Findings& findings) {
  const auto faults = log.faults_of.find(name);
  if (faults == log.faults_of.end()) {
    return;
  }
  for (const std::string& fault : faults->second) {
    findings.add(Level::wrong, "In the log: " + printable(fault, 2000));
  }
}

FileVerdict check_file(const std::string& file, const OpenSource& open,
                       const std::optional<RecordingName>& name, const LogContents* log,
                       std::span<const AgeIdentity> identities) {
  FileVerdict verdict;
  verdict.id = name ? recording_id(*name) : printable(file);
  verdict.file = file;
  FileCheck(verdict, open, log).run(name, identities);
  return verdict;
}

}  // namespace sallyport
