"""A short soak; `python -m bench soak` is the long one."""

from pathlib import Path

from tests.support.soak import Soak


async def test_kills_and_upstream_faults_at_random_never_pay_for_a_task_twice(tmp_path: Path) -> None:
    report = await Soak(tmp_path / "data", tasks=40, seed=7).run(within_seconds=170)

    assert report.wrong == []
    assert report.most_for_one_task == 1
    assert report.kills >= 2
    assert report.states["success"] >= 10
