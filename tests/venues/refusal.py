"""Why a codec refuses a message."""

import pytest

from basisdesk.errors import BadFrame


def reason_of(codec, message):
    """The reason of the BadFrame that the message is."""
    with pytest.raises(BadFrame) as caught:
        codec.decode(message)
    return caught.value.reason
