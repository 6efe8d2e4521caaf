// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/targets_file.h"

#include "shared/base/hex.h"
#include "shared/base/write_and_sync.h"
#include "shared/config/check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

using nlohmann::ordered_json;

constexpr const char* kHead =
    "// Written by `sallyportctl target`: comments and other keys do not last here.\n";

// The daemons read the file as users of their own; there is nothing secret in it.
constexpr mode_t kFileMode = 0644;

void from_json(const ordered_json& value, TargetConfig& target) {
  target.address = value.at("address").get<std::string>();
  target.host_keys = value.value("host_keys", target.host_keys);
  target.key = value.value("key", target.key);
}

void from_json(const ordered_json& value, HostCaConfig& ca) {
  ca.patterns = value.at("patterns").get<std::vector<std::string>>();
  ca.key = value.at("key").get<std::string>();
}

template <class Item>
void read_map(const ordered_json& json, const char* key, std::map<std::string, Item>& out) {
  const ordered_json items = json.value(key, ordered_json::object());
  for (const auto& [name, value] : items.items()) {
    from_json(value, out[name]);
  }
}

bool concerns_us(const Finding& finding, const std::string& path) {
  return finding.place.file == path || finding.key.starts_with("targets.") ||
         finding.key.starts_with("host_cas.") || finding.key.starts_with("revoked_host_keys");
}

}  // namespace

Result<TargetsFile> TargetsFile::open(const std::string& config_path) {
  const auto files = list_config_files(config_path);
  if (!files) {
    return files.error();
  }
  TargetsFile out;
  out.directory_ = config_path;
  out.lock_ = UniqueFd(::open(config_path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!out.lock_ && errno == ENOTDIR) {
    return Error{Errc::invalid, config_path +
                                    " is a single file: add the target there, or give its "
                                    "directory with --config"};
  }
  if (!out.lock_ || ::flock(out.lock_.get(), LOCK_EX) != 0) {
    return errno_error("opening " + config_path);
  }
  out.path_ = files->front().substr(0, files->front().rfind('/')) + "/targets.json";
  if (auto read = out.read(); !read) {
    return read.error();
  }
  return out;
}

Status TargetsFile::read() {
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    return ::access(path_.c_str(), F_OK) != 0 ? ok() : Status(errno_error("reading " + path_));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto json = ordered_json::parse(text, nullptr, false, true);
  try {
    read_map(json, "targets", targets_);
    read_map(json, "host_cas", host_cas_);
    revoked_ = json.value("revoked_host_keys", revoked_);
  } catch (const ordered_json::exception&) {
    return Error{Errc::corrupt, path_ +
                                    ": is not a file of targets; `sallyportctl config check` "
                                    "tells what is wrong"};
  }
  return ok();
}

std::string TargetsFile::text() const {
  ordered_json targets = ordered_json::object();
  for (const auto& [name, target] : targets_) {
    ordered_json entry = {{"address", target.address}};
    if (!target.host_keys.empty()) {
      entry["host_keys"] = target.host_keys;
    }
    if (!target.key.empty()) {
      entry["key"] = target.key;
    }
    targets[name] = std::move(entry);
  }
  ordered_json all = {{"targets", std::move(targets)}};
  for (const auto& [name, ca] : host_cas_) {
    all["host_cas"][name] = {{"patterns", ca.patterns}, {"key", ca.key}};
  }
  if (!revoked_.empty()) {
    all["revoked_host_keys"] = revoked_;
  }
  return kHead + all.dump(2) + "\n";
}

Status TargetsFile::save() {
  const std::string content = text();
  const auto report = check_config_with(directory_, path_, content);
  const auto wrong = std::find_if(report.errors.begin(), report.errors.end(),
                                  [&](const auto& e) { return concerns_us(e, path_); });
  if (wrong != report.errors.end()) {
    return Error{Errc::invalid, wrong->line()};
  }
  return replace_file(content);
}

Status TargetsFile::replace_file(const std::string& content) const {
  std::string temporary = path_.substr(0, path_.rfind('/')) + "/.targets.json.XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) {
    return errno_error("writing into " + directory_);
  }
  if (!write_and_sync(fd.get(), as_bytes(content)) || ::fchmod(fd.get(), kFileMode) != 0 ||
      ::rename(temporary.c_str(), path_.c_str()) != 0 || ::fsync(lock_.get()) != 0) {
    const Error failed = errno_error("writing " + path_);
    ::unlink(temporary.c_str());
    return failed;
  }
  return ok();
}

}  // namespace sallyport
