"""The launcher's wire: a peer that dies is the end of the conversation, never an error."""

from __future__ import annotations

import socket

from services.executor.launcher.protocol import receive, send


def test_a_peer_that_dies_with_something_unread_is_an_end_of_file() -> None:
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine:
        send(mine, "order", {"id": "att_1"})
        theirs.close()

        assert receive(mine) is None


def test_a_message_arrives_whole_with_its_descriptors() -> None:
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine, theirs, socket.socket() as passed:
        send(mine, "order", {"id": "att_1"}, (passed.fileno(),))

        kind, body, fds = receive(theirs) or ("", None, [])
        assert (kind, body, len(fds)) == ("order", {"id": "att_1"}, 1)
        socket.socket(fileno=fds[0]).close()
