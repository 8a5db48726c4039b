import pytest

from basisdesk.feed.tasks import alive


@pytest.fixture(autouse=True)
def no_task_survives():
    """`feed_rig.play` looks at every task of its loop; this looks at what `spawn` still holds."""
    yield
    assert not alive()
