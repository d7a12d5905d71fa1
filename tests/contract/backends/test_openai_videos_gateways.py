"""Gateways that speak `/v1/videos` and their ways with money: sent once, and no money is no queue."""

from pathlib import Path

import pytest

from tests.contract.backends.stage import stage_for
from tests.support.upstream import ScriptedUpstream, answered, json_answer
from tests.support.upstream.openai_videos import OpenAIVideos
from understudy.backends.base import Busy, Unusable
from understudy.domain.catalogue import Size


@pytest.mark.parametrize("encoding", ["json", "multipart"])
async def test_a_gateway_is_told_to_send_a_submission_once(encoding: str, tmp_path: Path) -> None:
    async with ScriptedUpstream(OpenAIVideos()) as upstream, stage_for(upstream, tmp_path, encoding=encoding) as stage:
        await stage.backend.submit(stage.request(stage.wanted(seconds=4, size=Size(720, 1280), picture=False)))

    [request] = upstream.calls("submit")
    assert request.headers["x-litellm-num-retries"] == "0"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "insufficient_quota", Unusable),
        (429, "project_spend_limit_exceeded", Unusable),
        (429, "rate_limit_exceeded", Busy),
        (400, "no_db_connection", Unusable),
    ],
)
async def test_no_money_is_no_queue(status: int, code: str, error: type[Exception], tmp_path: Path) -> None:
    body = {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": code}}
    async with ScriptedUpstream(OpenAIVideos()) as upstream, stage_for(upstream, tmp_path) as stage:
        upstream.script("submit", answered(json_answer(body, status), name=code, acts=False))
        with pytest.raises(error):
            await stage.backend.submit(stage.request(stage.wanted(seconds=4, size=Size(720, 1280), picture=False)))

    assert upstream.creations == 0
