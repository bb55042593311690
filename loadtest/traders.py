"""A trader as a locust user. Each lodges, waits for its answer, pauses, and lodges again (a closed loop).

    TIDEWAITER_HOME=FOLDER locust -f loadtest/traders.py

FOLDER is the configuration of a gateway that runs on this machine: the trader's keys lie in it. What locust
reports under HTTP requests are the receipts; `decided` is the time from lodging to the decision. `tidewaiter
load` is the open loop, and accounts for every receipt; this is for finding out how many traders at once.

locust patches the standard library when it is imported, so nothing else may import this module.
"""

import functools
import os
import pathlib
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

try:
    from locust import FastHttpUser, between, task
    from locust.exception import StopUser
except ImportError:
    sys.exit("locust is not installed: pip install 'tidewaiter[load]'")

import msgspec

from tidewaiter.codecs.document import sniff
from tidewaiter.gateway import clock, resources
from tidewaiter.gateway.as2 import MdnKind, compose, read_mdn
from tidewaiter.gateway.receipts import SIGNATURE_HEADER
from tidewaiter.gateway.sandbox.accounts import Account, load_account
from tidewaiter.loadtest.documents import Documents
from tidewaiter.loadtest.loopback import require_loopback
from tidewaiter.loadtest.proof import receipt_fault

# Between two looks at how a lodgement stands, and how long a decision may take: the level agreed as minimum,
# twice.
POLL_SECONDS, DECIDED_SECONDS = 0.25, 23.0


@functools.cache
def account() -> Account:
    """The trader of the configuration in $TIDEWAITER_HOME, whose gateway is on this machine."""
    found = load_account(pathlib.Path(os.environ.get("TIDEWAITER_HOME", ".")), "trader")
    require_loopback(found.api_url)
    require_loopback(found.as2_url)
    return found


@functools.cache
def documents() -> Documents:
    """One sequence of declarations for all users: no two lodge the same."""
    return Documents(resources.reader(warm=True), seed=1)


class TraderUser(FastHttpUser):
    """Lodges over HTTPS three times as often as over AS2."""

    wait_time = between(0.5, 1.5)
    insecure = False

    def __init__(self, environment: Any) -> None:
        self.account = account()
        self.host = self.host or self.account.api_url
        require_loopback(self.host)
        self.ssl_context_factory: Callable[[], Any] = lambda: self.account.client_tls
        super().__init__(environment)

    @task(3)
    def lodge_https(self) -> None:
        """Lodge, hold the receipt against the document, and wait for the decision."""
        document, began = documents().new(), time.perf_counter()
        headers = (("Content-Type", sniff(document.payload).media_type), ("Idempotency-Key", document.lrn))
        with self._post("/v1/declarations", headers, document.payload, name="lodge https") as response:
            fault = "" if response.status_code == 202 else f"HTTP {response.status_code}"
            fault = fault or receipt_fault(
                response.headers.get(SIGNATURE_HEADER) or "",
                response.content,
                document.payload,
                self.account.receipts,
                now=datetime.now(UTC),
            )
            if fault:
                response.failure(fault)
        if not fault:
            self._decided(document.lrn, began)

    @task(1)
    def lodge_as2(self) -> None:
        """Lodge, verify the signed MDN and its MIC, and wait for the decision."""
        terms = self.account.terms
        if terms is None:
            raise StopUser
        document, began = documents().new(), time.perf_counter()
        message = compose(
            document.payload,
            sniff(document.payload).media_type,
            terms,
            message_id=f"<{clock.new_id('T')}@load.example>",
            now=datetime.now(UTC),
            boundary=secrets.token_hex(16),
        )
        with self._post(self.account.as2_url, message.headers, message.body, name="lodge as2") as response:
            headers = [(n.lower().encode(), v.encode("latin-1")) for n, v in response.headers.items()]
            mdn = read_mdn(
                headers,
                response.content or b"",
                terms,
                message_id=message.message_id,
                mic=message.mic,
                now=datetime.now(UTC),
            )
            proven = response.status_code == 200 and mdn.kind is MdnKind.PROCESSED and mdn.signed
            if not proven:
                response.failure(f"HTTP {response.status_code}, MDN {mdn.kind.value} {mdn.detail}")
        if proven:
            self._decided(document.lrn, began)

    def _post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, name: str) -> Any:
        """A POST whose success is decided by who sent it."""
        # Octets go out as they are, whatever the hint says.
        data: Any = body
        return self.client.post(url, data=data, headers=dict(headers), name=name, catch_response=True)

    def _decided(self, lrn: str, began: float) -> None:
        """Ask how the lodgement stands until it is decided, and tell locust how long that took."""
        fault: Exception | None = TimeoutError(f"not decided within {DECIDED_SECONDS:g} s")
        while time.perf_counter() - began < DECIDED_SECONDS:
            response = self.client.get(f"/v1/declarations/{lrn}", name="status")
            if response.status_code == 200 and msgspec.json.decode(response.content)["decision"] is not None:
                fault = None
                break
            # locust has made this the sleep of one user, not of all.
            time.sleep(POLL_SECONDS)
        self.environment.events.request.fire(
            request_type="",
            name="decided",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=fault,
            context={},
        )
