"""uvicorn's connections, which it takes as classes (`http=`, `ws=`) but does not document as such."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["HttpToolsProtocol", "WebSocketsSansIOProtocol"]
