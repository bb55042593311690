"""The HTTPS API as a trader's and an agency's program meets it."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.api import MAX_KEY
from tidewaiter.gateway.ledger import LedgerUnavailable
from tidewaiter.security import DEFAULT_POLICY
from tidewaiter.security.cms import verify

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]


def decoded(response: Any) -> Any:
    return msgspec.json.decode(response.body)


def assert_problem(response: Any, status: int) -> None:
    assert response.status == status
    assert dict(response.headers)["Content-Type"] == "application/problem+json"
    body = decoded(response)
    assert body["status"] == status
    assert {"type", "title", "detail"} <= set(body)


async def test_a_receipt_proves_what_was_lodged(bench: Any, make_document: Make) -> None:
    payload = make_document()
    response = await bench.lodge(payload, key="k-1")
    headers = dict(response.headers)
    assert response.status == 202
    signature = base64.b64decode(headers["Receipt-Signature"], validate=True)
    signer = bench.parties.signer.certificate
    now = clock.utc(bench.now())
    proof = verify(signature, response.body, [signer], policy=DEFAULT_POLICY, now=now)
    assert proof.certificate == signer
    receipt = decoded(response)
    assert receipt["digest"] == {
        "algorithm": "sha-256",
        "value": hashlib.sha256(payload).hexdigest(),
        "octets": len(payload),
    }
    assert receipt["lrn"] == "MER-26-004171"
    assert receipt["received"] == "2026-06-02T12:00:00.000Z"
    assert headers["Location"] == receipt["status"]
    assert (await bench.only()).lodgement.id == receipt["id"]


async def test_a_receipt_is_given_after_the_commit(bench: Any, make_document: Make) -> None:
    """Nothing durable, nothing promised."""

    async def failing(_: Any) -> Any:
        raise LedgerUnavailable("disk gone")

    bench.ledger.commit = failing
    response = await bench.lodge(make_document())
    assert_problem(response, 503)
    assert dict(response.headers)["Retry-After"] == "5"
    assert await bench.ledger.lodgements(limit=9) == []


@pytest.mark.parametrize("name", ["invalid.edi", "invalid.xml"])
async def test_an_invalid_document_gets_its_findings(bench: Any, make_document: Make, name: str) -> None:
    response = await bench.lodge(make_document(name))
    assert_problem(response, 422)
    body = decoded(response)
    assert len(body["findings"]) > 3
    for finding in body["findings"]:
        assert {"severity", "code", "text"} <= set(finding)
    placed = [finding["pointer"] for finding in body["findings"] if "pointer" in finding]
    assert {pointer["syntax"] for pointer in placed} == {"xml" if name.endswith("xml") else "edifact"}
    assert await bench.notes() == []
    assert (await bench.get(f"/v1/declarations/{body['id']}"))["state"] == "rejected"


async def test_the_key_names_one_document_for_ever(bench: Any, make_document: Make) -> None:
    first = await bench.lodge(make_document(), key="k")
    bench.now.tick(10**7)
    again = await bench.lodge(make_document(), key="k")
    assert (again.status, again.headers, again.body) == (first.status, first.headers, first.body)
    other = await bench.lodge(make_document("export.xml"), key="k")
    assert_problem(other, 409)
    assert len(await bench.ledger.lodgements(limit=9)) == 1
    assert {"duplicate", "conflict"} <= set(await bench.kinds())


async def test_the_key_of_an_invalid_document_stays_free(bench: Any, make_document: Make) -> None:
    assert (await bench.lodge(make_document("invalid.edi"), key="k")).status == 422
    assert (await bench.lodge(make_document("invalid.edi"), key="k")).status == 422
    assert (await bench.lodge(make_document(), key="k")).status == 202
    assert (await bench.lodge(make_document("export.xml"), key="k")).status == 409


async def test_a_key_is_one_partner_s_own(bench: Any, make_document: Make, make_res: Make) -> None:
    await bench.lodge(make_document(), key="k")
    delivery = await bench.delivery("health")
    answered = await bench.lodge(make_res(delivery, "08"), key="k", path="/v1/answers", party="health")
    assert answered.status == 202
    assert decoded(answered)["answered"] == 1


async def test_without_a_key_the_lrn_still_knows_it(bench: Any, make_document: Make) -> None:
    first, again = [decoded(await bench.lodge(make_document("export.xml"))) for _ in range(2)]
    assert (first["lodged-before"], again["lodged-before"]) == (False, True)
    assert first["id"] == again["id"]


@pytest.mark.parametrize("key", ["x" * (MAX_KEY + 1), "a\x00b", "a\tb"])
async def test_a_key_that_is_no_name(bench: Any, make_document: Make, key: str) -> None:
    assert_problem(await bench.lodge(make_document(), key=key), 400)


@pytest.mark.parametrize("target", ["/v1/declarations", "/v1/declarations/X", "/v1/notifications"])
async def test_nobody_is_let_in_without_a_certificate(bench: Any, target: str) -> None:
    assert_problem(await bench.ask("GET", target, party=None), 401)


async def test_a_certificate_of_nobody(bench: Any) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    ours = bench.parties.signer.certificate.public_bytes(Encoding.DER)
    response = await bench.ask("GET", "/v1/declarations", certificate=ours)
    assert_problem(response, 401)


async def test_each_has_its_own_door(bench: Any, make_document: Make, make_res: Make) -> None:
    assert_problem(await bench.lodge(make_res("D", "08"), path="/v1/answers", party="trader"), 403)
    assert_problem(await bench.lodge(make_document(), party="health"), 403)
    assert_problem(await bench.ask("GET", "/v1/declarations", party="health"), 403)
    assert_problem(await bench.ask("GET", "/v1/declarations/X", party="health"), 403)


@pytest.mark.parametrize("target", ["/", "/v1", "/v1/declaration", "/v2/declarations", "/as2/", "/healthz"])
async def test_nothing_is_there(bench: Any, target: str) -> None:
    assert_problem(await bench.ask("GET", target), 404)


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("PUT", "/v1/declarations", "GET, HEAD, POST"),
        ("DELETE", "/v1/declarations/X", "GET, HEAD"),
        ("POST", "/v1/notifications", "GET, HEAD"),
        ("GET", "/v1/answers", "POST"),
        ("GET", "/as2", "POST, HEAD"),
    ],
)
async def test_a_method_that_is_not_for_this_path(bench: Any, method: str, target: str, allowed: str) -> None:
    response = await bench.ask(method, target)
    assert_problem(response, 405)
    assert dict(response.headers)["Allow"] == allowed


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json", "multipart/form-data"])
async def test_a_media_type_that_is_not_taken(bench: Any, make_document: Make, media_type: str) -> None:
    headers = [("Content-Type", media_type)] if media_type else []
    response = await bench.ask("POST", "/v1/declarations", make_document(), headers=headers)
    assert_problem(response, 415)


@pytest.mark.parametrize("media_type", ["text/xml", "Application/XML; charset=utf-8", "application/xml"])
async def test_xml_by_each_of_its_names(bench: Any, make_document: Make, media_type: str) -> None:
    headers = [("Content-Type", media_type)]
    response = await bench.ask("POST", "/v1/declarations", make_document("export.xml"), headers=headers)
    assert response.status == 202


@pytest.mark.parametrize("target", ["/v1/declarations", "/v1/answers", "/as2"])
async def test_a_full_disk_takes_nothing_in(bench: Any, make_document: Make, target: str) -> None:
    """Refused by the head alone: the body need not be read for it."""
    bench.room = False
    party = {"/v1/answers": "health", "/as2": None}.get(target, "trader")
    response = await bench.ask("POST", target, make_document(), party=party)
    assert_problem(response, 503)
    assert dict(response.headers)["Retry-After"] == "5"
    assert (await bench.ask("GET", "/v1/declarations")).status == 200


async def test_a_declaration_by_each_of_its_names(bench: Any, make_document: Make) -> None:
    lodged = decoded(await bench.lodge(make_document(lrn="A B/1")))
    for reference in (lodged["id"], "A%20B%2F1", await bench.delivery("customs")):
        assert (await bench.get(f"/v1/declarations/{reference}"))["id"] == lodged["id"]


async def test_how_a_declaration_stands(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    view = await bench.get("/v1/declarations/MER-26-004171")
    assert view["waiting-for"] == ["customs", "health"]
    assert view["decision"] is None
    await bench.answer("health", await bench.delivery("health"), "05")
    view = await bench.get("/v1/declarations/MER-26-004171")
    assert view["waiting-for"] == ["customs"]
    assert view["decision"]["outcome"] == "inspection"
    assert view["last-notification"] == 1
    assert [(leg["agency"], leg["state"]) for leg in view["agencies"]] == [
        ("customs", "pending"),
        ("health", "answered"),
    ]


async def test_a_declaration_of_another_partner(folder: Any, open_bench: Any, make_document: Make) -> None:
    """The same answer as for one that does not exist: not even that it exists is told."""
    from tidewaiter.security import make_self_signed

    certificate, _ = make_self_signed("rival", now=_MADE, days=9, key="p256")
    (folder / "keys/rival.pem").write_bytes(certificate)
    (folder / "partners/rival.toml").write_text('name = "rival"\ncertificates = ["keys/rival.pem"]\n')
    async with open_bench() as bench:
        lodged = decoded(await bench.lodge(make_document()))
        nothing = await bench.ask("GET", "/v1/declarations/LNOTHING", party="rival")
        for reference in (lodged["id"], "MER-26-004171", await bench.delivery("health")):
            response = await bench.ask("GET", f"/v1/declarations/{reference}", party="rival")
            assert_problem(response, 404)
            assert response.body == nothing.body
        assert (await bench.get("/v1/declarations", "rival"))["declarations"] == []
        assert (await bench.get("/v1/notifications", "rival"))["notifications"] == []
        assert len((await bench.get("/v1/declarations"))["declarations"]) == 1


async def test_the_newest_lodgements(bench: Any, make_document: Make) -> None:
    for number in range(3):
        await bench.lodge(make_document("export.xml", lrn=f"LRN-{number}"))
    found = (await bench.get("/v1/declarations"))["declarations"]
    assert [one["lrn"] for one in found] == ["LRN-2", "LRN-1", "LRN-0"]


@pytest.fixture
async def told(bench: Any, make_document: Make) -> Any:
    """A bench whose trader has five entries in its log."""
    for number in range(5):
        await bench.lodge(make_document(test=True, lrn=f"LRN-{number}", reference=f"MT{number}"))
    return bench


async def test_the_log_has_no_gap_and_is_read_again(told: Any) -> None:
    whole = await told.get("/v1/notifications")
    assert [entry["number"] for entry in whole["notifications"]] == [1, 2, 3, 4, 5]
    assert whole["last"] == 5
    assert await told.get("/v1/notifications?after=0") == whole
    rest = await told.get("/v1/notifications?after=3")
    assert [entry["number"] for entry in rest["notifications"]] == [4, 5]
    assert base64.b64decode(rest["notifications"][0]["document"]).startswith(b"UNA")


@pytest.mark.parametrize(
    ("query", "numbers", "last"),
    [
        ("limit=2", [1, 2], 2),
        ("after=2&limit=2", [3, 4], 4),
        ("after=5", [], 5),
        ("after=99", [], 99),
        ("limit=0", [1], 1),
        ("limit=99999", [1, 2, 3, 4, 5], 5),
        ("after=1&after=4", [5], 5),
        ("unknown=1", [1, 2, 3, 4, 5], 5),
        ("after=999999999999999999", [], 999999999999999999),
    ],
)
async def test_pages_of_the_log(told: Any, query: str, numbers: list[int], last: int) -> None:
    page = await told.get(f"/v1/notifications?{query}")
    assert ([entry["number"] for entry in page["notifications"]], page["last"]) == (numbers, last)


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "limit=1.5", "after=" + "9" * 19, "after=%D9%A1", "limit=0x1"]
)
async def test_a_bad_query(told: Any, query: str) -> None:
    assert_problem(await told.ask("GET", f"/v1/notifications?{query}"), 400)


async def test_an_agency_has_a_log_too(bench: Any) -> None:
    assert (await bench.get("/v1/notifications", "health")) == {"notifications": [], "last": 0}


async def test_the_description_needs_no_certificate(bench: Any) -> None:
    response = await bench.ask("GET", "/v1/openapi.json", party=None)
    assert response.status == 200
    assert decoded(response)["openapi"].startswith("3.1")


async def test_an_interchange_without_a_declaration(bench: Any) -> None:
    control = (
        b"UNB+UNOC:3+MERIDIAN+TIDEWAITER+261119:0915+C1'UNH+1+CONTRL:D:3:UN'UCI+X+MERIDIAN+TIDEWAITER+7'"
    )
    response = await bench.lodge(control + b"UNT+3+1'UNZ+1+C1'")
    assert_problem(response, 422)


async def test_head_is_answered_where_get_is(bench: Any) -> None:
    assert (await bench.ask("HEAD", "/as2", party=None)).status == 200
    assert (await bench.ask("HEAD", "/v1/declarations")).status == 200


_MADE = clock.utc_of(1_780_272_000 * 10**9)
