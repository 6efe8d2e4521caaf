// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

namespace sallyport {

// ssh_free() frees the session's channels itself: a channel handle is never owned beside it.
using SshSession = Handle<ssh_session_struct, ssh_free>;
using SshBind = Handle<ssh_bind_struct, ssh_bind_free>;
using SshKey = Handle<ssh_key_struct, ssh_key_free>;
using SshEvent = Handle<ssh_event_struct, ssh_event_free>;
using SshMessage = Handle<ssh_message_struct, ssh_message_free>;

}  // namespace sallyport
