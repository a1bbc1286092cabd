"""Judges one request after another and sees each through: refused, shown, practised, or relayed.

The order of the judgement is the promise: nothing is looked up, and no byte leaves, before it is over.
Read next: `policy.py` (the judgement), `relay.py` (the exchange itself).
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import h11

from services.executor.egress.decoys import Tripwire
from services.executor.egress.draft import Draft
from services.executor.egress.intake import (
    asked_host,
    check_framing,
    connect_target,
    has_body,
    proxy_target,
    tunnel_target,
)
from services.executor.egress.local_site import send_answer, site_headers
from services.executor.egress.meter import Meter
from services.executor.egress.model import Effect, EgressRun
from services.executor.egress.model_host import model_headers, model_refusal, proven
from services.executor.egress.outgoing import Body
from services.executor.egress.pace import Pacer
from services.executor.egress.peer import Peer, end_to_end, header
from services.executor.egress.placeholders import reveal_in, used_in
from services.executor.egress.policy import Policy
from services.executor.egress.practice.site import HOST as PRACTICE_HOST
from services.executor.egress.practice.site import PracticeSite
from services.executor.egress.readings import Readings
from services.executor.egress.relay import Relay, outgoing
from services.executor.egress.replaying import replay
from services.executor.egress.replies import own_response, problem
from services.executor.egress.taping import tell
from services.executor.egress.upstream import Outside, Upstreams
from services.executor.egress.vault import Vault
from services.executor.egress.writes import write_id_of
from services.executor.ports import LocalSite
from shared.clock import Clock
from shared.errors import NotAllowed, OverBudget, ProjectError, Unavailable
from shared.net.model_endpoint import MODEL_HOST
from shared.net.url import Endpoint

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
# Of a refused request's body, so that its connection can serve the next one.
_DISCARDED_BYTES = 1 << 20
# Korea has one zone and no daylight saving; the practice shops stand there.
_SEOUL = timedelta(hours=9)


class Forwarder:
    """One per run, on the gateway's loop. Every method records exactly one exchange."""

    def __init__(self, run: EgressRun, outside: Outside, practice: PracticeSite, clock: Clock) -> None:
        self._run = run
        self._outside = outside
        self._practice = practice
        self._clock = clock
        self._policy = Policy(run.hosts, outside.allowance)
        self._upstreams = Upstreams(outside, run.pace, run.caps, run.model)
        self._vault = Vault(run, outside.threads)
        self._pacers: dict[str, Pacer] = {}
        self._tripwire = Tripwire(run.decoys)
        self._tripped = False
        self._allowed_writes = set(run.allowed_writes)
        self._readings = Readings()
        self.tape = run.tape
        self.meter = Meter(run)

    def close(self) -> None:
        self._upstreams.close()

    async def open_tunnel(self, client: Peer, request: h11.Request) -> Endpoint | None:
        """Where a CONNECT leads; None when it was refused and answered. Otherwise it records nothing: the
        requests inside will, also of a host nobody has allowed. The tunnel ends here in any case, and only
        inside it stands what exactly a person would have to allow."""
        draft = self._draft(client=client)
        draft.asked = asked_host(request)
        try:
            self._look_for_decoys(request, draft)
            draft.target = connect_target(request, self._outside.allowance)
            return draft.target
        except ProjectError as error:
            draft.fail(error)
            self._record(draft)
            await self._refuse(client, error, draft)
            return None

    async def refuse(self, client: Peer, error: ProjectError, tunnel: Endpoint | None = None) -> None:
        """Records and answers what could not be read as a request."""
        draft = self._draft(tunnel, client)
        error = self._nearest(error, tunnel)
        draft.fail(error)
        self._mark(draft)
        self._record(draft)
        await self._refuse(client, error, draft)

    def broken_tunnel(self, tunnel: Endpoint, error: ProjectError) -> None:
        """Records a tunnel whose TLS never came about; there is nobody to answer."""
        draft = self._draft(tunnel)
        draft.fail(self._nearest(error, tunnel))
        self._mark(draft)
        self._record(draft)

    def unused_tunnel(self, tunnel: Endpoint) -> None:
        """Records an attempt to reach a host nobody has allowed; nothing for any other."""
        nothing = Unavailable("the code went away", code="client_gone")
        if self._nearest(nothing, tunnel) is not nothing:
            self.broken_tunnel(tunnel, nothing)

    def _nearest(self, error: ProjectError, tunnel: Endpoint | None) -> ProjectError:
        """What was wrong first: the host, where nobody has allowed it."""
        try:
            if tunnel is not None:
                self._policy.check_host("https", tunnel.host, tunnel.port)
        except NotAllowed as undeclared:
            return model_refusal(undeclared) if tunnel and tunnel.host == MODEL_HOST else undeclared
        return error

    async def answer(self, client: Peer, request: h11.Request, tunnel: Endpoint | None) -> None:
        """Raises: OSError or h11.ProtocolError when the connection to the code must be given up."""
        draft = self._draft(tunnel, client)
        draft.method = request.method.decode("ascii")
        draft.asked = asked_host(request)
        try:
            self._look_for_decoys(request, draft)
            await self._see_through(client, request, tunnel, draft)
        except ProjectError as error:
            draft.fail(error)
            self._mark(draft)
            if draft.head_sent:
                raise ConnectionAbortedError("the answer broke off") from error
            await self._refuse(client, error, draft)
        except (OSError, h11.ProtocolError):
            draft.settle("failed", draft.status, "client_gone")
            raise
        except Exception:
            draft.settle("failed", draft.status, "internal")
            raise
        finally:
            self._record(draft)

    async def _see_through(
        self, client: Peer, request: h11.Request, tunnel: Endpoint | None, draft: Draft
    ) -> None:
        target = tunnel_target(request, tunnel) if tunnel else proxy_target(request, self._outside.allowance)
        draft.target = target
        method = draft.method
        draft.effect = self._effect(target, method)
        check_framing(request)
        self._check_caps()
        await self._take_end_of_bodiless(client, request)
        body = Body(client, self._tripwire, self._run.caps.request_bytes)
        try:
            if self._run.replay is not None:
                await replay(self._run.replay, client, draft, body)
            elif draft.effect == "write" and self._run.mode == "rehearsal":
                await self._rehearse(client, request, target, draft, body)
            elif self._run.site is not None and target.host == self._run.site.host:
                await body.read(0)
                await self._ask_site(self._run.site, client, request, draft)
            elif target.host == PRACTICE_HOST:
                await body.read(0)
                await self._practise(client, target, draft)
            else:
                await body.read_ahead()
                await self._exchange(client, request, target, draft, body)
        finally:
            self._trip(draft, body.decoy)

    def _effect(self, target: Endpoint, method: str) -> Effect:
        try:
            return self._policy.effect(target.scheme, target.host, target.port, method, target.path)
        except NotAllowed as error:
            if target.host == MODEL_HOST:
                raise model_refusal(error) from error
            raise

    async def _rehearse(
        self, client: Peer, request: h11.Request, target: Endpoint, draft: Draft, body: Body
    ) -> None:
        """Shows a write instead of sending it, unless a person has let exactly this one through."""
        caps = self._run.caps
        read = await body.read(caps.request_bytes if self._allowed_writes else caps.preview_bytes)
        draft.write_id = write_id_of(draft.method, target.url, body.sha256)
        if draft.write_id in self._allowed_writes:
            self._allowed_writes.discard(draft.write_id)
            body.keep(read)
            await self._exchange(client, request, target, draft, body)
            return
        draft.body_bytes = body.size
        draft.body_preview = read[: caps.preview_bytes]
        draft.content_type = _content_type(request)
        text = json.dumps({"rehearsal": True, "sent": False, "method": draft.method}).encode()
        await client.send(
            own_response(202, "application/json", text), h11.Data(data=text), h11.EndOfMessage()
        )
        draft.settle("would_send", 202)

    async def _practise(self, client: Peer, target: Endpoint, draft: Draft) -> None:
        today = (self._clock.now() + _SEOUL).date()
        page = self._practice.answer(draft.method, target.path, self._run.practice, today)
        headers = [("content-type", page.content_type), ("content-length", str(len(page.body)))]
        body = [] if draft.method == "HEAD" else [h11.Data(data=page.body)]
        head = h11.Response(status_code=page.status, headers=headers)
        await client.send(head, *body, h11.EndOfMessage())
        self._readings.begin()
        self._readings.add(page.body)
        draft.bytes_in = len(page.body)
        draft.settle("practice", page.status)

    async def _ask_site(self, site: LocalSite, client: Peer, request: h11.Request, draft: Draft) -> None:
        path = draft.target.target if draft.target else "/"
        answer = await asyncio.get_running_loop().run_in_executor(
            self._outside.threads, site.answer, draft.method, path, site_headers(request)
        )
        draft.head_sent = True
        draft.bytes_in = await send_answer(client, draft.method, answer, self._outside.threads)
        draft.settle("practice", answer.status)

    async def _exchange(
        self, client: Peer, request: h11.Request, target: Endpoint, draft: Draft, body: Body
    ) -> None:
        sent = outgoing(request, target, await self._headers(request, target))
        await self._wait_for_turn(target)
        writes = draft.effect == "write"
        if writes:
            await self._announce(f"{draft.method} {target.url}")
        relay = Relay(client, target, self._run.caps, self._vault, draft, body, self._readings)
        repeatable = draft.method in _REPEATABLE and not has_body(request)
        to_model = target.host == MODEL_HOST
        for fresh in (False, True) if repeatable else (writes or to_model,):
            connection = await self._upstreams.acquire(target, fresh=fresh)
            try:
                with draft.metering(connection.peer):
                    before = connection.peer.received_bytes
                    try:
                        leaving = await self._proven(sent) if to_model else sent
                        response = await relay.ask(connection.peer, leaving)
                    except Unavailable:
                        # The server closed the kept connection just now; it has not seen the request.
                        if connection.reused and repeatable and connection.peer.received_bytes == before:
                            continue
                        raise
                    await relay.bring_back(connection.peer, response)
                    draft.settle("sent", response.status_code)
                    return
            finally:
                self._upstreams.release(target, connection)

    async def _proven(self, request: h11.Request) -> h11.Request:
        return await proven(request, self._run.model, self._outside.threads)

    async def _headers(self, request: h11.Request, target: Endpoint) -> list[tuple[bytes, bytes]]:
        if target.host == MODEL_HOST:
            return model_headers(request)
        guarded = self._vault.guarded
        # Expect was answered here; a compressed answer could not be searched for secrets.
        dropped = (b"host", b"expect", b"accept-encoding") if guarded else (b"host", b"expect")
        headers = end_to_end(request, *dropped)
        used = used_in(headers, self._run.secrets, target.host)
        if used:
            private = self._outside.allowance.opens(target.host, target.port)
            if target.scheme == "http" and not private:
                raise NotAllowed("a secret is only sent encrypted", code="secret_needs_https")
            headers = reveal_in(headers, await self._vault.values(used))
        return [*headers, (b"accept-encoding", b"identity")] if guarded else headers

    async def _wait_for_turn(self, target: Endpoint) -> None:
        now_s = asyncio.get_running_loop().time()
        pacer = self._pacers.setdefault(target.host, Pacer(self._run.pace, now_s))
        if (delay_s := pacer.take(now_s)) > 0:
            await asyncio.sleep(delay_s)

    async def _announce(self, write: str) -> None:
        announce = self._run.before_write
        if announce is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._outside.threads, announce, write)
        except Exception as error:
            # Whatever keeps it from being noted keeps it from leaving.
            text = "the platform could not note this write, so it was not sent"
            raise Unavailable(text, code="not_begun") from error

    def _check_caps(self) -> None:
        caps = self._run.caps
        if self.meter.requests >= caps.run_requests or self.meter.moved_bytes >= caps.run_bytes:
            raise OverBudget("this run has moved as much as a run may", code="run_cap")

    async def _take_end_of_bodiless(self, client: Peer, request: h11.Request) -> None:
        if not has_body(request):
            await client.next()

    def _look_for_decoys(self, request: h11.Request, draft: Draft) -> None:
        """Before anything else is judged. Raises: NotAllowed `decoy`, for every request after the first, too."""
        if not self._tripwire:
            return
        pairs = [text for pair in request.headers.raw_items() for text in pair]
        hosts = f"{draft.asked} {header(request, b'host').decode('latin-1')}"
        head = b"\n".join([request.method, request.target, *pairs])
        # Libraries write the names of headers in capitals of their own.
        found = self._tripwire.found_in_address(head) or self._tripwire.found(head.lower())
        self._trip(draft, found or self._tripwire.found_in_host(hosts))
        if self._tripped:
            raise NotAllowed("this request carries a secret it has no business with", code="decoy")

    def _trip(self, draft: Draft, place: str) -> None:
        draft.decoy = draft.decoy or place
        self._tripped = self._tripped or bool(place)

    def _mark(self, draft: Draft) -> None:
        """Whether the code read the name of the host it was refused."""
        if draft.reason.startswith("undeclared_"):
            draft.mentioned = self._readings.mention(draft.target.host if draft.target else draft.asked)

    async def _refuse(self, client: Peer, error: ProjectError, draft: Draft) -> None:
        readable = client.http.their_state in (h11.SEND_BODY, h11.DONE)
        reusable = readable and await client.discard_body(_DISCARDED_BYTES)
        head, body = problem(error, draft.target, last=not reusable)
        shown = [] if draft.method == "HEAD" else [h11.Data(data=body)]
        await client.send(head, *shown, h11.EndOfMessage())

    def _draft(self, target: Endpoint | None = None, client: Peer | None = None) -> Draft:
        at_ms = int(self._clock.now().timestamp() * 1000)
        take = client.take if client else None
        return Draft(self._run.id, at_ms, self._clock.monotonic(), target, take=take)

    def _record(self, draft: Draft) -> None:
        exchange = draft.finished(self._clock.monotonic())
        self.meter.add(exchange)
        tell(self.tape, draft.take, exchange)


def _content_type(request: h11.Request) -> str:
    values = [value for name, value in request.headers if name == b"content-type"]
    return values[0].decode("latin-1") if values else ""
