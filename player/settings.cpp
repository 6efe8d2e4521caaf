// SPDX-License-Identifier: Apache-2.0
#include "player/settings.h"

#include "player/files.h"
#include "shared/base/environment.h"
#include "shared/base/printable.h"

#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

std::string expand_home(const std::string& path) {
  return path.starts_with("~/") ? environment_variable("HOME") + path.substr(1) : path;
}

std::string settings_path() {
  const std::string base = environment_variable("XDG_CONFIG_HOME");
  return (base.empty() ? environment_variable("HOME") + "/.config" : base) + "/sallyport/play.json";
}

bool take_identities(const nlohmann::json& value, Settings& settings) {
  const auto list = value.is_array() ? value : nlohmann::json::array({value});
  for (const auto& file : list) {
    if (!file.is_string()) {
      return false;
    }
    settings.identities.push_back(expand_home(file.get<std::string>()));
  }
  return true;
}

Status take_file(const std::string& path, Settings& settings) {
  const Result<std::string> text = read_small_file(path);
  if (!text) {
    return text.error();
  }
  const auto json = nlohmann::json::parse(*text, nullptr, false, true);
  if (!json.is_object()) {
    return Error{Errc::invalid, printable(path) + ": not a JSON object"};
  }
  for (const auto& [key, value] : json.items()) {
    std::string* target = key == "recordings" ? &settings.recordings
                          : key == "log"      ? &settings.log
                          : key == "log_key"  ? &settings.log_key
                                              : nullptr;
    if (target != nullptr && value.is_string()) {
      *target = expand_home(value.get<std::string>());
    } else if (key != "identity" || !take_identities(value, settings)) {
      return Error{Errc::invalid,
                   printable(path) + ": \"" + printable(key, 40) +
                       "\" is not a setting; there are \"recordings\", \"log\" and \"log_key\", "
                       "texts, and \"identity\", a text or a list of texts"};
    }
  }
  return ok();
}

}  // namespace

Result<Settings> read_settings(const SettingsOptions& options) {
  Settings settings;
  const std::string path = settings_path();
  if (::access(path.c_str(), F_OK) == 0) {
    if (Status taken = take_file(path, settings); !taken) {
      return taken.error();
    }
  }
  if (const std::string recordings = environment_variable("SALLYPORT_RECORDINGS");
      !recordings.empty()) {
    settings.recordings = recordings;
  }
  if (!options.recordings.empty()) {
    settings.recordings = options.recordings;
  }
  if (!options.identities.empty()) {
    settings.identities = options.identities;
  }
  if (!options.log.empty()) {
    settings.log = options.log;
  }
  if (!options.log_key.empty()) {
    settings.log_key = options.log_key;
  }
  return settings;
}

}  // namespace sallyport
