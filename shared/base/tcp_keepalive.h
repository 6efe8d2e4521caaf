// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport {

// A silent TCP connection whose other end has vanished without a word is given up after 50 s: asked
// after 20 s, every 10 s, three times (tcp(7)). Where something is on the way, VanishedPeer notices
// it. Small packets go at once.
void set_tcp_keepalive(int fd);

}  // namespace sallyport
