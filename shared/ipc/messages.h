// SPDX-License-Identifier: Apache-2.0
//
// Every message between our processes, by conversation; docs/ipc.md says who may send which, when.
#pragma once

#include "shared/ipc/channel_messages.h"
#include "shared/ipc/daemon_messages.h"
#include "shared/ipc/login_messages.h"
#include "shared/ipc/session_messages.h"
