"""The rules of HTTP/1.1 that the wire scripts hold the proxy to, and which script shows which.

A row of a table names its rule itself; functions are named here. RULES.md is the list for readers:
`run --rules` writes it, and a run fails when it is not what the scripts say, when a rule has no
script, or when a script named here is gone.
"""

# key: what the rule says, where it stands. The order is that of RULES.md.
RULES = {
    "naming": "A request names its service by absolute form, Host, prefix or port; the service sees its own name",
    "methods": "Methods are those that llhttp knows; any of them passes (RFC 9110, 9)",
    "targets": "A target passes byte for byte, in origin form (RFC 9112, 3.2)",
    "order_and_case": "Fields keep their order, case and bytes; status and phrase pass (RFC 9110, 5)",
    "marks": "A request id is kept or drawn, traceparent passes, nobody forges our words",
    "forwarded": "X-Forwarded-For grows by the caller; Via passes and is not added",
    "keep_alive": "A connection carries request after request unless one side says close (RFC 9112, 9.3)",
    "pipelining": "Pipelined requests are answered in their order, one at a time (RFC 9112, 9.3.2)",
    "hop_by_hop": "What Connection lists and what is known to be of one hop stays here; end-to-end fields never go with it (RFC 9110, 7.6.1)",
    "sized_body": "A body passes with its length, written anew (RFC 9112, 6.2)",
    "chunked_request": "Chunks of a request pass as they come; sizes are written anew, extensions dropped (RFC 9112, 7.1)",
    "chunked_response": "Chunks of a response pass as they come; sizes are written anew, extensions dropped (RFC 9112, 7.1)",
    "trailers": "Trailers pass both ways but those that frame, route or forge (RFC 9110, 6.5)",
    "until_close": "A body that ends with the connection gets chunks, or ends the caller's connection (RFC 9112, 6.3)",
    "head": "An answer to HEAD has no body and keeps its fields (RFC 9110, 9.3.2)",
    "no_body_statuses": "204 and 304 have no body, whatever they announce (RFC 9112, 6.3)",
    "interim": "1xx pass on at once, but to HTTP/1.0 (RFC 9110, 15.2)",
    "expect": "Expect is the app's to answer; the body waits for nobody (RFC 9110, 10.1.1)",
    "http10": "HTTP/1.0 peers get what they can read, and keep alive only by word (RFC 9112, C.2)",
    "half_close": "Who half-closes behind a request gets the response; inside one it is over",
    "truncation": "What was cut short never looks complete (RFC 9112, 8)",
    "early_response": "A response may come while the request's body runs; the connection is not used again",
    "large_heads": "Heads of 64 KiB pass both ways; larger ones are told with 431 or 502",
    "streams": "Bodies of any size pass with bounded memory; a side that does not read holds the other back",
    "not_a_request": "Bytes of a body are never taken for a message",
    "refused_closes": "What is refused is answered, counted by reason, and ends the connection; nothing behind it is served",
    "line_ends": "Bare CR, bare LF, NUL and other control characters are refused",
    "request_line": "A request line has three parts, a known method, a legal target, HTTP/1.0 or 1.1",
    "field_lines": "A field has a token, a colon at once, and a value; Connection lists tokens",
    "folding": "Folded lines are refused",
    "hosts": "HTTP/1.1 has exactly one Host, HTTP/1.0 at most one, and it is one authority",
    "both_lengths": "Content-Length and Transfer-Encoding together are refused",
    "lengths": "One Content-Length of plain digits up to 63 bits",
    "codings": "The only coding is one `chunked`, and not in HTTP/1.0",
    "chunks": "A chunk has plain hexadecimal digits, legal extensions and CRLF at both ends",
    "upgrade": "A tunnel begins only after a 101 that takes up the caller's offer, and no byte behind the request goes upstream before it (RFC 9110, 7.8)",
    "connect": "CONNECT makes a tunnel to a named service after 2xx; what follows a refused one is not served (RFC 9110, 9.3.6)",
    "bad_responses": "A response breaks the same rules at the cost of a 502; stray bytes are nobody's answer",
}

