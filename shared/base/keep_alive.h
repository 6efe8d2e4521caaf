// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport {

// A TCP connection whose other end has vanished without a word is given up within a minute: asked
// after 30 s of silence, every 10 s, three times; and what was sent and never acknowledged counts
// for 60 s (TCP_USER_TIMEOUT, tcp(7)). Small packets go at once.
void keep_alive(int fd);

}  // namespace sallyport
