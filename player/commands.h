// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/settings.h"
#include "shared/base/result.h"

#include <string>
#include <vector>

namespace sallyport {

// What sallyport-play does. Each takes a file (locate_recording() has found it) and the auditor's
// identity files, of which there may be none.
Status play(const std::string& path, const std::vector<std::string>& identity_files);

enum class ExportFormat {
  cast2,
  cast3,
  text,
  evidence,  // export_evidence()
  standard_input,
  standard_output,
  standard_error
};

// To `output`, a new file; empty or "-" is standard output.
Status export_recording(const std::string& path, const std::vector<std::string>& identity_files,
                        ExportFormat format, const std::string& output);

// Of those, the last three: one stream, byte for byte; never to a terminal.
Status export_bytes(const std::string& path, const std::vector<std::string>& identity_files,
                    ExportFormat format, const std::string& output);

// Says what is proven, what is not and what is wrong: of one recording, of all recordings and the
// log, or of the log alone. An error: nothing could be looked at.
struct VerifyRequest {
  std::string name;  // unless one of these
  bool all = false;
  bool log_only = false;  // no recording is opened, and no identity read
  bool json = false;
  std::vector<std::string> checkpoints;  // files of checkpoints that somebody else kept
  Settings settings;
};
enum class Proof { whole, partial, wrong };
Result<Proof> verify(const VerifyRequest& request);

// A recording with what proves it, in one new file that verify() takes anywhere; "" or "-" is
// standard output. An error, too, where the recording or the log is not as it was logged.
Status export_evidence(const std::string& name, const Settings& settings,
                       const std::string& output);

// Gives recordings another envelope, for other people, in place. Nothing else of a file changes.
// One that cannot be re-wrapped is named and the rest goes on; an error then counts them.
struct RewrapOptions {
  std::vector<std::string> recordings;  // files
  bool skip_erased = false;             // they are no errors then
  std::vector<std::string> to;          // age1...: the outer layer
  std::vector<std::string> second;      // the inner layer; none: one person reads it
};
Status rewrap(const RewrapOptions& options, const std::vector<std::string>& identity_files);

// A new identity file, readable by its owner only; the recipient goes to standard output. With an
// empty `output` the identity goes there, and the recipient to standard error.
Status keygen(const std::string& output);

}  // namespace sallyport
