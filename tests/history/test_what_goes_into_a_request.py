"""The rules by which stored messages become a request, one example each."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.content import history
from conversations.content.foreign_answers import FIELDS, acceptable
from conversations.content.history import Said, build_request
from conversations.content.tool_pairs import NOT_RUN, pair_results, with_distinct_ids

SETTINGS: Any = {"model": "claude-sonnet-4-6", "max_tokens": 10}
HELLO: Any = {"type": "text", "text": "Hello"}
EMPTY: Any = {"type": "text", "text": " \n"}
THOUGHT: Any = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
REDACTED: Any = {"type": "redacted_thinking", "data": "x"}
SEARCH: Any = {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}
FOUND: Any = {"type": "web_search_tool_result", "tool_use_id": "srv", "content": []}


def text(words: str) -> Any:
    return {"type": "text", "text": words}


def call(id: str = "t", **fields: Any) -> Any:
    return {"type": "tool_use", "id": id, "name": "f", "input": {}, **fields}


def result(id: str = "t", content: Any = "ok", **fields: Any) -> Any:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **fields}


def user(*blocks: Any) -> Said:
    return Said("user", blocks or (HELLO,))


def answer(*blocks: Any, stop: str | None = "end_turn", prefix: object = None) -> Said:
    return Said("assistant", blocks, stop, prefix)


def messages(*said: Said, **options: Any) -> list[Any]:
    request = build_request(said, SETTINGS, list, **options)
    return [(message["role"], message["content"]) for message in request["messages"]]


USER, ASSISTANT = "user", "assistant"

PATHS: dict[str, tuple[list[Said], list[Any]]] = {
    "a question": ([user()], [(USER, [HELLO])]),
    "questions that were not answered are one": ([user(), user(text("b"))], [(USER, [HELLO, text("b")])]),
    "empty text is left out": (
        [user(HELLO, EMPTY), answer(EMPTY, text("b")), user()],
        [(USER, [HELLO]), (ASSISTANT, [text("b")]), (USER, [HELLO])],
    ),
    "an answer of nothing is left out": ([user(), answer(EMPTY), user(text("b"))], [(USER, [HELLO, text("b")])]),
    "an answer of thinking alone is left out": (
        [user(), answer(THOUGHT, REDACTED), user(text("b"))],
        [(USER, [HELLO, text("b")])],
    ),
    "a refused answer is left out with its question": (
        [user(), answer(text("b")), user(text("bad")), answer(text("I"), stop="refusal"), user(text("c"))],
        [(USER, [HELLO]), (ASSISTANT, [text("b")]), (USER, [text("c")])],
    ),
    "a refused answer is left out with its tools": (
        [user(text("a")), answer(call(), stop="tool_use"), user(result()), answer(stop="refusal"), user(text("c"))],
        [(USER, [text("c")])],
    ),
    "a call that was cut is left out": (
        [user(), answer(text("b"), call(), stop="max_tokens"), user()],
        [(USER, [HELLO]), (ASSISTANT, [text("b")]), (USER, [HELLO])],
    ),
    "a call that was stopped is left out": (
        [user(), answer(text("b"), call(), stop=None), user()],
        [(USER, [HELLO]), (ASSISTANT, [text("b")]), (USER, [HELLO])],
    ),
    "a call before one that was cut is not": (
        [user(), answer(call("t"), call("u"), stop="max_tokens"), user(result("t"))],
        [(USER, [HELLO]), (ASSISTANT, [call("t")]), (USER, [result("t")])],
    ),
    "a call without a result is said not to have run": (
        [user(), answer(call(), stop="tool_use"), user()],
        [(USER, [HELLO]), (ASSISTANT, [call()]), (USER, [result(content=NOT_RUN, is_error=True), HELLO])],
    ),
    "a result without a call is left out": ([user(result(), HELLO)], [(USER, [HELLO])]),
    "results come in the order of their calls": (
        [user(), answer(call("a"), call("b"), stop="tool_use"), user(HELLO, result("b", "2"), result("a", "1"))],
        [(USER, [HELLO]), (ASSISTANT, [call("a"), call("b")]), (USER, [result("a", "1"), result("b", "2"), HELLO])],
    ),
    "empty text in a result is left out": (
        [user(), answer(call(), stop="tool_use"), user(result(content=[EMPTY, HELLO]))],
        [(USER, [HELLO]), (ASSISTANT, [call()]), (USER, [result(content=[HELLO])])],
    ),
    "an id that comes twice gets another": (
        [user(), answer(call(), stop="tool_use"), user(result()), answer(call(), stop="tool_use"), user(result())],
        [
            (USER, [HELLO]),
            (ASSISTANT, [call()]),
            (USER, [result()]),
            (ASSISTANT, [call("t_2")]),
            (USER, [result("t_2")]),
        ],
    ),
    "a search without a result is left out": (
        [user(), answer(SEARCH, text("b")), user()],
        [(USER, [HELLO]), (ASSISTANT, [text("b")]), (USER, [HELLO])],
    ),
    "a result without a search is left out": (
        [user(), answer(FOUND, text("b")), user()],
        [(USER, [HELLO]), (ASSISTANT, [text("b")]), (USER, [HELLO])],
    ),
    "a search with its result stays": (
        [user(), answer(SEARCH, FOUND, text("b")), user()],
        [(USER, [HELLO]), (ASSISTANT, [SEARCH, FOUND, text("b")]), (USER, [HELLO])],
    ),
    "a search in which Claude paused stays at the end": (
        [user(), answer(SEARCH, stop="pause_turn")],
        [(USER, [HELLO]), (ASSISTANT, [SEARCH])],
    ),
    "a beginning to go on with ends without white space": (
        [user(), answer(THOUGHT, text("Once upon \n"), stop="max_tokens")],
        [(USER, [HELLO]), (ASSISTANT, [text("Once upon")])],
    ),
    "a call by code that is left out is Claude's own": (
        [
            user(),
            answer(SEARCH, call(caller={"type": "code_execution", "tool_id": "srv"}), stop="tool_use"),
            user(result(), HELLO),
        ],
        [(USER, [HELLO]), (ASSISTANT, [call()]), (USER, [result(), HELLO])],
    ),
    "a result of a toolset says which it is of": (
        [user(), answer(call(toolset_name="computer"), stop="tool_use"), user(result())],
        [
            (USER, [HELLO]),
            (ASSISTANT, [call(toolset_name="computer")]),
            (USER, [result(toolset_name="computer")]),
        ],
    ),
}


@pytest.mark.parametrize(("said", "expected"), PATHS.values(), ids=PATHS)
def test_a_path_becomes(said: list[Said], expected: list[Any]) -> None:
    stored = [list(each.content) for each in said]
    assert messages(*said) == expected
    assert [list(each.content) for each in said] == stored, "what is stored was changed"


MCP: Any = {"type": "mcp_tool_use", "id": "mcp", "name": "f", "server_name": "s", "input": {}}


@pytest.mark.parametrize("stop", [None, "max_tokens", "model_context_window_exceeded"])
@pytest.mark.parametrize("last", [call(), SEARCH, MCP, THOUGHT], ids=lambda block: block["type"])
def test_what_may_not_have_come_to_its_end_is_left_out(last: Any, stop: str | None) -> None:
    results = {"mcp": {"type": "mcp_tool_result", "tool_use_id": "mcp", "content": []}, "srv": FOUND}
    said = [user(), answer(HELLO, last, stop=stop), user()]
    assert messages(*said)[1] == (ASSISTANT, [HELLO])
    if last in (SEARCH, MCP):
        whole = [user(), answer(last, results[last["id"]], HELLO, stop=stop), user()]
        assert messages(*whole)[1] == (ASSISTANT, [last, results[last["id"]], HELLO])


@pytest.mark.parametrize("last", [SEARCH, MCP], ids=lambda block: block["type"])
def test_a_call_of_claudes_own_without_a_result_stays_where_claude_goes_on_with_it_only(last: Any) -> None:
    assert messages(user(), answer(last, stop="pause_turn"))[1] == (ASSISTANT, [last])
    assert messages(user(), answer(HELLO, last), user())[1] == (ASSISTANT, [HELLO])


@pytest.mark.parametrize("enabled", [True, False])
def test_the_first_result_of_a_search_decides_for_the_others(enabled: bool) -> None:
    def found(cited: bool) -> Any:
        return {
            "type": "search_result",
            "source": "s",
            "title": "t",
            "content": [HELLO],
            "citations": {"enabled": cited},
        }

    [(_, content)] = messages(user(found(enabled), found(not enabled), HELLO))
    assert content == [found(enabled), found(enabled), HELLO]


def document(enabled: bool | None) -> Any:
    source = {"type": "text", "media_type": "text/plain", "data": "x"}
    return {"type": "document", "source": source, **({} if enabled is None else {"citations": {"enabled": enabled}})}


@pytest.mark.parametrize(
    ("given", "sent"),
    [((True, None), (True, True)), ((None, True), (None, False)), ((False, True), (False, False))],
)
def test_the_first_document_decides_whether_all_are_cited(given: Any, sent: Any) -> None:
    """Claude requires citations on all documents or none (claude-api.md 6); search results are counted apart."""
    first, second = map(document, given)
    search: Any = {
        "type": "search_result",
        "source": "s",
        "title": "t",
        "content": [HELLO],
        "citations": {"enabled": True},
    }
    found = messages(user(first), answer(HELLO), user(second, search))
    assert found[0] == (USER, [document(sent[0])])
    assert found[2] == (USER, [document(sent[1]), search])
    inside = messages(user(first), answer(call(), stop="tool_use"), user(result(content=[second])))
    assert inside[2] == (USER, [result(content=[document(sent[1])])])


@pytest.mark.parametrize(("bound", "kept"), [(True, False), (False, True)])
def test_a_loop_that_goes_on_keeps_thinking_of_another_prefix_where_the_model_takes_it(bound: bool, kept: bool) -> None:
    said = [user(), answer(THOUGHT, call(), stop="tool_use", prefix="before"), user(result())]
    [_, (_, content), _] = messages(*said, prefix="now", bound=bound)
    assert content == ([THOUGHT, call()] if kept else [call()])


EXTRAS: list[tuple[str, Any, str, Any]] = [
    ("system", "Be brief.", "system", "Be brief."),
    ("temperature", 0, "temperature", 0),
    ("stop_sequences", ["x"], "stop_sequences", ["x"]),
    ("thinking", {"type": "disabled"}, "thinking", {"type": "disabled"}),
    ("tools", [{"name": "f"}], "tools", [{"name": "f"}]),
    ("tool_choice", {"type": "auto"}, "tool_choice", {"type": "auto"}),
    ("effort", "low", "output_config", {"effort": "low"}),
]


@pytest.mark.parametrize(("name", "value", "field", "sent"), EXTRAS, ids=[each[0] for each in EXTRAS])
def test_a_setting_is_sent_where_it_is_one(name: str, value: Any, field: str, sent: Any) -> None:
    plain = {"model", "max_tokens", "messages"}
    given: Any = {**SETTINGS, name: value}
    request: Any = build_request([user()], given, list)
    assert request.keys() == plain | {field}
    assert request[field] == sent
    empties: list[Any] = [None] if name in ("temperature", "thinking", "tool_choice") else [None, "", []]
    for nothing in empties:
        empty: Any = {**SETTINGS, name: nothing}
        assert build_request([user()], empty, list).keys() == plain


@pytest.mark.parametrize(
    ("content", "stop", "ids", "paused", "ending"),
    [
        ([call("a"), call("b")], "tool_use", ["a", "b"], False, ""),
        ([HELLO, call("a")], "max_tokens", [], False, "Hello"),
        ([HELLO, call("a")], "refusal", [], False, ""),
        ([SEARCH], "pause_turn", [], True, ""),
        ([HELLO], "pause_turn", [], False, "Hello"),
        ([SEARCH], "end_turn", [], False, ""),
        ([THOUGHT, text("Once ")], "max_tokens", [], False, "Once"),
        ([THOUGHT], None, [], False, ""),
        ([], None, [], False, ""),
    ],
)
def test_what_an_answer_waits_for(content: Any, stop: str | None, ids: list[str], paused: bool, ending: str) -> None:
    assert history.open_call_ids(content, stop) == ids
    assert history.is_paused(content, stop) is paused
    if stop not in ("tool_use", "refusal"):
        assert history.cut_text(content, stop) == ending


@pytest.mark.parametrize("kind", FIELDS)
def test_an_imported_block_keeps_the_fields_that_claude_knows(kind: str) -> None:
    required, optional = FIELDS[kind]
    whole: Any = {**dict.fromkeys(required | optional, "x"), "type": kind}
    more: Any = {**whole, "id_of_ours": 5}
    assert acceptable([more]) == [whole]
    for name in required - {"type"}:
        less: Any = {key: value for key, value in whole.items() if key != name}
        assert acceptable([less]) == []


def test_an_imported_block_of_a_kind_that_nobody_knows_is_left_out() -> None:
    assert acceptable([{"type": "hologram"}, HELLO]) == [HELLO]


def test_calls_at_the_end_are_answered_too() -> None:
    path = [(USER, [HELLO]), (ASSISTANT, [call()])]
    assert pair_results(path)[2:] == [(USER, [result(content=NOT_RUN, is_error=True)])]
    assert pair_results([*path, (ASSISTANT, [HELLO])])[2][0] == USER


def test_ids_are_distinct_within_an_answer_as_well() -> None:
    path = with_distinct_ids([(ASSISTANT, [call(), HELLO, call(), call("t_2")]), (USER, [result()] * 3)])
    assert [block.get("id") for block in path[0][1]] == ["t", None, "t_2", "t_2_2"]
    assert [block["tool_use_id"] for block in path[1][1]] == ["t", "t_2", "t_2_2"]
