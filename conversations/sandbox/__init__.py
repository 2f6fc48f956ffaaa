"""A sandbox of Claude's Messages API for trials and tests: a real HTTP server, as strict as version 2026-10-21.

It is not Claude. What it says is made up by rules: by default a short answer about the prompt, labelled `[sandbox]`.
The user's newest text block can direct it with `[[sandbox: name=value; name; ...]]` anywhere in it. Directives of
earlier texts no longer count, unless they say `always` and the newest text has none: then they hold for that, too.

It reads text, and the text of PDFs. Where JSON is asked for, it looks for values near words that are like the fields'
names, and for rows in tables with such headers; where evidence is asked for, it quotes what it found. Where there is a
PDF without text, or an image and no text, it refuses (stop reason `refusal`) instead of making something up.

What to say
    text="..."              exactly this (a JSON string, so \\n and \\u escapes work)
    words=N                 N words
    json="..."              exactly this, where JSON was asked for; fence and prose wrap JSON in a fence or in prose
    stop_reason=X           any stop reason, known or not; stop_sequence=X names the sequence that was hit
    refusal, refusal=CATEGORY   a refusal without content; with text="..." after some of it
    thinking, thinking="..."    a thinking block first; redacted_thinking a redacted one
    tool=NAME, tool=NAME{"a": 1}    a call of a tool; several are parallel calls
    web_search              a search on the server with its result, and cited text
    citations               text that cites the first document
    content=[{...}, ...]    exactly these blocks
    then                    what comes next is for the next request of the same turn, after tools or a pause
    block=sandbox_NAME      a kind of block, delta and event that nobody knows
    empty                   no content at all
    usage.KEY=N             another number in the usage; late_usage restates it in message_delta

How to say it
    pace=SECONDS            between deltas; delay=SECONDS before the response begins
    chunk=N                 the stream in chunks of N bytes; one_chunk in one; split_utf8 in chunks that end inside
                            of characters
    crlf, no_ping, duplicate_message_start

What goes wrong
    error=TYPE or STATUS    instead of an answer; times=N for the first N requests with this body;
                            retry_after=SECONDS; no_retry
    error_after=N:TYPE      an error event after N deltas
    cut_after=N             the connection drops after N deltas
    cut_clean_after=N       the response ends well-formed after N deltas, without message_stop
    cut_midbyte_after=N     it ends inside a character
    stall_after=N:SECONDS   silence after N deltas
    raw=[...]               exactly this on the wire: strings (where \\udcXX is the byte XX), numbers for seconds of
                            silence, and null where the connection drops; content_type=X is its type

In a batch
    delay=SECONDS           the batch ends so much later; error=TYPE: this item is errored; expire: it expires, with
                            times=N the first N times; cut_after=0: the batch begins, but the answer to that is lost

`GET /_sandbox/requests` lists the requests that it got, `DELETE` forgets them; neither is Claude's.
"""
