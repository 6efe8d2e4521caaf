// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>

namespace sallyport {

// Where the auditor's things are: ~/.config/sallyport/play.json, JSON with comments:
//   { "recordings": "/srv/recordings", "identity": "~/.config/sallyport/identity.txt" }
// Options come first, then SALLYPORT_RECORDINGS, then this file, then the default.
struct Settings {
  std::string recordings = "/var/lib/sallyport/stored/recordings";
  std::string identity;  // empty: none
};

// What the command line said; empty where it said nothing.
struct SettingsOptions {
  std::string recordings;
  std::string identity;
};

// A file that is not there is fine; one that cannot be read or has an unknown key is an error.
Result<Settings> read_settings(const SettingsOptions& options);

}  // namespace sallyport
