"""A talk into whose session a test can look: what its conversation holds, and what it is about to run."""

from collections.abc import Callable
from typing import Any
from unittest import mock

from realtime_server import messages as m
from realtime_server.session import session
from realtime_server.session.conversation import Conversation
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from tests.helpers import Talk


class WatchedTalk(Talk):
    """`watch` is told of each command as it is issued; `conversation` is the session's own."""

    conversation: Conversation

    def __init__(self, watch: Callable[[m.Command], None], limits: Limits, **more: Any) -> None:
        class WatchedOutbox(Outbox):
            def run(self, command: m.Command) -> None:
                watch(command)
                super().run(command)

        def keep(*arguments: Any) -> Conversation:
            self.conversation = Conversation(*arguments)
            return self.conversation

        with mock.patch.object(session, "Outbox", WatchedOutbox), mock.patch.object(session, "Conversation", keep):
            super().__init__(limits, **more)
