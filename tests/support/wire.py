"""Requests as bytes, for servers that a test writes by hand."""

HEAD_END = b"\r\n\r\n"


def read_head(connection):
    """What came up to the end of a request's head, and with it; less than that where the client has gone."""
    received = b""
    while HEAD_END not in received:
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return received
