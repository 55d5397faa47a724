// The bad files of tests/unit/config/bad and what is said about each: a table to be reviewed by
// reading it.
#include "tests/unit/config/reading.h"

namespace ringside::config {

namespace {

struct Case {
  std::string file;
  std::string said;
};

const Case kCases[] = {
    {"unknown_key", "unknown_key.yaml:5:3: proxy.outbund: unknown key; did you mean outbound?\n"},
    {"wrong_type",
     "wrong_type.yaml:4:11: service.weight: expected a whole number in 1..1000, "
     "found \"heavy\"\n"},
    {"out_of_range", "out_of_range.yaml:4:11: service.weight: \"1001\" is out of range: 1..1000\n"},
    {"duplicate_key",
     "duplicate_key.yaml:4:3: proxy.workers: duplicate key, first written on line 2\n"},
    {"bad_address",
     "bad_address.yaml:3:12: service.address: expected HOST:PORT such as "
     "10.0.0.5:8080 (the port is missing), found \"127.0.0.1\"\n"},
    {"tab", "tab.yaml:3:1: a tab in the indentation: YAML is indented with spaces\n"},
    {"empty", "empty.yaml:1:1: the file is empty: write at least one key, e.g. service:\n"},
    {"binary", "binary.yaml:1:1: byte 0x7f is a control character: the file must be UTF-8 text\n"},
    {"alias",
     "alias.yaml:1:11: defaults: an anchor (&) is not accepted: write the value "
     "again, or put it under defaults\n"
     "alias.yaml:4:13: upstreams.payments: an alias (*) is not accepted: write the "
     "value again, or put it under defaults\n"},
    {"two_documents",
     "two_documents.yaml:2:1: a second document, or a key indented less than the first one: one "
     "file holds one configuration\n"},
    {"no_tls_off_loopback",
     "no_tls_off_loopback.yaml:2:11: ring.listen: ring.tls is required off loopback; "
     "TLS is not in this version, so write ring.insecure: true to accept plain text "
     "(0.0.0.0:4150 is not loopback)\n"},
    {"unknown_policy",
     "unknown_policy.yaml:3:14: upstreams.payments.balance: unknown policy "
     "\"round_robbin\"; did you mean round_robin? known: round_robin, weighted, "
     "least_connection; not in this version: peak_ewma, random, consistent_hash, "
     "maglev, load_aware\n"},
    {"tcp_without_port",
     "tcp_without_port.yaml:4:15: upstreams.cache.protocol: tcp needs a port of its own: add "
     "listen, e.g. listen: 127.0.0.1:9001\n"},
    {"duplicate_voter_id",
     "duplicate_voter_id.yaml:7:7: ring.voters: duplicate voter id 2: 10.0.0.6:4150 "
     "has it\n"},
    {"not_in_this_version",
     "not_in_this_version.yaml:5:15: upstreams.payments.retry.budget: this key is "
     "not in this version; leave it out\n"},
};

}  // namespace

TEST_CASE("EachBadFileIsRefusedWithItsPlaceAndWhatToDo") {
  for (const Case& one : kCases) {
    CAPTURE(one.file);
    const std::string text = file_text(RINGSIDE_CONFIG_TESTS "/bad/" + one.file + ".yaml");
    const std::string name = one.file + ".yaml";
    CHECK(problems(read_settings(as_bytes(text), name, environment({}), {})) == one.said);
  }
}

TEST_CASE("AFileOfTenMegabytesIsRefusedUnparsed") {
  const std::string text = "service:\n" + std::string(10'000'000, '[');
  CHECK(problems(read_settings(as_bytes(text), "big.yaml", environment({}), {})) ==
        "big.yaml:1:1: the file has 10000009 bytes, more than 1 MiB; it is not read\n");
}

}  // namespace ringside::config
