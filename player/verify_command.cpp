// SPDX-License-Identifier: Apache-2.0
#include "player/bar.h"
#include "player/commands.h"
#include "player/event_source.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/recording/verify.h"

#include <fcntl.h>

#include <cstdio>

namespace sallyport {

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

void say_what(const RecordingReport& report) {
  const RecordingHeader& header = report.header;
  say("Session " + header.session.hex() + ", channel " + std::to_string(header.channel) +
      ", node " + printable(header.node) + ", begun " +
      wall_clock_text(static_cast<int64_t>(header.start_ms), true) + ", " +
      duration_text(report.end_us) + " long");
}

void say_proven(const RecordingReport& report) {
  say("Proven:");
  say("  The chain of " + std::to_string(report.frames) + " frames (" +
      std::to_string(report.bytes) + " bytes) has the right form; its head is");
  say("    " + to_hex(report.head));
  if (report.opened) {
    say("  Each frame was opened with your identity: content, order and times are as they were "
        "recorded.");
    if (report.ended) {
      say("  The end frame is there and agrees: the header is unchanged and no frame is missing.");
    } else if (report.header_proven) {
      say("  Session, channel, node and start (to the second) are those inside the encryption.");
    }
  } else if (report.ended) {
    say("  The recording has an end frame.");
  }
}

void say_not_proven(const RecordingReport& report) {
  say("Not proven:");
  if (!report.opened) {
    say("  The header and the content: without an identity (-i FILE) no frame can be opened, and "
        "who rewrites all frames makes another chain that looks as good.");
  } else if (!report.header_proven) {
    say("  The header: session, channel, node and start are what the file claims, and nothing that "
        "was opened says the same.");
  }
  if (!report.ended) {
    say("  That nothing is missing at the end: the recorder was cut off, or still runs.");
  }
  say("  That this is the file the bastion logged: compare the head with the one in the "
      "bastion's journal (\"recorded\", this session).");
}

// Where something is left open, on standard error too, for who looks at nothing else.
Proof conclude(const RecordingReport& report, const std::string& path) {
  if (report.opened && report.ended) {
    return Proof::whole;
  }
  std::fprintf(stderr, "sallyport-play: note: %s %s: not everything is proven\n",
               printable(path).c_str(), report.opened ? "has no end" : "was not opened");
  return Proof::partial;
}

}  // namespace

Result<Proof> verify(const std::string& path, const std::string& identity_file) {
  if (!is_brec_file(path)) {
    return Error{Errc::invalid, printable(path) +
                                    " is not a recording of Sallyport: an asciicast file carries "
                                    "nothing that could be verified"};
  }
  std::vector<AgeIdentity> identities;
  if (!identity_file.empty()) {
    auto read = read_identities(identity_file);
    if (!read) {
      return read.error();
    }
    identities = std::move(*read);
  }
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return errno_error("cannot open " + printable(path));
  }
  const Result<RecordingReport> report =
      verify_recording(std::make_unique<FdSource>(std::move(fd)), identities);
  if (!report) {
    return Error{report.error().code, printable(path) + ": " + report.error().message};
  }
  say_what(*report);
  say_proven(*report);
  say_not_proven(*report);
  return conclude(*report, path);
}

}  // namespace sallyport
