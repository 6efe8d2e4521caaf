// SPDX-License-Identifier: Apache-2.0
#include "shared/config/config.h"

#include "shared/base/unique_fd.h"
#include "shared/config/check.h"
#include "shared/config/read_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <tuple>

namespace sallyport {

namespace {

namespace fs = std::filesystem;

Result<std::string> read_whole_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return errno_error("cannot be read");
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{Errc::invalid, "is not a regular file"};
  }
  std::string text;
  char buffer[16 * 1024];
  ssize_t got = 0;
  while ((got = ::read(fd.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxConfigFileBytes) {
      return Error{Errc::limit, "is larger than 8 MiB"};
    }
  }
  if (got < 0) {
    return errno_error("cannot be read");
  }
  return text;
}

bool before(const Finding& a, const Finding& b) {
  return std::tie(a.place.file, a.place.line) < std::tie(b.place.file, b.place.line);
}

// Parses one more file into the tree. False: nothing of it is there.
bool add_text(const std::string& file, std::string_view text, std::optional<JsonNode>& root,
              ConfigReport& report) {
  auto tree = parse_json_tree(file, text, report.errors);
  if (!tree) {
    return false;
  }
  if (tree->kind != JsonNode::Kind::object) {
    report.errors.push_back({tree->place, "", "must be an object: { ... }"});
    return false;
  }
  if (!root) {
    root = std::move(tree);
  } else {
    merge_json_tree(*root, std::move(*tree), report.errors);
  }
  return true;
}

// What is wrong in a tree with syntax errors is not told: what is missing from it may just not have
// been read.
void read_broken_tree(const std::string& path, const JsonNode& root, bool is_whole,
                      ConfigReport& report) {
  Places places;
  std::vector<Finding> untold;
  Config config = read_tree(root, places, untold);
  config.path = path;
  if (is_whole || places.contains("runtime_directory")) {
    report.with_errors = std::move(config);
  }
}

void finish(const std::string& path, const std::optional<JsonNode>& root, bool is_whole,
            ConfigReport& report) {
  if (root && report.errors.empty()) {
    Places places;
    Config config = read_tree(*root, places, report.errors);
    config.path = path;
    check_together(config, places, report);
    (report.errors.empty() ? report.config : report.with_errors) = std::move(config);
  } else if (root) {
    read_broken_tree(path, *root, is_whole, report);
  }
  std::stable_sort(report.errors.begin(), report.errors.end(), before);
  std::stable_sort(report.warnings.begin(), report.warnings.end(), before);
}

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto absolute = fs::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

}  // namespace

std::string ConfigReport::text() const {
  std::string out;
  for (const auto& error : errors) {
    out += (out.empty() ? "" : "\n") + error.line();
  }
  return out;
}

Result<std::vector<std::string>> list_config_files(const std::string& path) {
  const std::string absolute = absolute_path(path);
  std::error_code error;
  const auto status = fs::status(absolute, error);
  if (!fs::exists(status)) {
    return Error{Errc::not_found,
                 absolute + ": does not exist; `sallyportctl init` makes a configuration"};
  }
  if (!fs::is_directory(status)) {
    return std::vector<std::string>{absolute};
  }
  std::vector<std::string> files;
  fs::directory_iterator entries(absolute, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const auto name = entries->path().filename().string();
    if (name.ends_with(".json") && name[0] != '.') {
      files.push_back(entries->path().string());
    }
  }
  if (error) {
    return Error{Errc::io, absolute + ": cannot be read: " + error.message()};
  }
  if (files.empty()) {
    return Error{Errc::not_found,
                 absolute + ": has no *.json; `sallyportctl init` makes a configuration"};
  }
  std::sort(files.begin(), files.end());
  return files;
}

ConfigReport check_config_text(const std::string& file, std::string_view text) {
  ConfigReport report;
  std::optional<JsonNode> root;
  const bool is_whole = add_text(file, text, root, report);
  finish(file, root, is_whole, report);
  return report;
}

ConfigReport check_config(const std::string& path) {
  return check_config_with(path, "", "");
}

ConfigReport check_config_with(const std::string& path, const std::string& file,
                               const std::string& text) {
  ConfigReport report;
  auto files = list_config_files(path);
  if (!files) {
    report.errors.push_back({{"", 0}, "", files.error().message});
    return report;
  }
  const std::string changed = file.empty() ? "" : absolute_path(file);
  if (!changed.empty() && std::find(files->begin(), files->end(), changed) == files->end()) {
    files->insert(std::upper_bound(files->begin(), files->end(), changed), changed);
  }
  std::optional<JsonNode> root;
  bool is_whole = true;
  for (const auto& name : *files) {
    const auto content = name == changed ? Result<std::string>(text) : read_whole_file(name);
    if (content) {
      is_whole = add_text(name, *content, root, report) && is_whole;
    } else {
      report.errors.push_back({{name, 1}, "", content.error().message});
      is_whole = false;
    }
  }
  finish(absolute_path(path), root, is_whole, report);
  return report;
}

Result<Config> load_config(const std::string& path) {
  ConfigReport report = check_config(path);
  if (!report.config) {
    return Error{Errc::invalid, report.text()};
  }
  return std::move(*report.config);
}

}  // namespace sallyport
