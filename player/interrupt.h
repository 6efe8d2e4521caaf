// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport {

// From here on SIGINT, SIGTERM and SIGHUP only ask the player to end: interrupted() says so, to the
// loop and to everything that may take long.
void catch_interrupts();
bool interrupted();

}  // namespace sallyport