# Scripts that are functions.
FUNCTIONS = {
    "naming": ("AbsoluteFormNamesTheServiceAndOutranksHost", "ThePrefixNamesTheServiceAndIsRemoved", "AFixedPortNeedsNoNameAndKeepsThePath",
               "ADomainIsStrippedAndCaseDoesNotMatter", "AnUnknownServiceNamesTheNearest", "AnotherSchemeIsRefusedOnAFixedPortToo", "ANamelessRequestIsToldHowToName"),
    "order_and_case": ("OrderAndCaseOfFieldsAreKept",),
    "marks": ("RequestIdIsKeptOrDrawnAndTraceparentPasses", "TheAppCanNotForgeItsWords", "AnAppWithoutSidecarCanNotForgeARefusal",
              "TheAppCanNotForgeAResponseThroughInbound"),
    "forwarded": ("ForwardedForIsAppended", "ACallPassesTwoSidecars"),
    "keep_alive": ("ConnectionCloseFromTheCallerClosesItsSideOnly", "AReusedConnectionThatClosedIsReplacedForGet", "AnIdleConnectionThatEndsLeavesThePool"),
    "pipelining": ("PipelinedRequestsAreAnsweredInOrder", "PipelinedBytesWaitOnlyUpToABound", "AHeadThatWaitsBehindAnExchangeIsReadOn",
                   "WhatIsPipelinedBehindALargeRequestIsTheNextRequest", "BytesBehindALargeResponseAreNeverTheNextOne"),
    "hop_by_hop": ("HopByHopFieldsStayHere", "AnOfferOfHttp2IsPassedOver"),
    "sized_body": ("SizedBodyPassesBothWays", "AHeldBodyIsSentAgain", "ARequestMayComeByteByByte"),
    "chunked_request": ("ChunksPassBothWaysWithTrailers",),
    "chunked_response": ("ChunksPassAsTheyComeNotAtTheEnd",),
    "until_close": ("ABodyThatEndsWithTheConnectionBecomesChunked",),
    "head": ("HeadHasNoBodyAndKeepsItsLength", "AnOwnAnswerToHeadHasNoBody"),
    "no_body_statuses": ("NoContentAndNotModifiedHaveNoBody",),
    "interim": ("InterimResponsesPassOn", "OldClientsGetNoInterimResponses"),
    "http10": ("OldClientGetsNoChunksAndItsConnectionCloses", "OldClientMayKeepAlive", "OldServerClosesAndIsNotReused"),
    "half_close": ("AHalfClosedCallerGetsItsResponse", "AnUnfinishedRequestEndsWithItsCaller",
                   "AnUnfinishedRequestBehindAnotherEndsWithItsCallerToo", "ACallerThatBreaksOffEndsTheUpstreamCall",
                   "ACallerThatBreaksOffEndsTheCallBehindTwoSidecars", "ATryThatIsGivenUpEndsBehindTwoSidecars"),
    "truncation": ("ATruncatedResponseIsCutOffNotCompleted", "ATruncatedChunkedResponseToAnOldClientIsReset", "ALargeResponseThatIsCutNeverLooksComplete",
                   "AnEarlyResponseThatAResetCutsNeverLooksComplete"),
    "early_response": ("AnEarlyResponsePassesAndTheConnectionCloses", "AnEarlyResponseBodyAndTheRequestRunSideBySide",
                       "AnAnswerBeforeTheBodyWasReadArrivesWhole", "AnEarlyAnswerToALargeRequestReachesTheCaller"),
    "large_heads": ("ALargeHeadIsTold",),
    "streams": ("ALargeBodyPassesToASlowReader", "ALargeUploadPassesToASlowApp", "ALargeDownloadTakesNoMemory", "ALargeUploadTakesNoMemory",
                "AReaderThatStopsHoldsTheAppBack", "ABodyThatWaitsForItsConnectionIsBounded", "LargeResponsesFollowEachOtherOnOneConnection",
                "LargeRequestsFollowEachOtherOnOneConnection", "LargeBodiesPassBothWaysAtOnce", "LargeBodiesPassTwoSidecarsByteByByte",
                "AnAppThatReadsNothingHoldsALargeRequestBackAndLosesNothing"),
    "refused_closes": ("BytesBehindARefusedRequestAreNotServed", "ABadChunkEndsTheCallAndIsNeverGuessed", "AHeadThatDoesNotEndIsCutOff",
                       "AMalformedRequestToInboundIsSaidToBeUnprocessed"),
    "upgrade": ("AnUpgradePassesAndTheTunnelBeginsAfterThe101", "BytesBehindAnUpgradeWaitForThe101", "A200InsteadOf101IsAnOrdinaryAnswer",
                "A101ThatNobodyAskedForIsABadResponse", "A101WithAProtocolThatWasNotOfferedIsABadResponse", "AnUpgradeThatConnectionDoesNotListIsNone",
                "AnUpgradeInHttp10IsNone", "TheBodyOfAnUpgradeIsHttpAndTheTunnelFollowsIt", "ARefusedUpgradeWithABodyIsNotPooled",
                "AnUpgradedConnectionIsNeverPooled", "AnOfferOfHttpIsPassedOver"),
    "connect": ("ConnectGoesStraightToAnEndpointWithoutSidecar", "ARefusedConnectPassesAndWhatFollowsIsNotServed",
                "ConnectToWhatIsNoServiceIsRefusedAndWhatFollowsIsNotServed", "ConnectWithABodyIsRefused"),
    "bad_responses": ("ABadResponseIsToldNotPassed",),
}


def by_rule(rows):
    """{rule: names of its scripts}, rows first."""
    named = {rule: [row.name for row in rows if row.rule == rule] for rule in RULES}
    for rule, names in FUNCTIONS.items():
        named[rule] += names
    return named


def text(rows):
    """RULES.md."""
    lines = ["# What the wire scripts hold the proxy to", "",
             "Written by `tests/wire/run --rules`; a run fails while it is not what the scripts say. Raw TCP, limits, pools and drain have scripts of their own.", "",
             "| rule | scripts |", "|---|---|"]
    for rule, names in by_rule(rows).items():
        lines.append(f"| {RULES[rule]} | " + " ".join(f"`{name}`" for name in names) + " |")
    return "\n".join(lines) + "\n"


def problems(rows, names, written):
    """What is wrong with the list: `names` are all scripts there are, `written` is RULES.md."""
    found = [f"row {row.name} names no rule: {row.rule}" for row in rows if row.rule not in RULES]
    found += [f"no script {name}, which rules.py names" for scripts in FUNCTIONS.values() for name in scripts if name not in names]
    found += [f"rule {rule} has no script" for rule, scripts in by_rule(rows).items() if not scripts]
    found += [f"{name} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    if not found and written != text(rows):
        found.append("RULES.md is not what the scripts say: tests/wire/run --rules")
    return found
