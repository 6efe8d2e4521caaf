// SPDX-License-Identifier: Apache-2.0
//
// Each adds its subcommands; those of the vault are in bastion/ctl/vault.
#pragma once

#include "bastion/ctl/context.h"

namespace CLI {
class App;
}

namespace sallyport {

void add_init_command(CLI::App& app, Ctl& ctl);
void add_config_commands(CLI::App& app, Ctl& ctl);
void add_target_commands(CLI::App& app, Ctl& ctl);
void add_target_scan_command(CLI::App& target, Ctl& ctl);
void add_target_import_command(CLI::App& target, Ctl& ctl);
void add_session_commands(CLI::App& app, Ctl& ctl);
void add_key_commands(CLI::App& app, Ctl& ctl);
void add_recording_commands(CLI::App& app, Ctl& ctl);
void add_keeping_commands(CLI::App& recordings, Ctl& ctl);
void add_evidence_commands(CLI::App& recordings, Ctl& ctl);
void add_log_commands(CLI::App& app, Ctl& ctl);
void add_log_verify_command(CLI::App& log, Ctl& ctl);
void add_known_hosts_command(CLI::App& app, Ctl& ctl);
void add_reload_command(CLI::App& app, Ctl& ctl);

}  // namespace sallyport
