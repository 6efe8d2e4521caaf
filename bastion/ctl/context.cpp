// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/context.h"

#include "shared/base/printable.h"
#include "shared/config/check.h"

#include <iostream>

namespace sallyport {

namespace {

std::string check_command(const std::string& config_path) {
  return config_path == kDefaultConfigPath
             ? "sallyportctl config check"
             : "sallyportctl --config " + printable(config_path, 1000) + " config check";
}

}  // namespace

Result<Config> Ctl::config_of_running() const {
  ConfigReport report = check_config(config_path);
  if (report.config) {
    return std::move(*report.config);
  }
  const bool is_there = list_config_files(config_path).has_value();
  if (!report.with_errors && is_there && config_path == kDefaultConfigPath) {
    report.with_errors.emplace();  // the folders of a package
    report.with_errors->path = config_path;
  }
  if (!report.with_errors) {
    return Error{
        Errc::invalid,
        report.text() +
            (is_there ? "\nso it is not known where this bastion runs; mend that first" : "")};
  }
  std::cerr << "sallyportctl: warning: the configuration has errors (see: "
            << check_command(config_path) << "); this is about the bastion that runs in "
            << printable(report.with_errors->runtime_directory, 1000) << '\n';
  return std::move(*report.with_errors);
}

}  // namespace sallyport
