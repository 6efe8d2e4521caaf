// SPDX-License-Identifier: Apache-2.0
#include "player/verify/report.h"

#include "player/bar.h"
#include "player/messages.h"
#include "shared/base/printable.h"

#include <array>
#include <cstdio>

namespace sallyport {

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

void say_section(const char* title, Level level, const Findings& findings) {
  if (!findings.has(level)) {
    return;
  }
  say(std::string(title) + ":");
  for (const Finding& finding : findings.all()) {
    if (finding.level == level) {
      say("  " + finding.text + ".");
    }
  }
}

class WordsOfOne final : public Report {
public:
  void begin(const std::string&, const Findings& log) override { log_ = log; }

  void take(const FileVerdict& verdict) override {
    if (verdict.report && recording_id(verdict.report->header.name()) == verdict.id) {
      const RecordingHeader& header = verdict.report->header;
      const bool of_keys = header.part == RecordingPart::keystrokes;
      say("Session " + header.session.hex() + ", channel " + std::to_string(header.channel) +
          (of_keys ? ", what was typed" : "") + ", node " + printable(header.node) + ", begun " +
          wall_clock_text(static_cast<int64_t>(header.start_ms), true) + ", " +
          duration_text(verdict.report->end_us) + " long");
    } else {
      say("Recording " + verdict.id);
    }
    Findings all = verdict.findings;
    all.add(log_);
    say_section("Wrong", Level::wrong, all);
    say_section("Proven", Level::proven, all);
    say_section("Not proven", Level::open, all);
    say_section("To be known", Level::note, all);
    conclude(verdict, all);
  }

  void end(Level) override {}

private:
  // Where something is left open, on standard error too, for who looks at nothing else.
  static void conclude(const FileVerdict& verdict, const Findings& all) {
    const Level found = all.verdict();
    if (found == Level::proven) {
      return;
    }
    const std::string what = found == Level::wrong ? ": " : ": not proven: ";
    for (const Finding& finding : all.all()) {
      if (finding.level == found) {
        print_message(verdict.id + what + finding.text);
      }
    }
  }

  Findings log_;
};

constexpr std::array<const char*, 4> kWords = {"ok     ", "note   ", "open   ", "WRONG  "};

void say_log(const std::string& folder, const Findings& log) {
  say((folder.empty() ? "No log" : "The log in " + printable(folder, 1000)) + ":");
  for (const Finding& finding : log.all()) {
    say(std::string("  ") + kWords[static_cast<size_t>(finding.level)] + finding.text);
  }
}

class WordsOfMany final : public Report {
public:
  void begin(const std::string& folder, const Findings& log) override {
    say_log(folder, log);
    log_ = log.verdict();
  }

  void take(const FileVerdict& verdict) override {
    const Level level = verdict.findings.verdict();
    const bool is_foreign = verdict.state == "foreign" && level == Level::proven;
    counts_[static_cast<size_t>(level)] += is_foreign ? 0 : 1;
    const std::string frames =
        verdict.report ? ", " + std::to_string(verdict.report->frames) + " frames" : "";
    say(std::string(kWords[static_cast<size_t>(level)]) + verdict.id + "  " + verdict.state +
        frames);
    for (const Finding& finding : verdict.findings.all()) {
      if (finding.level != Level::proven) {
        say(std::string("         ") + kWords[static_cast<size_t>(finding.level)] + finding.text);
      }
    }
  }

  void end(Level) override {
    const size_t all = counts_[0] + counts_[2] + counts_[3];
    say(std::to_string(all) + (all == 1 ? " recording: " : " recordings: ") +
        std::to_string(counts_[0]) + " proven, " + std::to_string(counts_[2]) +
        " with something open, " + std::to_string(counts_[3]) +
        " wrong; the log: " + verdict_name(log_));
  }

private:
  std::array<size_t, 4> counts_{};
  Level log_ = Level::proven;
};

class WordsOfLog final : public Report {
public:
  void begin(const std::string& folder, const Findings& log) override { say_log(folder, log); }
  void take(const FileVerdict&) override {}
  void end(Level verdict) override { say(std::string("the log: ") + verdict_name(verdict)); }
};

}  // namespace

const char* verdict_name(Level verdict) {
  return verdict == Level::wrong ? "wrong" : verdict == Level::open ? "open" : "proven";
}

std::unique_ptr<Report> words_of_one() {
  return std::make_unique<WordsOfOne>();
}

std::unique_ptr<Report> words_of_many() {
  return std::make_unique<WordsOfMany>();
}

std::unique_ptr<Report> words_of_log() {
  return std::make_unique<WordsOfLog>();
}

}  // namespace sallyport
