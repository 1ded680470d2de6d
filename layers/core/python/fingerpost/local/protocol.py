"""uvicorn's HTTP protocol with API Gateway's limits on the head of a request, and our document for broken HTTP."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from fingerpost.errors import FingerpostError, Invalid
from fingerpost.local.refusals import HeadTooLarge, TooSlow, error_reply

MAX_HEAD_BYTES = 10_240  # request line and headers together, as in API Gateway
HEAD_SECONDS = 10.0  # from the first byte of a request to the end of its headers
_NOT_HTTP = "The request is not HTTP as RFC 9112 has it"
_HEAD_TOO_LARGE = f"The request line and headers are larger than {MAX_HEAD_BYTES:,} bytes"


def protocol_class(api_url: str) -> type[HttpToolsProtocol]:
    """The protocol for uvicorn's `http`; its error documents point to `api_url`."""

    class BoundedProtocol(HttpToolsProtocol):
        head_open = False  # between the first byte of a request and the end of its headers
        head_bytes = 0
        head_deadline = 0.0
        refusal: FingerpostError | None = None

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if not self.head_open or self.transport.is_closing():
                return
            if not self.head_bytes:
                self.head_deadline = self.loop.time() + HEAD_SECONDS
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEAD_BYTES:
                self.refuse(HeadTooLarge(_HEAD_TOO_LARGE))
            else:  # every arrival cancels the last one's timer, the deadline stays
                self.timeout_keep_alive_task = self.loop.call_at(self.head_deadline, self.head_overdue)

        def head_overdue(self) -> None:
            if self.head_open and not self.transport.is_closing():
                self.refuse(TooSlow("The headers did not arrive in time"))

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.head_open, self.head_bytes = True, 0

        def on_headers_complete(self) -> None:
            self.head_open = False
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MAX_HEAD_BYTES:
                self.refusal = HeadTooLarge(_HEAD_TOO_LARGE)
                raise ValueError(_HEAD_TOO_LARGE)
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            self.refuse(self.refusal or Invalid(_NOT_HTTP))

        def refuse(self, error: FingerpostError) -> None:
            self.head_open = False
            reply = error_reply(error, api_url, "-")
            head = b"".join(b"%s: %s\r\n" % header for header in reply.headers)
            status = STATUS_LINE.get(reply.status, b"HTTP/1.1 400 Bad Request\r\n")
            self.transport.write(b"%s%sconnection: close\r\n\r\n%s" % (status, head, reply.body))
            self.transport.close()

    return BoundedProtocol
