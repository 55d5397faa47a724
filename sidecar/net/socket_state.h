// What the kernel knows of a connected socket, one system call each (but where two are named), and
// what it is told to do.
//
// Used by TcpStream. No thread rule; a descriptor that is none gives the answer that fits a socket
// of which nothing is known.
#pragma once

#include <cstddef>

namespace ringside::net {

// Nothing unread is there, neither bytes nor the peer's end.
[[nodiscard]] bool nothing_to_read(int fd);
// The error that has come and was not told yet, as an errno; 0 when there is none.
[[nodiscard]] int pending_error(int fd);
// Bytes written to it that the peer's kernel has not acknowledged; 0 when that can't be known.
[[nodiscard]] std::size_t unacknowledged_bytes(int fd);
// Both of its ends are this one socket (two calls): who connects to a port of its own host where
// nobody listens may be given that very port to come from (RFC 9293, 3.5, a simultaneous open).
[[nodiscard]] bool connected_to_itself(int fd);
// When it is closed, the peer sees a reset at once.
void reset_when_closed(int fd);
// The kernel asks a silent peer whether it is still there: after 60 s, then 4 times, every 15 s
// (TCP keepalive).
void ask_peer_if_silent(int fd);

}  // namespace ringside::net
