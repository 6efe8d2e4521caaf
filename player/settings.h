// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>
#include <vector>

namespace sallyport {

// Where the auditor's things are: ~/.config/sallyport/play.json, JSON with comments:
//   { "recordings": "/srv/recordings", "identity": "~/.config/sallyport/identity.txt",
//     "log": "/srv/log", "log_key": "sallyport/node1+1a2b3c4d+AbC..." }
// "identity" may be a list too, where recordings take two people. Options come first, then
// SALLYPORT_RECORDINGS, then this file, then the default.
struct Settings {
  std::string recordings = "/var/lib/sallyport/stored/recordings";
  std::vector<std::string> identities;  // files
  std::string log;      // the folder of the node log; empty: "log" beside the recordings
  std::string log_key;  // the log's verifier's key, or a file that has it; empty: not known
};

// What the command line said; empty where it said nothing.
struct SettingsOptions {
  std::string recordings;
  std::vector<std::string> identities;
  std::string log;
  std::string log_key;
};

// A file that is not there is fine; one that cannot be read or has an unknown key is an error.
Result<Settings> read_settings(const SettingsOptions& options);

}  // namespace sallyport
