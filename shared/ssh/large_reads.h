// SPDX-License-Identifier: Apache-2.0
//
// libssh reads its socket 4 KiB at a time, with a poll(2) before each (socket.c, MAX_BUF_SIZE):
// over 500 system calls per MiB. It finds recv(2) and poll(2) through the dynamic linker, so a
// process that links this file gives it ours: for one descriptor they answer from a buffer that is
// filled 128 KiB at a time, or from what the kernel said last of it. That holds until the process
// waits: with a time-out, or for other descriptors too. Every other call goes to the kernel.
#pragma once

namespace sallyport {

// The one SSH connection of this process. Bytes may wait here although the kernel has none, so
// whoever waits for the connection asks has_buffered_input() first, or calls poll(2), which knows.
// Not thread-safe.
void read_ahead_of(int fd);
bool has_buffered_input();

}  // namespace sallyport
