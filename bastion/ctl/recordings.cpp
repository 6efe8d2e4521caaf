// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/terminal.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <tuple>

namespace sallyport {

namespace {

struct RecordingFile {
  std::string name;
  uint64_t bytes = 0;
  uint64_t modified_ms = 0;
};

// The names of the files that stand in the folder; what is in them only an auditor can read.
Result<std::vector<RecordingFile>> find_recordings(const std::string& folder) {
  std::vector<RecordingFile> out;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    struct stat info {};
    if (::lstat(entries->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      out.push_back({entries->path().filename().string(), static_cast<uint64_t>(info.st_size),
                     static_cast<uint64_t>(info.st_mtim.tv_sec) * 1000});
    }
  }
  if (error == std::errc::no_such_file_or_directory) {
    return std::vector<RecordingFile>{};  // nothing has been recorded yet
  }
  if (error == std::errc::permission_denied) {
    return Error{Errc::denied, folder + " may not be read by this user; run as root"};
  }
  if (error) {
    return Error{Errc::io, folder + ": " + error.message()};
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.modified_ms, a.name) < std::tie(b.modified_ms, b.name);
  });
  return out;
}

Status list_recordings(const Ctl& ctl, bool as_json) {
  const auto config = ctl.config();
  if (!config) {
    return config.error();
  }
  const auto files = find_recordings(config->recordings_path());
  if (!files) {
    return files.error();
  }
  auto json = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& file : *files) {
    json.push_back(
        {{"name", file.name}, {"bytes", file.bytes}, {"modified", utc_time(file.modified_ms)}});
    rows.push_back({file.name, std::to_string(file.bytes), utc_time(file.modified_ms)});
  }
  if (as_json) {
    print_json(json);
  } else {
    print_table({"NAME", "BYTES", "LAST WRITTEN"}, rows);
  }
  return ok();
}

}  // namespace

void add_recording_commands(CLI::App& app, Ctl& ctl) {
  auto* recordings = app.add_subcommand("recordings", "What has been recorded");
  recordings->require_subcommand(1);
  auto as_json = std::make_shared<bool>(false);
  auto* list = recordings->add_subcommand("list", "List the files, the oldest first");
  list->add_flag("--json", *as_json, "as JSON");
  list->callback(
      [&ctl, as_json] { ctl.run = [&ctl, as_json] { return list_recordings(ctl, *as_json); }; });
}

}  // namespace sallyport
