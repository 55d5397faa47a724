// Addresses as text.
#include "sidecar/net/socket.h"

#include <doctest/doctest.h>

namespace ringside::net::test {

TEST_CASE("AnAddressIsWrittenAsItIsRead") {
  for (const char* text :
       {"0.0.0.0", "10.0.0.5", "127.1.20.100", "255.255.255.255", "::1", "::", "2001:db8::12"}) {
    CHECK(SocketAddress::numeric(text, 80)->ip() == text);
  }
  CHECK(SocketAddress::numeric("::ffff:192.0.2.10", 80)->ip() == "192.0.2.10");
  CHECK(SocketAddress().ip().empty());
}

TEST_CASE("AnAddressWithItsPortHasBracketsWhereItNeedsThem") {
  CHECK(SocketAddress::numeric("10.0.0.5", 80)->to_string() == "10.0.0.5:80");
  CHECK(SocketAddress::numeric("::1", 8080)->to_string() == "[::1]:8080");
  CHECK(SocketAddress().to_string().empty());
}

}  // namespace ringside::net::test
