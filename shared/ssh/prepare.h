// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport {

// Once in a nursery, while files can be opened: libssh, OpenSSL's configuration and random numbers.
// Uses once what a key exchange uses, too: what OpenSSL 3 looks up for the first time it keeps, and
// that is a good part of a login's CPU time.
void prepare_ssh();

}  // namespace sallyport
