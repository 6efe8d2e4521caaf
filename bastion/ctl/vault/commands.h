// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace sallyport {

struct Ctl;

// `sallyportctl vault add|generate|list|remove|public`. `ctl` outlives the run.
void add_vault_commands(CLI::App& app, Ctl& ctl);

}  // namespace sallyport
