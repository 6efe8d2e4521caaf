// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/ctl/context.h"

#include <string>

namespace sallyport {

// After a change of the configuration: tells authd, where it runs, and returns a line that says
// what happened. Never an error: the change is made already.
std::string reload_after_change(const Ctl& ctl);

}  // namespace sallyport
