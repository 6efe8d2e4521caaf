// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/host_keys/import_plan.h"
#include "bastion/ctl/reload.h"
#include "bastion/ctl/targets_file.h"
#include "bastion/ctl/terminal.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace sallyport {

namespace {

constexpr size_t kMaxFileBytes = size_t{8} * 1024 * 1024;

struct ImportOptions {
  std::string file;
  bool yes = false;
};

std::string default_file() {
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "/root" : home) + "/.ssh/known_hosts";
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad() || (file.gcount() == 0 && !file.eof())) {
    return errno_error("reading " + path);
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text.size() > kMaxFileBytes ? Error{Errc::limit, path + " is larger than 8 MiB"}
                                     : Result(std::move(text));
}

void show(const ImportPlan& plan) {
  for (const auto& line : plan.used) {
    print_line(line);
  }
  for (const auto& [why, lines] : plan.not_used) {
    print_line("not used: " + list_lines(lines) + ": " + why);
  }
}

// The targets that other files have are not ours to change: what to do there is said.
void change_pins(TargetsFile& file, const ImportPlan& plan) {
  const auto elsewhere = [&](const std::string& name) { return !file.targets().contains(name); };
  for (const auto& [name, keys] : plan.unpins) {
    if (elsewhere(name)) {
      print_line("warning: " + name +
                 " is pinned in another file; the key is refused all the same, "
                 "remove it there");
      continue;
    }
    auto& pins = file.targets()[name].host_keys;
    std::erase_if(pins, [&](const auto& pin) {
      return std::find(keys.begin(), keys.end(), pin) != keys.end();
    });
    if (pins.empty()) {
      print_line("warning: " + name +
                 " has no pinned host key any more, so it is refused; `target "
                 "scan " +
                 name + " --pin` pins its new one");
    }
  }
  for (const auto& [name, keys] : plan.pins) {
    if (elsewhere(name)) {
      for (const auto& key : keys) {
        print_line("warning: " + name + " is in another file; add to its host_keys there: " + key);
      }
      continue;
    }
    auto& pins = file.targets()[name].host_keys;
    pins.insert(pins.end(), keys.begin(), keys.end());
  }
}

Status apply(const Ctl& ctl, const ImportPlan& plan) {
  auto file = TargetsFile::open(ctl.config_path);
  if (!file) {
    return file.error();
  }
  change_pins(*file, plan);
  for (const auto& [name, ca] : plan.host_cas) {
    file->host_cas()[name] = ca;
  }
  auto& revoked = file->revoked_host_keys();
  revoked.insert(revoked.end(), plan.revoked.begin(), plan.revoked.end());
  if (auto saved = file->save(); !saved) {
    return saved;
  }
  print_line("imported into " + file->path() + "; " + reload_after_change(ctl));
  return ok();
}

Status import_known_hosts(const Ctl& ctl, const ImportOptions& options) {
  const auto config = ctl.config();
  if (!config) {
    return config.error();
  }
  const auto text = read_file(options.file.empty() ? default_file() : options.file);
  if (!text) {
    return text.error();
  }
  const auto plan = plan_import(parse_known_hosts(*text), *config);
  show(plan);
  if (!plan.changes_anything()) {
    print_line("nothing to import");
    return ok();
  }
  const auto agreed = confirm("Import this?", options.yes);
  if (!agreed) {
    return agreed.error();
  }
  return *agreed ? apply(ctl, plan) : Status(Error{Errc::denied, "nothing was changed"});
}

}  // namespace

void add_target_import_command(CLI::App& target, Ctl& ctl) {
  auto options = std::make_shared<ImportOptions>();
  auto* import = target.add_subcommand("import", "Take host keys from elsewhere");
  import->require_subcommand(1);
  auto* known_hosts = import->add_subcommand(
      "known_hosts",
      "Pin the keys of OpenSSH's known_hosts for the targets that it names, and take "
      "its @cert-authority and @revoked lines");
  known_hosts->add_option("FILE", options->file, "~/.ssh/known_hosts where missing");
  known_hosts->add_flag("--yes", options->yes, "do not ask");
  known_hosts->callback(
      [&ctl, options] { ctl.run = [&ctl, options] { return import_known_hosts(ctl, *options); }; });
}

}  // namespace sallyport
