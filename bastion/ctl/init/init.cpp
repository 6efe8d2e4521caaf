// SPDX-License-Identifier: Apache-2.0
//
// `sallyportctl init`: everything that a bastion needs before its first start. What is decided is
// checked before anything is made, and nothing that is there already is changed.
#include "bastion/ctl/commands.h"
#include "bastion/ctl/init/config_text.h"
#include "bastion/ctl/init/files.h"
#include "bastion/ctl/terminal.h"
#include "shared/base/environment.h"
#include "shared/config/check.h"
#include "shared/config/values.h"
#include "shared/ipc/sandbox.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <memory>

namespace sallyport {

namespace {

constexpr const char* kSystemDirectory = kDefaultConfigPath;
constexpr const char* kDevelopmentIssuer = "http://127.0.0.1:8422";
constexpr const char* kClientId = "sallyport";

std::string default_directory() {
  if (::geteuid() == 0) {
    return kSystemDirectory;
  }
  const std::string config_home = environment_variable("XDG_CONFIG_HOME");
  if (config_home.starts_with('/')) {
    return config_home + "/sallyport";
  }
  const std::string home = environment_variable("HOME");
  return (home.empty() ? "." : home + "/.config") + "/sallyport";
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  std::string node(name);
  node = node.substr(0, std::min(node.find('.'), kMaxNodeBytes));
  return check_node(node) ? node : "bastion";
}

struct Question {
  std::string& value;
  const char* question;
  const char* option;
};

// Asks for what no option gave; without a terminal it names every option that is missing.
Status ask_missing(std::initializer_list<Question> questions) {
  std::string missing;
  for (const auto& q : questions) {
    if (!q.value.empty()) {
      continue;
    }
    if (::isatty(STDIN_FILENO) == 0) {
      missing += (missing.empty() ? "" : " ") + std::string(q.option);
      continue;
    }
    auto answer = ask_line(q.question, q.option);
    if (!answer) {
      return answer.error();
    }
    q.value = std::move(*answer);
  }
  return missing.empty()
             ? ok()
             : Status(Error{Errc::invalid, "there is no terminal to ask on; give " + missing});
}

// From defaults, options and questions to a full set of options.
Status complete(InitOptions& options) {
  const bool is_system = options.directory == kSystemDirectory;
  options.state_directory = is_system ? "/var/lib/sallyport" : "state";
  options.runtime_directory = is_system ? "/run/sallyport" : "run";
  if (options.node.empty()) {
    options.node = host_name();
  }
  if (options.listen.empty()) {
    options.listen = options.development ? std::vector<std::string>{"127.0.0.1:2222"}
                                         : std::vector<std::string>{"0.0.0.0:2222", "[::]:2222"};
  }
  if (options.development && options.issuer.empty()) {
    options.issuer = kDevelopmentIssuer;
  }
  if (options.development && options.client_id.empty()) {
    options.client_id = kClientId;
  }
  if (options.recipients.empty()) {
    options.recipients.emplace_back();
  }
  return ask_missing(
      {{options.issuer, "Issuer URL of your identity provider (https://...):", "--issuer URL"},
       {options.client_id, "Client id that is registered there:", "--client-id ID"},
       {options.recipients[0],
        "Who may read the recordings? (age1..., by `sallyport-play keygen`):",
        "--recipient age1..."}});
}

// The findings are about a file that is not there yet, so they name the key alone.
Status check_text(const std::string& file, const std::string& text) {
  const auto report = check_config_text(file, text);
  std::string errors;
  for (const auto& error : report.errors) {
    errors += (errors.empty() ? "" : "\n") + error.key + ": " + error.text;
  }
  return errors.empty() ? ok() : Status(Error{Errc::invalid, errors});
}

// The daemons' folders, as gate or systemd would make them.
Status make_daemon_folders(const Config& config) {
  struct Daemon {
    const char* name;
    const char* user;
  };
  constexpr Daemon kDaemons[] = {
      {"authd", kAuthdUser}, {"keyd", kKeydUser}, {"stored", kStoredUser}};
  for (const auto& daemon : kDaemons) {
    const std::string socket = config.socket_path(daemon.name);
    if (auto made = make_folder(config.state_path(daemon.name), 0700, daemon.user); !made) {
      return made;
    }
    const std::string folder = socket.substr(0, socket.rfind('/'));
    if (auto made = make_folder(folder, 0755, daemon.user); !made) {
      return made;
    }
  }
  return ok();
}

Status make_files(const InitOptions& options, const std::string& file, const std::string& text) {
  const std::string& directory = options.directory;
  // Others must see sallyport.json: the daemons read it as users of their own. The keys are 0600.
  if (auto made = make_folder(directory, 0755); !made) {
    return made;
  }
  const std::string host_key = directory + "/ssh_host_ed25519_key";
  if (auto made = make_host_key(host_key, options.node, kSessionUser); !made) {
    return made;
  }
  if (auto made = make_key_file(directory + "/vault.key", kKeydUser); !made) {
    return made;
  }
  if (auto made = make_key_file(directory + "/seal.key", kAuthdUser); !made) {
    return made;
  }
  if (auto made = make_key_file(directory + "/jump.key", kSessionUser); !made) {
    return made;
  }
  return make_text_file(file, text);
}

// In the order in which they can be typed: the vault and the reload need running daemons.
void print_next_steps(const InitOptions& options) {
  const bool is_system = options.directory == kSystemDirectory;
  const std::string with = is_system ? "" : " --config " + options.directory;
  const std::string ctl = "  sallyportctl" + with;
  print_line("Next:");
  print_line(is_system ? "  systemctl enable --now sallyport.target"
                       : "  sallyportd --config " + options.directory +
                             "         and the rest in another terminal");
  if (options.development) {
    print_line("  sallyport-dev-idp --config " + options.directory +
               "   the identity provider, from libexec; in another terminal too");
  }
  print_line(ctl + " vault generate KEYNAME         and put its public key on the targets");
  print_line(ctl + " target add NAME ADDRESS --scan --key KEYNAME");
  if (!options.development) {
    print_line("  edit " + options.directory + "/sallyport.json: roles");
    print_line(ctl + " config check");
    print_line(ctl + " reload");
  }
}

Status init(InitOptions options) {
  options.directory = std::filesystem::absolute(options.directory).lexically_normal().string();
  while (options.directory.size() > 1 && options.directory.ends_with('/')) {
    options.directory.pop_back();
  }
  const std::string file = options.directory + "/sallyport.json";
  const bool have_config = ::access(file.c_str(), F_OK) == 0;
  std::string text;
  if (!have_config) {
    if (auto completed = complete(options); !completed) {
      return completed;
    }
    text = initial_config_text(options);
    if (auto good = check_text(file, text); !good) {
      return good;
    }
  }
  if (auto made = make_users(); !made) {
    return made;
  }
  if (auto made = make_files(options, file, text); !made) {
    return made;
  }
  const auto config = load_config(options.directory);
  if (!config) {
    return config.error();
  }
  if (auto made = make_daemon_folders(*config); !made) {
    return made;
  }
  print_next_steps(options);
  return ok();
}

}  // namespace

void add_init_command(CLI::App& app, Ctl& ctl) {
  auto options = std::make_shared<InitOptions>();
  options->directory = default_directory();
  auto* command = app.add_subcommand("init", "Make keys, folders and a commented configuration");
  command->add_option("--directory", options->directory, "where")->capture_default_str();
  command->add_flag("--development", options->development,
                    "a bastion on loopback with the development identity provider");
  command->add_option("--recipient", options->recipients, "age1...: who may read recordings")
      ->allow_extra_args(false);
  command->add_option("--issuer", options->issuer, "the identity provider's issuer URL");
  command->add_option("--client-id", options->client_id, "as registered there");
  command->add_option("--listen", options->listen, "address:port, may be given several times")
      ->allow_extra_args(false);
  command->add_option("--node", options->node, "this bastion's name in recordings");
  command->callback([&ctl, options] { ctl.run = [options] { return init(*options); }; });
}

}  // namespace sallyport
