"""The load generator's parser: it must find the end of every answer, however the bytes arrive."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.response import MAX_HEAD_BYTES, MalformedResponse, ResponseReader


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    length_header: bytes = b"content-length: %d"

    def encoded(self) -> bytes:
        length = self.length_header % len(self.body)
        return b"HTTP/1.1 %d Reason\r\nserver: x\r\n%s\r\nx: y\r\n\r\n%s" % (self.status, length, self.body)


ANSWERS = st.lists(
    st.builds(
        Answer,
        st.integers(min_value=200, max_value=599),
        # Bodies that look like the beginning or the end of a head.
        st.one_of(st.binary(max_size=300), st.sampled_from([b"", b"\r\n\r\n", b"HTTP/1.1 500 No\r\n\r\n"])),
        st.sampled_from([b"content-length: %d", b"Content-Length:%d", b"CONTENT-LENGTH: \t%d "]),
    ),
    min_size=1,
    max_size=5,
)


@st.composite
def _chunked(draw: st.DrawFn) -> tuple[list[Answer], list[bytes]]:
    answers = draw(ANSWERS)
    whole = b"".join(answer.encoded() for answer in answers)
    cuts = sorted(draw(st.sets(st.integers(min_value=1, max_value=len(whole) - 1), max_size=20)))
    return answers, [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(_chunked())
def test_answers_are_found_wherever_the_bytes_are_cut(case: tuple[list[Answer], list[bytes]]) -> None:
    answers, chunks = case
    reader = ResponseReader()

    statuses = [status for chunk in chunks for status in reader.feed(chunk)]

    assert statuses == [answer.status for answer in answers]
    assert reader.body_bytes == sum(len(answer.body) for answer in answers)


@given(ANSWERS)
def test_byte_by_byte_an_answer_ends_with_its_last_byte(answers: list[Answer]) -> None:
    reader = ResponseReader()

    for answer in answers:
        *begun, last = (bytes([byte]) for byte in answer.encoded())

        assert [reader.feed(byte) for byte in begun] == [[]] * len(begun)
        assert reader.feed(last) == [answer.status]


def test_the_beginning_of_an_unexpected_answer_can_be_shown() -> None:
    reader = ResponseReader()

    reader.feed(Answer(429, b'{"message":"Rate limit exceeded"}').encoded())

    assert b"429" in reader.head
    assert b"Rate limit exceeded" in reader.head


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-content-length: 3\r\n\r\nabc",
        b"HTTP/2 200\r\ncontent-length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"a" * (MAX_HEAD_BYTES + 1),
    ],
    ids=["chunked", "no length", "another version", "not HTTP", "a head without end"],
)
def test_an_answer_without_a_certain_end_is_refused(answer: bytes) -> None:
    with pytest.raises(MalformedResponse):
        ResponseReader().feed(answer)
