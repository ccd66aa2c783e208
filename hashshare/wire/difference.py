"""What a publication would change: an intake against the state of the list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from hashshare.wire.algorithms import KEY_PREFIX
from hashshare.wire.engine import Engine, literal, scalar
from hashshare.wire.entries import ListFormat, quoted, row_columns, segment_columns
from hashshare.wire.intake import Intake
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.state import HeldState, collect_withdrawn, entry_columns, fold_later, held_rows, key_hex
from hashshare.wire.touched import HELD, collect_standing
from hashshare.wire.vocabulary import REINSTATE, UPSERT, WITHDRAW

TABLE: Final = "difference"
FATED: Final = "compared"
"""Temporary table that `difference` is a view of: its rows with their `fate`, and those left out."""

_EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """`table` holds the delta's rows, ready for `write_delta`; `added`, `updated` and `reinstated` are its upserts.

    `blocked` counts withdrawn keys that the intake holds and that were not named to be reinstated (they are left out
    of the table; the publisher refuses); `unheld` counts withdrawals of keys that the list never held. Where entries
    can lapse, `lapsed` counts those of keys that were held, lapsed and dropped out with a base, and `untraced` those
    of keys that are not held and left no trace: they never were, or came with a base, lapsed and dropped out.
    `outdated` counts rows of a full list that would be added but have lapsed already. They are left out, else each base
    would drop them and each full list bring them back. The examples are up to 20 keys in hexadecimal.
    """

    table: str
    added: int
    updated: int
    reinstated: int
    withdrawn: int
    unchanged: int
    blocked: int = 0
    blocked_examples: tuple[str, ...] = ()
    unheld: int = 0
    unheld_examples: tuple[str, ...] = ()
    lapsed: int = 0
    lapsed_examples: tuple[str, ...] = ()
    untraced: int = 0
    untraced_examples: tuple[str, ...] = ()
    outdated: int = 0
    outdated_examples: tuple[str, ...] = ()

    @property
    def upserts(self) -> int:
        """Rows with op 1 or 3, as the manifest counts them."""
        return self.added + self.updated + self.reinstated

    @property
    def empty(self) -> bool:
        """Whether there is nothing to publish."""
        return not (self.upserts or self.withdrawn)


def difference(
    engine: Engine,
    state: HeldState,
    intake: Intake,
    *,
    today: date,
    reason: str = "other",
    reinstate: Collection[bytes] = (),
    renewed: bool = False,
) -> Difference:
    """The operations that turn `state` into what `intake` says, as the temporary table `difference`.

    A full list withdraws (for `reason`) every entry that it lacks and that has not lapsed by `today`. A list of
    changes that has been applied already yields none; of the state it reads only what it names. `reinstate` are keys
    that may come back. `renewed`: the state's base took the place of another, so lapsed entries may have dropped out.
    """
    if intake.changes:
        gone = collect_standing(engine, state, keys=intake.table)
        held = f"SELECT * FROM {HELD}"
    else:
        fold_later(engine, state)
        gone = collect_withdrawn(engine, state)
        held = held_rows(state, entry_columns(state.fmt))
    _collect_reinstated(engine, reinstate)
    compared = _Comparison(engine, state, intake, held)
    compared.collect_upserts(gone=gone, today=None if intake.changes else today)
    if intake.changes:
        compared.collect_named_withdrawals(renewed=renewed)
    else:
        compared.collect_implied_withdrawals(reason, today)
    return compared.summary()


def count_outdated(engine: Engine, intake: Intake, *, fmt: ListFormat, today: date) -> int:
    """Rows of a full list that have lapsed by `today`, at no cost on a list without `expires`."""
    if "expires" not in fmt.columns:
        return 0
    return scalar(engine, f"SELECT count(*) FROM {intake.table} WHERE NOT ({not_lapsed(fmt, today)})")


def _collect_reinstated(engine: Engine, keys: Collection[bytes]) -> None:
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE reinstated AS"
        f" SELECT ('0x' || hex(key[1:{KEY_PREFIX}]))::UBIGINT AS p, key[{KEY_PREFIX + 1}:] AS s"
        " FROM (SELECT DISTINCT unnest($1::BLOB[]) AS key)",
        [sorted(keys)],
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """`held` is a query for the entries held: all of them, or those that a list of changes names."""

    engine: Engine
    state: HeldState
    intake: Intake
    held: str

    def collect_upserts(self, *, gone: int, today: date | None) -> None:
        """Fills `difference` with rows to write, with `fate`: added, updated, reinstated, blocked or outdated.

        Without `today` none is outdated: what a list of changes names is wanted just so, and named once.
        """
        content = row_columns(self.state.fmt)
        names = "".join(f", given.{quoted(column)}" for column in content)
        differs = " OR ".join(f"given.{quoted(it)} IS DISTINCT FROM held.{quoted(it)}" for it in content) or "false"
        asked = f"given.op = {REINSTATE} OR" if self.intake.changes else ""
        rows = f"(SELECT * FROM {self.intake.table} {f'WHERE op <> {WITHDRAW}' if self.intake.changes else ''})"
        new = f"CASE WHEN {not_lapsed(self.state.fmt, today, table='given')} THEN 'added' ELSE 'outdated' END"
        fate = f"CASE WHEN held.p IS NULL THEN {new} ELSE 'updated' END"
        joined = ""
        if gone:
            fate = (
                f"CASE WHEN withdrawn.p IS NULL THEN {fate}"
                f" WHEN {asked} reinstated.p IS NOT NULL THEN 'reinstated' ELSE 'blocked' END"
            )
            joined = (
                " LEFT JOIN withdrawn ON given.p = withdrawn.p AND given.s = withdrawn.s"
                " LEFT JOIN reinstated ON given.p = reinstated.p AND given.s = reinstated.s"
            )
        self.engine.execute(f"""
            CREATE OR REPLACE TEMP TABLE compared AS
            SELECT CASE fate WHEN 'reinstated' THEN {REINSTATE} ELSE {UPSERT} END::UTINYINT AS op,
                NULL::VARCHAR AS reason, * FROM (
                SELECT {fate} AS fate, given.p, given.s{names} FROM {rows} AS given
                LEFT JOIN ({self.held}) AS held
                    ON given.p = held.p AND given.s = held.s{joined}
                WHERE held.p IS NULL OR {differs})""")

    def collect_implied_withdrawals(self, reason: str, today: date) -> None:
        """Entries that a full list leaves out. Lapsed ones are gone by themselves."""
        held = held_rows(self.state, ["p", "s"], condition=not_lapsed(self.state.fmt, today))
        self._add_withdrawals(
            f"SELECT p, s, {literal(reason)} FROM ({held}) ANTI JOIN {self.intake.table} USING (p, s)"
        )

    def collect_named_withdrawals(self, *, renewed: bool) -> None:
        """Withdrawals of a list of changes; one made before is left out, one of a key that is not held is reported.

        A base that leaves lapsed entries out leaves no trace of them, but their operations may still be in the chain.
        """
        asked = f"SELECT p, s, reason FROM {self.intake.table} WHERE op = {WITHDRAW}"
        self.engine.execute(f"CREATE OR REPLACE TEMP TABLE asked AS {asked}")
        self._add_withdrawals(f"SELECT * FROM asked SEMI JOIN ({self.held}) USING (p, s)")
        lapses = "expires" in self.state.fmt.columns
        traced = "ever.p IS NOT NULL" if lapses else "false"
        absent = "untraced" if lapses and renewed else "unheld"
        self.engine.execute(f"""
            INSERT INTO compared (fate, p, s)
            SELECT CASE WHEN {traced} THEN 'lapsed' ELSE '{absent}' END, p, s
            FROM asked ANTI JOIN withdrawn USING (p, s) LEFT JOIN standing_ever AS ever USING (p, s)
            WHERE (p, s) NOT IN (SELECT (p, s) FROM compared WHERE fate = 'withdrawn')""")

    def _add_withdrawals(self, query: str) -> None:
        self.engine.execute(
            f"INSERT INTO compared (op, fate, p, s, reason) SELECT {WITHDRAW}, 'withdrawn', * FROM ({query})"
        )

    def summary(self) -> Difference:
        """Makes `difference` a view of the operations and counts them."""
        columns = ", ".join(quoted(column) for column in segment_columns(self.state.fmt, "delta"))
        self.engine.execute(
            f"CREATE OR REPLACE TEMP VIEW {TABLE} AS SELECT {columns} FROM compared"
            " WHERE fate NOT IN ('blocked', 'unheld', 'lapsed', 'untraced', 'outdated')"
        )
        counts = dict(self.engine.execute("SELECT fate, count(*) FROM compared GROUP BY fate").fetchall())
        touched = sum(counts.get(fate, 0) for fate in ("added", "updated", "reinstated", "blocked", "outdated"))
        upserts = f"SELECT count(*) FROM {self.intake.table}" + (
            f" WHERE op <> {WITHDRAW}" if self.intake.changes else ""
        )
        return Difference(
            table=TABLE,
            added=counts.get("added", 0),
            updated=counts.get("updated", 0),
            reinstated=counts.get("reinstated", 0),
            withdrawn=counts.get("withdrawn", 0),
            unchanged=scalar(self.engine, upserts) - touched,
            blocked=counts.get("blocked", 0),
            blocked_examples=self._examples("blocked"),
            unheld=counts.get("unheld", 0),
            unheld_examples=self._examples("unheld"),
            lapsed=counts.get("lapsed", 0),
            lapsed_examples=self._examples("lapsed"),
            untraced=counts.get("untraced", 0),
            untraced_examples=self._examples("untraced"),
            outdated=counts.get("outdated", 0),
            outdated_examples=self._examples("outdated"),
        )

    def _examples(self, fate: str) -> tuple[str, ...]:
        query = f"SELECT {key_hex()} FROM compared WHERE fate = {literal(fate)} ORDER BY p, s LIMIT {_EXAMPLES}"
        return tuple(row[0] for row in self.engine.execute(query).fetchall())
