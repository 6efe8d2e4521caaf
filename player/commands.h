// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>

namespace sallyport {

// What sallyport-play does. Each takes a file (locate_recording() has found it) and the auditor's
// identity file, which may be empty.
Status play(const std::string& path, const std::string& identity_file);

enum class ExportFormat { cast2, cast3, text, standard_input, standard_output, standard_error };

// To `output`, a new file; empty or "-" is standard output.
Status export_recording(const std::string& path, const std::string& identity_file,
                        ExportFormat format, const std::string& output);

// Of those, the last three: one stream, byte for byte; never to a terminal.
Status export_bytes(const std::string& path, const std::string& identity_file, ExportFormat format,
                    const std::string& output);

// Says in words what is proven and what is not; an error when something does not hold.
enum class Proof { whole, partial };
Result<Proof> verify(const std::string& path, const std::string& identity_file);

// A new identity file, readable by its owner only; the recipient goes to standard output. With an
// empty `output` the identity goes there, and the recipient to standard error.
Status keygen(const std::string& output);

}  // namespace sallyport
