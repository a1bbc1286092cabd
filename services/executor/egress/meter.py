"""Counts and reports one run's exchanges. Lives on the gateway's loop."""

from __future__ import annotations

from dataclasses import replace

from services.executor.egress.model import EgressReport, EgressRun, Exchange, HostUsage


class Meter:
    def __init__(self, run: EgressRun) -> None:
        self._run = run
        self._hosts: dict[str, HostUsage] = {}
        self._wrote = False
        self._lost_records = 0
        self.requests = 0
        self.moved_bytes = 0

    def add(self, exchange: Exchange) -> None:
        """Counts it and hands it to the recorder."""
        usage = self._hosts.get(exchange.host) or HostUsage(exchange.host)
        refused = exchange.verdict == "refused"
        self._hosts[exchange.host] = replace(
            usage,
            requests=usage.requests + (not refused),
            bytes_out=usage.bytes_out + exchange.bytes_out,
            bytes_in=usage.bytes_in + exchange.bytes_in,
            refused=usage.refused + refused,
            would_send=usage.would_send + (exchange.verdict == "would_send"),
        )
        self.requests += 1
        self.moved_bytes += exchange.bytes_out + exchange.bytes_in
        self._wrote = self._wrote or exchange.wrote
        try:
            self._run.record(exchange)
        except Exception:  # noqa: BLE001  foreign code; it must not take the other runs' gateway with it
            self._lost_records += 1

    def report(self) -> EgressReport:
        hosts = tuple(sorted(self._hosts.values(), key=lambda usage: usage.host))
        return EgressReport(self._run.id, hosts, self._wrote, self._lost_records)
